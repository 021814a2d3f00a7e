"""The contract of a payload store, and the staging that is the same for all of them.

A payload enters in three steps. *Staging* takes the bytes as they come, hashes them and writes them where nobody
looks for payloads; *finish* makes them durable; *publish* gives them their name in one step. Until `publish` nothing
can be seen of them, and whatever is dropped before leaves nothing behind.
"""

from __future__ import annotations

import weakref
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, Protocol, Self

from metadata.errors import InternalError, InvalidError

from ..digest import Digest, Hasher

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import TracebackType

HEAD_BYTES = 64 * 1024
"""How much of a payload's start is kept in memory to tell what it is."""


class Spool(ABC):
    """Where a store keeps bytes that have no name yet."""

    @abstractmethod
    def append(self, chunk: bytes | memoryview) -> None:
        """Keep all of the chunk after what is there.

        Raises:
            FullError: no room.
        """

    @abstractmethod
    def seal(self) -> None:
        """Make everything appended durable; nothing is appended afterwards."""

    @abstractmethod
    def read_at(self, offset: int, length: int) -> bytes:
        """Return up to `length` bytes from `offset`; fewer only at the end."""

    @abstractmethod
    def drop(self) -> None:
        """Remove what was kept unless it has been published; doing so again does nothing."""


@dataclass(frozen=True, slots=True)
class BlobStat:
    """What a store knows of a payload without reading it.

    Attributes:
        size: bytes.
        path: the file, where the store has files.
    """

    size: int
    path: Path | None


@dataclass(frozen=True, slots=True, weakref_slot=True)
class Staged:
    """Durable bytes waiting to be published.

    Attributes:
        digest: their SHA-256.
        size: bytes.
        head: the first `HEAD_BYTES` of them.
        spool: where they are; the store's own business.
    """

    digest: Digest
    size: int
    head: bytes
    spool: Spool

    def read_at(self, offset: int, length: int) -> bytes:
        """Return up to `length` bytes from `offset`, for readers of headers that lie behind the head."""
        return self.spool.read_at(offset, length)

    def discard(self) -> None:
        """Drop the bytes; nothing happens to what has been published."""
        self.spool.drop()


class Staging:
    """An upload on its way in: bounded memory, hashed while written, gone without a trace unless finished.

    Use it as a context manager: leaving without `finish` discards. An abandoned object discards when collected.

    Attributes:
        size: the bytes taken so far.
    """

    def __init__(self, spool: Spool) -> None:
        self._spool = spool
        self._hasher = Hasher()
        self._head = bytearray()
        self._open = True
        # The finalizer belongs to the spool's user, not to the spool: it must not keep this object alive.
        self._finalizer = weakref.finalize(self, spool.drop)

    @property
    def size(self) -> int:
        """The bytes taken so far."""
        return self._hasher.size

    def write(self, chunk: bytes | memoryview) -> None:
        """Take the next bytes; on any failure the staging is discarded and the error raised.

        Raises:
            FullError: no room.
            InternalError: the staging is finished or discarded.
        """
        if not self._open:
            raise InternalError("Bytes were written to a staging that is finished or discarded.")
        try:
            self._spool.append(chunk)
        except BaseException:
            self.discard()
            raise
        self._hasher.update(chunk)
        if (room := HEAD_BYTES - len(self._head)) > 0:
            self._head += chunk[:room]

    def finish(self) -> Staged:
        """Make the bytes durable and name them by their hash; whoever gets the result publishes or discards it.

        Raises:
            FullError: no room.
            InternalError: the staging is finished or discarded.
        """
        if not self._open:
            raise InternalError("A staging was finished twice, or after it was discarded.")
        try:
            self._spool.seal()
        except BaseException:
            self.discard()
            raise
        self._open = False
        self._finalizer.detach()
        staged = Staged(self._hasher.digest(), self._hasher.size, bytes(self._head), self._spool)
        weakref.finalize(staged, self._spool.drop)
        return staged

    def discard(self) -> None:
        """Drop the bytes, unless `finish` has handed them on; doing so again does nothing."""
        if self._open:
            self._open = False
            self._finalizer()

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Discard unless finished."""
        self.discard()


class BlobStore(Protocol):
    """Payloads by digest. Every method is safe to call from several threads and processes at once."""

    def stage(self) -> Staging:
        """Begin an upload."""

    def publish(self, staged: Staged, *, durable: bool = False, doubted: bool = False) -> bool:
        """Give staged bytes their name; the caller holds the lock of the digest's shard.

        Args:
            staged: what `finish` returned on this store; it is used up either way.
            durable: a durable record already names the payload, so a payload already there needs no more syncing.
            doubted: hash a payload that is already there before it is taken for the same.

        Returns:
            True when the bytes were put in place, False when the same payload was there already. Something of another
            size or, if doubted, another hash under the name is damage: it is set aside and the sound bytes take its
            place (True).
        """

    def open(self, digest: Digest, start: int = 0, end: int | None = None) -> BinaryIO:
        """Open a payload's bytes from `start` up to, not including, `end` (clipped to the payload's size).

        Raises:
            NotFoundError: there is no such payload.
            InvalidError: the range begins behind the end of the payload, or ends before it begins.
        """

    def stat(self, digest: Digest) -> BlobStat:
        """Return a payload's size and path.

        Raises:
            NotFoundError: there is no such payload.
        """

    def remove(self, digest: Digest) -> None:
        """Remove a payload in one step; the caller holds the shard's lock.

        Raises:
            NotFoundError: there is no such payload.
        """

    def set_aside(self, digest: Digest) -> None:
        """Take a payload out of the store and keep its bytes for a person; the caller holds the shard's lock.

        Raises:
            NotFoundError: there is no such payload.
        """

    def scan(self) -> Iterator[Digest]:
        """Yield the digest of every payload, in no particular order."""

    def path(self, digest: Digest) -> Path:
        """Return the payload's file, for a caller that hands a path on.

        Raises:
            NotFoundError: there is no such payload.
            UnsupportedError: this store has no files.
        """

    def close(self) -> None:
        """Let go of what is kept open for uploads; those in progress keep what they need, later ones take it anew."""

    def sweep_staging(self, older_than_s: float = 0) -> int:
        """Remove what dead processes left while staging, if it is older than that; return how many."""

    def abandoned(self, older_than_s: float = 0) -> list[str]:
        """Return the names of what `sweep_staging` would remove."""


def clip(size: int, start: int, end: int | None) -> tuple[int, int]:
    """Fit a half-open range to a payload of `size` bytes.

    Raises:
        InvalidError: the range begins behind the end of the payload, or ends before it begins.
    """
    stop = size if end is None else min(end, size)
    if not 0 <= start <= stop:
        raise InvalidError(f"Bytes {start} to {end} do not lie in a payload of {size} bytes.", size=size)
    return start, stop
