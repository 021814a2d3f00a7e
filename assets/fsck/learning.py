"""What a payload's bytes tell again, when the files that knew it are gone: its facts, and a record for it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from metadata.clock import timestamp
from metadata.documents.contract import Change, put
from metadata.errors import CalotypeError, NotFoundError, TooLargeError
from metadata.repositories.facts import to_be_seen

from ..cards.identity import picture_identity
from ..images.headers import probe
from ..media import HEAD_BYTES, sniff

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from metadata.documents.contract import Documents, Record
    from metadata.repositories.images import ImagesRepository

    from ..blobs.base import BlobStore
    from ..digest import Digest
    from ..media import Media


def look(blobs: BlobStore, digest: Digest) -> tuple[Media, dict[str, object]]:
    """Return what a payload is, and its facts (on-disk names).

    Raises:
        NotFoundError: there is no such payload.
    """

    def read_at(offset: int, length: int) -> bytes:
        with blobs.open(digest, min(offset, size), min(offset + length, size)) as source:
            return source.read(length)

    found = blobs.stat(digest)
    size = found.size
    head = read_at(0, HEAD_BYTES)
    media = sniff(head)
    seen = probe(head, read_at) if media.picture else None
    facts: dict[str, object] = {"sha256": str(digest), "size": size, "mediaType": media.type}
    if media.picture and not media.inline:
        facts["inline"] = False
    return media, facts | ({} if seen is None else seen.facts) | _identity(blobs, digest, media)


def _identity(blobs: BlobStore, digest: Digest, media: Media) -> dict[str, object]:
    """Return the picture identity of a PNG that holds more than its picture: of a card, then."""
    if media.type != "image/png":
        return {}
    try:
        with blobs.open(digest) as source:
            identity = picture_identity(source)
    except TooLargeError:  # no picture has so many chunks
        return {}
    return {} if identity in (None, digest) else {"pictureIdentity": str(identity)}


def learn(documents: Documents, blobs: BlobStore, digests: Sequence[Digest]) -> list[str]:
    """Write the facts of payloads of one shard anew in one write; what else was known of them stays.

    The caller holds the lock of the shard. Returns why it could not be done, a text a payload, empty where it was; one
    that is gone is done.
    """
    return _each(documents, digests, lambda digest: _learning(blobs, digest))


def record(documents: Documents, blobs: BlobStore, images: ImagesRepository, digests: Sequence[Digest]) -> list[str]:
    """Make records for those payloads of one shard that none names, for the first user, in one write; as `learn`.

    Nothing happens where there is no user.
    """
    first = documents.first("user")
    if first is None:
        return [""] * len(digests)

    def recording(digest: Digest) -> Change | None:
        return None if images.names(digest) else put("asset", _drafted(blobs, images, digest, first.key))

    return _each(documents, digests, recording)


def _each(documents: Documents, digests: Sequence[Digest], change: Callable[[Digest], Change | None]) -> list[str]:
    errors = dict.fromkeys(digests, "")
    changes: dict[Digest, Change] = {}
    for digest in digests:
        try:
            made = change(digest)
        except NotFoundError:
            continue
        except CalotypeError as error:
            errors[digest] = error.message
        except OSError as error:  # the disk does not give its bytes
            errors[digest] = f"{digest} cannot be read: {error.strerror}."
        else:
            if made is not None:
                changes[digest] = made
    results = documents.each(list(changes.values())) if changes else []
    for digest, result in zip(changes, results, strict=True):
        if isinstance(result, CalotypeError):
            errors[digest] = result.message
    return list(errors.values())


def _learning(blobs: BlobStore, digest: Digest) -> Change:
    _, facts = look(blobs, digest)
    path = blobs.stat(digest).path
    stored = None if path is None else timestamp(datetime.fromtimestamp(path.stat().st_mtime, UTC))
    first = {} if stored is None else {"firstStoredAt": stored}

    def edit(record: Record | None) -> Record:
        return to_be_seen({**first, **(record or {}), **facts})

    return Change("fact", digest, edit)


def _drafted(blobs: BlobStore, images: ImagesRepository, digest: Digest, owner: str) -> Record:
    media, facts = look(blobs, digest)
    shape = {name: facts[name] for name in ("width", "height") if name in facts}
    return images.draft(
        sha256=str(digest),
        type="image" if media.picture else "chat_file",
        userId=owner,
        filename=f"{digest[:12]}.{media.extension}",
        mimeType=media.type,
        size=facts["size"],
        source="import",
        tags=[],
        **shape,
    )
