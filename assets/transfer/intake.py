"""Payloads for importers: every byte hashed here, stored once, and the record written while the payload is held.

The order is the library's: payload first, then the record that names it, both under the lock of the payload's shard.
"""

from __future__ import annotations

from contextlib import ExitStack, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from metadata.errors import CalotypeError, InvalidError, NotFoundError, UnreadableError

from ..blobs.base import HEAD_BYTES
from ..digest import Digest, Hasher
from ..images.headers import probe
from ..media import sniff
from .sources import opened

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from metadata.documents.contract import Documents, Record

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
        limit: the largest payload, in bytes.
    """

    def __init__(self, documents: Documents, library: Library, shards: Shards, *, limit: int) -> None:
        self._documents = documents
        self._library = library
        self._shards = shards
        self._limit = limit

    def look(self, path: Path, filename: str) -> Seen:
        """Read a whole file and say what it is; nothing is stored.

        Raises:
            NotFoundError, UnreadableError: it is not there, or cannot be read.
            InvalidError: it is empty or too large, or no regular file.
        """
        hasher, head = Hasher(), bytearray()
        with opened(path) as source:
            for chunk in self._chunks(source, path.name):
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
        with opened(path) as source:
            staged = self.stage(source, path.name)
        self.keep([(staged, filename, {})], lambda seen: write(seen[0]))

    def stage(self, source: BinaryIO, name: str) -> Staged:
        """Read bytes to their end and make them durable; whoever gets the result keeps or discards it.

        Args:
            source: where they come from.
            name: what messages call them.

        Raises:
            FullError: there is no room.
            InvalidError: they are none, or too many.
            UnreadableError: they cannot be read.
        """
        with self._library.receive() as staging:
            for chunk in self._chunks(source, name):
                staging.write(chunk)
            return staging.finish()

    def keep(
        self,
        several: Sequence[tuple[Staged, str, Mapping[str, object]]],
        write: Callable[[Sequence[Seen]], None],
    ) -> None:
        """Publish staged bytes, and have the records written that name them; the staged bytes are used up.

        Args:
            several: staged bytes, each with what it is called and with facts that its bytes do not tell by themselves.
                Not many: the locks of all their shards are held together.
            write: stores the records; what it raises is raised, and bytes that came for them alone go again.

        Raises:
            FullError: there is no room.
            CalotypeError: what `write` raised.
        """
        try:
            seen = [self.seen(staged, filename, told) for staged, filename, told in several]
            with ExitStack() as held:
                held.enter_context(self._documents.guard())
                for shard in sorted({staged.digest.shard for staged, _, _ in several}):
                    held.enter_context(self._shards(shard))
                staged = [one for one, _, _ in several]
                fresh = self._library.publish_all(list(zip(staged, (one.facts for one in seen), strict=True)))
                try:
                    write(seen)
                except CalotypeError:
                    self._library.withdraw(one.digest for one, new in zip(staged, fresh, strict=True) if new)
                    raise
        finally:
            for one, _, _ in several:
                one.discard()

    def seen(self, staged: Staged, filename: str, told: Mapping[str, object] | None = None) -> Seen:
        """Return what staged bytes are, with what else is told of them."""
        seen = _seen(staged.digest, staged.size, staged.head, staged.read_at, filename)
        return Seen(seen.digest, {**seen.facts, **(told or {})})

    def _chunks(self, source: BinaryIO, name: str) -> Iterator[bytes]:
        size = 0
        while chunk := _chunk(source, name):
            size += len(chunk)
            if size > self._limit:
                raise InvalidError(
                    f"{name} is larger than {self._limit} bytes. Raise CALOTYPE_MAX_UPLOAD_BYTES and run the "
                    "import again.",
                    setting="CALOTYPE_MAX_UPLOAD_BYTES",
                )
            yield chunk
        if not size:
            raise InvalidError(f"{name} is empty; there is nothing to store.")


def _chunk(source: BinaryIO, name: str) -> bytes:
    try:
        return source.read(_CHUNK_BYTES)
    except OSError as error:
        raise UnreadableError(f"{name} cannot be read: {error.strerror}.", file=name) from error


def _seen(digest: Digest, size: int, head: bytes, read_at: Callable[[int, int], bytes], filename: str) -> Seen:
    media = sniff(head, filename=filename)
    probed = probe(head, read_at) if media.picture else None
    hidden = {"inline": False} if media.picture and not media.inline else {}
    told = {} if probed is None else probed.facts
    return Seen(digest, {"size": size, "mediaType": media.type, **hidden, **told})
