"""Boxes of the ISO base media file format (ISO/IEC 14496-12), which HEIF, AVIF and JPEG 2000 are made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from .source import DamagedError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .source import Source

_MAX_BOXES: Final = 512
_LARGE: Final = 1
_TO_THE_END: Final = 0
_END: Final = 1 << 62


@dataclass(frozen=True, slots=True)
class Box:
    """A box of a file.

    Attributes:
        name: its four characters.
        start: the offset of its contents.
        end: the offset behind them.
    """

    name: bytes
    start: int
    end: int


def boxes(source: Source, start: int = 0, end: int = _END) -> Iterator[Box]:
    """Yield the boxes that lie between two offsets, at most 512, none reaching over its parent.

    Raises:
        DamagedError: a box is smaller than its own header, or larger than its parent.
    """
    for _ in range(_MAX_BOXES):
        if start >= end:
            return
        length, name = source.unpack(">I4s", start)
        header = 8
        if length == _LARGE:
            (length,) = source.unpack(">Q", start + 8)
            header = 16
        stop = end if length == _TO_THE_END else start + length
        if stop < start + header or stop > end:
            raise DamagedError
        yield Box(name, start + header, stop)
        start = stop


def find_box(source: Source, parent: Box | None, name: bytes) -> Box:
    """Return the first box of a name inside a parent (None: the file).

    Raises:
        DamagedError: there is none.
    """
    found = boxes(source) if parent is None else boxes(source, parent.start, parent.end)
    for box in found:
        if box.name == name:
            return box
    raise DamagedError
