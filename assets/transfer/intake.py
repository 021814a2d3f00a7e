"""Payloads for importers: every byte hashed here, stored once, and the record written while the payload is held.

The order is the library's: payload first, then the record that names it, both under the lock of the payload's shard.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from metadata.errors import CalotypeError, InvalidError, NotFoundError, UnreadableError

from ..blobs.base import HEAD_BYTES
from ..digest import Digest, Hasher
from ..images.headers import probe
from ..media import sniff
from .sources import opened

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from metadata.documents.contract import Documents, Record
    from metadata.repositories.facts import FactsRepository

    from ..blobs.base import Staged
    from ..library import Library, Shards

_CHUNK_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class Seen:
    """What the bytes of a file are, whatever anybody recorded of them.

    Attributes:
        digest: their SHA-256.
        facts: `size`, `mediaType` and, where they apply, `inline`, `width`, `height` and more: the payload's facts.
    """

    digest: Digest
    facts: dict[str, object]

    def members(self) -> Record:
        """Return the members that an asset's record has of its payload."""
        shape: Record = {name: self.facts[name] for name in ("width", "height") if name in self.facts}
        return {
            "sha256": str(self.digest),
            "relativePath": f"binaries/{self.digest}/raw",
            "mimeType": self.facts["mediaType"],
            "size": self.facts["size"],
            **shape,
        }


class Intake:
    """Takes payloads in, each with the record that names it.

    Args:
        documents: where the records live; its gate is held around what touches both.
        library: where the payloads go.
        shards: the payloads' locks.
        facts: what is known of payloads.
        limit: the largest payload, in bytes.
    """

    def __init__(
        self, documents: Documents, library: Library, shards: Shards, facts: FactsRepository, *, limit: int
    ) -> None:
        self._documents = documents
        self._library = library
        self._shards = shards
        self._facts = facts
        self._limit = limit

    def look(self, path: Path, filename: str) -> Seen:
        """Read a whole file and say what it is; nothing is stored.

        Raises:
            NotFoundError, UnreadableError: it is not there, or cannot be read.
            InvalidError: it is empty or too large, or no regular file.
        """
        hasher, head = Hasher(), bytearray()
        with opened(path) as source:
            for chunk in self._chunks(source, path):
                hasher.update(chunk)
                if (room := HEAD_BYTES - len(head)) > 0:
                    head += chunk[:room]

            def read_at(offset: int, length: int) -> bytes:
                source.seek(offset)
                return source.read(length)

            return _seen(hasher.digest(), hasher.size, bytes(head), read_at, filename)

    def has(self, digest: Digest) -> bool:
        """Tell whether the bytes are here."""
        with suppress(NotFoundError):
            self._library.blobs.stat(digest)
            return True
        return False

    def take(self, path: Path, filename: str, write: Callable[[Seen], None]) -> None:
        """Store a file's bytes, and have the record written that names them.

        Args:
            path: the file.
            filename: what it is called.
            write: stores the record; what it raises is raised, and bytes that came for it alone go again.

        Raises:
            FullError: there is no room.
            CalotypeError: as `look`, or what `write` raised.
        """
        staged = self._staged(path)
        try:
            seen = _seen(staged.digest, staged.size, staged.head, staged.read_at, filename)
            with self._documents.guard(), self._shards(staged.digest.shard):
                fresh = self._library.publish(staged, seen.facts)
                self._write(seen, write, fresh=fresh)
        finally:
            staged.discard()

    def _write(self, seen: Seen, write: Callable[[Seen], None], *, fresh: bool) -> None:
        try:
            write(seen)
        except CalotypeError:
            if fresh and not self._library.images.is_live(seen.digest):
                with suppress(NotFoundError):
                    self._library.blobs.remove(seen.digest)
                self._facts.forget(seen.digest)
            raise

    def _staged(self, path: Path) -> Staged:
        with opened(path) as source, self._library.receive() as staging:
            for chunk in self._chunks(source, path):
                staging.write(chunk)
            return staging.finish()

    def _chunks(self, source: BinaryIO, path: Path) -> Iterator[bytes]:
        size = 0
        while chunk := _chunk(source, path):
            size += len(chunk)
            if size > self._limit:
                raise InvalidError(
                    f"{path.name} is larger than {self._limit} bytes. Raise CALOTYPE_MAX_UPLOAD_BYTES and run the "
                    "import again.",
                    setting="CALOTYPE_MAX_UPLOAD_BYTES",
                )
            yield chunk
        if not size:
            raise InvalidError(f"{path.name} is empty; there is nothing to store.")


def _chunk(source: BinaryIO, path: Path) -> bytes:
    try:
        return source.read(_CHUNK_BYTES)
    except OSError as error:
        raise UnreadableError(f"{path} cannot be read: {error.strerror}.", file=str(path)) from error


def _seen(digest: Digest, size: int, head: bytes, read_at: Callable[[int, int], bytes], filename: str) -> Seen:
    media = sniff(head, filename=filename)
    probed = probe(head, read_at) if media.picture else None
    hidden = {"inline": False} if media.picture and not media.inline else {}
    told = {} if probed is None else probed.facts
    return Seen(digest, {"size": size, "mediaType": media.type, **hidden, **told})
