"""Reading files piece by piece and hashing them on the way."""

from __future__ import annotations

import hashlib
import os
import stat
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from metadata.errors import UnreadableError
from metadata.files.trouble import told

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from metadata.files.filesystem import FileSystem

PIECE = 1024 * 1024
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK


class Readable(Protocol):
    """Anything that gives bytes piece by piece."""

    def read(self, length: int, /) -> bytes:
        """Return up to `length` bytes; none at the end."""


class Opened:
    """A file of a folder, open for reading.

    Attributes:
        descriptor: open for reading.
        size: bytes, when it was opened.
    """

    def __init__(self, fs: FileSystem, path: Path, descriptor: int, size: int) -> None:
        self._fs = fs
        self._path = path
        self.descriptor = descriptor
        self.size = size

    def read(self, length: int, /) -> bytes:
        """Return up to `length` bytes; none at the end.

        Raises:
            UnreadableError: the system refused; told here, so that it is not taken for a failure of what they go to.
        """
        with told(self._path, "read"):
            return self._fs.read(self.descriptor, length)

    def stat(self) -> os.stat_result:
        """Return what is known about the file now."""
        return self._fs.fstat(self.descriptor)

    def part(self, start: int, end: int) -> Part:
        """Return the bytes between two offsets, to be read once."""
        return Part(self._fs, self.descriptor, start, end)


class Part:
    """The bytes of an open file between two offsets."""

    def __init__(self, fs: FileSystem, descriptor: int, start: int, end: int) -> None:
        self._fs = fs
        self._descriptor = descriptor
        self._at = start
        self._end = end

    def read(self, length: int, /) -> bytes:
        """Return up to `length` bytes; none at the end."""
        piece = self._fs.pread(self._descriptor, min(length, self._end - self._at), self._at)
        self._at += len(piece)
        return piece


@contextmanager
def opened(fs: FileSystem, path: Path) -> Iterator[Opened]:
    """Open a plain file for reading, no symbolic link.

    Raises:
        OSError: it cannot be opened.
        UnreadableError: it is something else than a file.
    """
    descriptor = fs.open(path, _READ)
    try:
        found = fs.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise UnreadableError(f"{path} is not a file.", path=str(path))
        yield Opened(fs, path, descriptor, found.st_size)
    finally:
        fs.close(descriptor)


def pieces(source: Readable) -> Iterator[bytes]:
    """Yield what is left of a source."""
    while piece := source.read(PIECE):
        yield piece


def copy(source: Readable, size: int, write: Callable[[bytes], object]) -> str | None:
    """Hand on exactly `size` bytes and return their SHA-256; None when the source has fewer or more.

    Never more than `size` bytes are handed on, whatever the source has.
    """
    digest, left = hashlib.sha256(), size
    while left and (piece := source.read(min(PIECE, left))):
        digest.update(piece)
        write(piece)
        left -= len(piece)
    return None if left or source.read(1) else digest.hexdigest()


def sha256_of(source: Readable, size: int) -> str | None:
    """Return the SHA-256 of a source of exactly `size` bytes; None when it has fewer or more."""
    return copy(source, size, lambda _: None)
