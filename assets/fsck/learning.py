"""What a payload's bytes tell again, when the files that knew it are gone: its facts, and a record for it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from metadata.clock import timestamp
from metadata.documents.contract import Change
from metadata.repositories.facts import to_be_seen

from ..images.headers import probe
from ..media import HEAD_BYTES, sniff

if TYPE_CHECKING:
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
    return media, facts | ({} if seen is None else seen.facts)


def learn(documents: Documents, blobs: BlobStore, digest: Digest) -> None:
    """Write a payload's facts anew; what else was known of it stays. The caller holds the lock of its shard.

    Raises:
        NotFoundError: there is no such payload.
    """
    _, facts = look(blobs, digest)
    path = blobs.stat(digest).path
    stored = None if path is None else timestamp(datetime.fromtimestamp(path.stat().st_mtime, UTC))
    first = {} if stored is None else {"firstStoredAt": stored}

    def edit(record: Record | None) -> Record:
        return to_be_seen({**first, **(record or {}), **facts})

    documents.apply([Change("fact", digest, edit)])


def record(documents: Documents, blobs: BlobStore, images: ImagesRepository, digest: Digest) -> bool:
    """Make a record for a payload that none names, for the first user; False when one names it or there is no user.

    The caller holds the lock of its shard.

    Raises:
        NotFoundError: there is no such payload.
    """
    first = documents.first("user")
    if first is None or images.names(digest):
        return False
    media, facts = look(blobs, digest)
    shape = {name: facts[name] for name in ("width", "height") if name in facts}
    images.add(
        images.draft(
            sha256=str(digest),
            type="image" if media.picture else "chat_file",
            userId=first.key,
            filename=f"{digest[:12]}.{media.extension}",
            mimeType=media.type,
            size=facts["size"],
            source="import",
            tags=[],
            **shape,
        )
    )
    return True
