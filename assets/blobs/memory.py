"""Payloads in memory: for tests and for a store without a folder."""

from __future__ import annotations

import io
from threading import Lock
from typing import TYPE_CHECKING, BinaryIO

from metadata.errors import InternalError, NotFoundError, UnsupportedError

from .base import BlobStat, Spool, Staged, Staging, clip

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ..digest import Digest


class MemorySpool(Spool):
    """Staged bytes in a growing array."""

    def __init__(self) -> None:
        self._data = bytearray()

    def append(self, chunk: bytes | memoryview) -> None:
        """Keep the chunk."""
        self._data += chunk

    def seal(self) -> None:
        """Do nothing: memory is as durable as it will ever be."""

    def read_at(self, offset: int, length: int) -> bytes:
        """Return up to `length` bytes from `offset`."""
        return bytes(self._data[offset : offset + length])

    def drop(self) -> None:
        """Forget the bytes."""
        self._data = bytearray()

    def take(self) -> bytes:
        """Return the bytes and forget them."""
        data, self._data = bytes(self._data), bytearray()
        return data


class MemoryBlobs:
    """A `BlobStore` that lasts as long as the object."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._payloads: dict[Digest, bytes] = {}

    def stage(self) -> Staging:
        """Begin an upload."""
        return Staging(MemorySpool())

    def publish(
        self,
        staged: Staged,
        *,
        durable: bool = False,  # noqa: ARG002 - the contract's name
        doubted: bool = False,  # noqa: ARG002 - the contract's name
    ) -> bool:
        """Give staged bytes their name.

        Raises:
            InternalError: the bytes were staged elsewhere, or used up before.
        """
        if not isinstance(staged.spool, MemorySpool):
            raise InternalError("Bytes staged in another store cannot be published here.")
        data = staged.spool.take()
        with self._lock:
            known = self._payloads.get(staged.digest)
            if known is not None and len(known) == staged.size:
                return False
            if len(data) != staged.size:
                raise InternalError("Staged bytes were published or discarded before.")
            self._payloads[staged.digest] = data
        return True

    def open(self, digest: Digest, start: int = 0, end: int | None = None) -> BinaryIO:
        """Open a payload's bytes from `start` to `end`.

        Raises:
            NotFoundError: there is no such payload.
            InvalidError: the range does not lie in the payload.
        """
        data = self._get(digest)
        first, stop = clip(len(data), start, end)
        return io.BytesIO(data[first:stop])

    def stat(self, digest: Digest) -> BlobStat:
        """Return a payload's size.

        Raises:
            NotFoundError: there is no such payload.
        """
        return BlobStat(len(self._get(digest)), None)

    def remove(self, digest: Digest) -> None:
        """Remove a payload.

        Raises:
            NotFoundError: there is no such payload.
        """
        with self._lock:
            if self._payloads.pop(digest, None) is None:
                raise _absent(digest)

    def set_aside(self, digest: Digest) -> None:
        """Forget a payload: there is no place to keep it.

        Raises:
            NotFoundError: there is no such payload.
        """
        self.remove(digest)

    def scan(self) -> Iterator[Digest]:
        """Yield every payload's digest."""
        with self._lock:
            known = list(self._payloads)
        yield from known

    def path(self, digest: Digest) -> Path:
        """Refuse: there are no files.

        Raises:
            NotFoundError: there is no such payload.
            UnsupportedError: always, otherwise.
        """
        self._get(digest)
        raise UnsupportedError("This store keeps payloads in memory and has no paths; open the payload instead.")

    def close(self) -> None:
        """Do nothing: nothing is kept open."""

    def sweep_staging(self, older_than_s: float = 0) -> int:  # noqa: ARG002 - the contract's name
        """Return 0: staged bytes die with their process."""
        return 0

    def abandoned(self, older_than_s: float = 0) -> list[str]:  # noqa: ARG002 - the contract's name
        """Return nothing: staged bytes die with their process."""
        return []

    def _get(self, digest: Digest) -> bytes:
        with self._lock:
            data = self._payloads.get(digest)
        if data is None:
            raise _absent(digest)
        return data


def _absent(digest: Digest) -> NotFoundError:
    return NotFoundError(f"There is no payload {digest}.", sha256=digest)
