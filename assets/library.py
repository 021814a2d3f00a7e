"""The library: payloads and the records that name them, as one thing for the floor above.

A payload comes first and its record second, so that no record ever names bytes that are not durable; both under the
lock of the payload's shard, so that whatever removes payloads cannot come between.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack, suppress
from typing import TYPE_CHECKING, BinaryIO

from metadata.errors import CalotypeError, NotFoundError
from metadata.repositories.facts import Noted

from .digest import Digest
from .images.headers import probe
from .media import Media, media_named, sniff
from .upload import Payload, Stored, Upload

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from metadata.documents.contract import Change, Documents, Record
    from metadata.repositories.facts import FactsRepository
    from metadata.repositories.images import ImagesRepository
    from metadata.repositories.tags import TagsRepository
    from metadata.schemas.assets import Asset

    from .blobs.base import BlobStat, BlobStore, Staged, Staging
    from .disposal import Disposal
    from .room import Room

__all__ = ["Library", "Payload", "Shards", "Stored", "Upload"]

Shards = Callable[[int], AbstractContextManager[object]]
"""From a digest's first byte to its shard's lock, held while the context lasts."""

TRUSTED_S = 30 * 86_400.0
"""How long a stored copy is taken for sound when the same bytes are uploaded, in seconds since it was hashed."""

_HEAD = 64 * 1024


class Library:
    """Takes payloads in and gives them out.

    Args:
        documents: where the records live; its gate is held around what touches both.
        blobs: where the payloads live.
        shards: the payloads' locks.
        room: says whether there is room for more.
        images, facts, tags: the repositories over `documents`.
        disposal: the trash and what goes with it; None for a store without one.
        trusted_s: how long a stored copy is taken for sound after it was hashed, seconds.
    """

    def __init__(  # noqa: PLR0913 - each is a part of the store that tests put in by itself
        self,
        documents: Documents,
        blobs: BlobStore,
        shards: Shards,
        room: Room,
        *,
        images: ImagesRepository,
        facts: FactsRepository,
        tags: TagsRepository,
        disposal: Disposal | None = None,
        trusted_s: float = TRUSTED_S,
    ) -> None:
        self.blobs = blobs
        self.images = images
        self._documents = documents
        self._shards = shards
        self._room = room
        self._facts = facts
        self._tags = tags
        self._disposal = disposal
        self._trusted_s = trusted_s
        self._missing: set[Digest] = set()

    @property
    def missing(self) -> int:
        """How many recorded payloads were asked for and found absent since this process began."""
        return len(self._missing)

    def receive(self) -> Staging:
        """Begin an upload.

        Raises:
            FullError: there is no room for any.
        """
        self._room.check()
        return self.blobs.stage()

    def store(self, staged: Staged, upload: Upload) -> Stored:
        """Publish staged bytes and record them; the staged bytes are used up, whatever happens.

        Raises:
            ConflictError, InvalidError: not the expected digest; no bytes, or a field is wrong.
            FullError: no room.
        """
        try:
            upload.check(staged.digest, staged.size)
            media = sniff(staged.head, filename=upload.filename)
            seen = probe(staged.head, staged.read_at) if media.picture else None  # perhaps slowly: before any lock
            told = {} if seen is None else seen.facts
            with self._tags.resolving(upload.user_id, upload.tags) as tags, self._shards(staged.digest.shard):
                return self._record(staged, upload, media, told, *tags)
        finally:
            staged.discard()

    def publish(self, staged: Staged, facts: Mapping[str, object], *, durable: bool = False) -> bool:
        """Give staged bytes their name and note what they told; the gate and the shard's lock are held.

        Returns whether they were not there before.
        """
        return self.publish_all([(staged, facts)], durable=durable)[0]

    def publish_all(
        self, several: Sequence[tuple[Staged, Mapping[str, object]]], *, durable: bool = False
    ) -> list[bool]:
        """Publish as `publish` does, all or nothing, with one write for the notes; the locks of all shards are held."""
        fresh: list[bool] = []
        notes: list[Noted] = []
        try:
            for staged, facts in several:
                self._take_back(staged.digest)
                doubted = not self._facts.trusted(staged.digest, self._trusted_s)
                fresh.append(self.blobs.publish(staged, durable=durable, doubted=doubted))
                notes.append(Noted(staged.digest, facts, hashed=fresh[-1] or doubted))
            self._facts.note_uploads(notes)
        except CalotypeError:
            self.withdraw(staged.digest for (staged, _), new in zip(several, fresh, strict=False) if new)
            raise
        return fresh

    def withdraw(self, digests: Iterable[Digest]) -> None:
        """Remove payloads that were published just now for a record that was then refused; the shards are held."""
        for digest in digests:
            if not self.images.is_live(digest):
                self._remove(digest)

    def find(self, digest: Digest) -> Payload:
        """Return a live payload: one that a record names or mentions; from the trash, if it is there.

        Raises:
            NotFoundError: it is not live, or its bytes are missing or cut short (counted in `missing`).
        """
        if not self.images.is_live(digest):
            raise _absent(digest)
        found = self._stat(digest) or self._healed(digest)
        fact = self._facts.find_by_id(digest)
        if found is None or (fact is not None and fact.size != found.size):
            self._missing.add(digest)
            raise _absent(digest)
        self._missing.discard(digest)
        recorded = "" if fact is None else fact.media_type or ""
        media = media_named(recorded, inline=fact is None or fact.inline is not False)
        return Payload(digest, found.size, media or self._look(digest), self._filename(digest), found.path)

    def open(self, digest: Digest, start: int = 0, end: int | None = None) -> BinaryIO:
        """Open a payload's bytes, or a range of them; see `BlobStore.open`."""
        return self.blobs.open(digest, start, end)

    def missing_of(self, digests: Sequence[Digest], *, owner: str | None) -> list[Digest]:
        """Return those of the digests that no record of this owner names, and those whose bytes are gone or rotten."""
        sound = (each for each in digests if self._stat(each) is not None and not self._facts.rotten(each))
        held = {each for each in sound if self.images.names(each, owner=owner)}
        return [each for each in digests if each not in held]

    def forget(
        self,
        asset_id: str,
        *,
        owner: str | None = None,
        if_match: str | None = None,
        force: bool = False,
        purge: bool = False,
    ) -> None:
        """Delete a record; its payload goes with the garbage collection, or (`purge`) at once if nothing needs it.

        Raises:
            NotFoundError: there is no such record, or it is not this owner's.
            ConflictError, StaleError: it is still used, or `if_match` is not its version.
            UnreadableError, BusyError: with `purge`: something that may name the payload cannot be read, or a backup
                is being taken. The record is still there.
        """
        with ExitStack() as held:
            if purge and self._disposal is not None:
                held.enter_context(self._disposal.lease())
            held.enter_context(self._documents.guard(exclusive=True))
            asset = self.images.get(asset_id, owner=owner)
            if purge and self._disposal is not None:
                self._disposal.check()
            self.images.delete(asset_id, owner=owner, if_match=if_match, force=force)
            if purge:
                self._purge(Digest(asset.sha256))

    def restore(self, asset_id: str, *, owner: str | None = None) -> Asset:
        """Bring back a deleted record whose payload is still there, or in the trash.

        Raises:
            NotFoundError, ConflictError: it is gone for good or was not this owner's; it is not deleted.
        """
        with self._documents.guard():
            body = self.images.buried(asset_id, owner=owner)
            digest = Digest(str(body["sha256"]))
            with self._shards(digest.shard):
                self._take_back(digest)
                self.blobs.stat(digest)
                return self.images.restore(asset_id, owner=owner)

    def _record(
        self,
        staged: Staged,
        upload: Upload,
        media: Media,
        seen: Mapping[str, object],
        tags: list[str],
        new: list[Change],
    ) -> Stored:
        asset_type = upload.type or ("image" if media.picture else "chat_file")
        digest, size = staged.digest, staged.size
        hidden = {"inline": False} if media.picture and not media.inline else {}
        shape = {name: seen[name] for name in ("width", "height") if name in seen}
        # Drafted before anything is published, so that a wrong field leaves nothing behind.
        record = self.images.draft(**upload.record(digest, size, media, asset_type, tags), **shape)
        same = self.images.find_same(upload.user_id, digest, asset_type, upload.links)
        facts = {"size": size, "mediaType": media.type, **hidden, **seen}
        fresh = self.publish(staged, facts, durable=same is not None)
        if same is not None:
            return Stored(self._with_tags(same, tags, new), duplicate=True, fresh=fresh)
        return Stored(self._add(record, new, digest, fresh=fresh), duplicate=False, fresh=fresh)

    def _add(self, record: Record, new: list[Change], digest: Digest, *, fresh: bool) -> Asset:
        try:
            return self.images.add(record, new)
        except CalotypeError:
            # The record was refused (a link to nothing, say): bytes that came only for it go again.
            self.withdraw([digest] if fresh else [])
            raise

    def _with_tags(self, asset: Asset, tags: list[str], new: list[Change]) -> Asset:
        if set(tags) <= set(asset.tags):
            return asset
        return self.images.edit_tagged(
            asset.id, lambda current: current.replaced(tags=list(dict.fromkeys([*current.tags, *tags]))), new
        )

    def _take_back(self, digest: Digest) -> None:
        """Have a payload back from the trash, if it is there; the shard's lock is held."""
        if self._disposal is not None:
            self._disposal.trash.take_back(digest)

    def _healed(self, digest: Digest) -> BlobStat | None:
        """Return what is known of a live payload that was missing, once it is back from the trash; None: it is not.

        A record may come to mention a hash after the payload was moved away; it is live from then on.
        """
        if self._disposal is None or not self._disposal.trash.of(digest):
            return None
        with self._documents.guard(), self._shards(digest.shard):
            self._take_back(digest)
            return self._stat(digest)

    def _stat(self, digest: Digest) -> BlobStat | None:
        try:
            return self.blobs.stat(digest)
        except NotFoundError:
            return None

    def _look(self, digest: Digest) -> Media:
        with self.blobs.open(digest, 0, _HEAD) as source:
            return sniff(source.read(_HEAD))

    def _filename(self, digest: Digest) -> str | None:
        first = self.images.first_named(digest)
        return None if first is None else first.filename

    def _remove(self, digest: Digest) -> None:
        with suppress(NotFoundError):
            self.blobs.remove(digest)
        self._facts.forget(digest)

    def _purge(self, digest: Digest) -> None:
        with self._shards(digest.shard):
            if self.images.is_live(digest) or (self._disposal is not None and self._disposal.keeps(digest)):
                return
            self._remove(digest)
            if self._disposal is not None:
                self._disposal.trash.doom(self._disposal.trash.of(digest))
                self._disposal.trash.clear()


def _absent(digest: Digest) -> NotFoundError:
    return NotFoundError(f"There is no payload {digest}.", object=str(digest))
