"""Parts of a file as files of their own, read while they are read: nothing is copied into memory or elsewhere."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, BinaryIO, Final

from .text import strict_base64

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_BLOCK: Final = 64 * 1024
# A multiple of four that decodes to a multiple of three.
_BASE64_BLOCK: Final = 64 * 1024


def size_of(source: BinaryIO) -> int:
    """Return how many bytes a seekable file has."""
    return source.seek(0, io.SEEK_END)


def read_at(source: BinaryIO, offset: int, length: int) -> bytes:
    """Return up to `length` bytes from `offset`; fewer only at the end."""
    source.seek(offset)
    return source.read(length)


class Part(io.RawIOBase):
    """A range of another file. Closing it leaves the other open; the two may be read in turns, not at once.

    Args:
        source: the other file.
        start: where the range begins.
        length: its bytes.
    """

    def __init__(self, source: BinaryIO, start: int, length: int) -> None:
        self._source = source
        self._start = start
        self._length = length
        self._at = 0

    def readable(self) -> bool:
        """Say yes."""
        return True

    def seekable(self) -> bool:
        """Say yes."""
        return True

    def tell(self) -> int:
        """Return where the next byte is read."""
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go elsewhere in the range, as every file does."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._length}[whence]
        self._at = max(0, base + offset)
        return self._at

    def readinto(self, buffer: WriteableBuffer) -> int:
        """Read on, up to the end of the range."""
        view = memoryview(buffer).cast("B")
        data = read_at(self._source, self._start + self._at, max(0, min(len(view), self._length - self._at)))
        view[: len(data)] = data
        self._at += len(data)
        return len(data)


class Base64Part(io.RawIOBase):
    """The bytes that a range of base64 text stands for.

    Args:
        source: the file with the text.
        start: where the text begins.
        length: its bytes.

    Raises:
        DamagedCardError: while reading: the text is not base64.
    """

    def __init__(self, source: BinaryIO, start: int, length: int) -> None:
        self._text = Part(source, start, length)
        self._kept = b""  # base64 short of a group of four
        self._ready = b""

    def readable(self) -> bool:
        """Say yes."""
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        """Read on."""
        view = memoryview(buffer).cast("B")
        while not self._ready and self._more():
            pass
        count = min(len(view), len(self._ready))
        view[:count] = self._ready[:count]
        self._ready = self._ready[count:]
        return count

    def _more(self) -> bool:
        block = self._text.read(_BASE64_BLOCK) or b""
        text = self._kept + block.translate(None, b" \t\r\n\0")
        whole = len(text) if not block else len(text) // 4 * 4
        self._kept = text[whole:]
        self._ready = strict_base64(text[:whole])
        return bool(block)


def part_of(source: BinaryIO, start: int, length: int) -> BinaryIO:
    """Open a range of a file as a file."""
    return io.BufferedReader(Part(source, start, length), _BLOCK)


def base64_part_of(source: BinaryIO, start: int, length: int) -> BinaryIO:
    """Open what a range of base64 text in a file stands for, as a file; it cannot be sought in."""
    return io.BufferedReader(Base64Part(source, start, length), _BLOCK)
