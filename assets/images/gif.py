"""GIF's logical screen (GIF89a), enlarged to the first frame where that is larger, as browsers and Pillow do."""

from __future__ import annotations

from typing import Final

from .source import DamagedError, Size, Source

_SCREEN_BYTES: Final = 13
_EXTENSION: Final = 0x21
_FRAME: Final = 0x2C
_TABLE_FLAG: Final = 0x80


def measure_gif(source: Source) -> Size:
    """Return the size of the canvas.

    Raises:
        DamagedError: no screen descriptor.
    """
    width, height, flags = source.unpack("<HHB", 6)
    try:
        left, top, frame_width, frame_height = _first_frame(source, _SCREEN_BYTES + _table_bytes(flags))
    except DamagedError:
        return Size(width, height)
    return Size(max(width, left + frame_width), max(height, top + frame_height))


def _table_bytes(flags: int) -> int:
    return 3 << ((flags & 7) + 1) if flags & _TABLE_FLAG else 0


def _first_frame(source: Source, offset: int) -> tuple[int, int, int, int]:
    """Return left, top, width and height of the first image descriptor, passing over the extensions before it."""
    while True:
        (kind,) = source.read(offset, 1)
        if kind == _FRAME:
            left, top, width, height = source.unpack("<HHHH", offset + 1)
            return left, top, width, height
        if kind != _EXTENSION:
            raise DamagedError
        offset += 2
        while (length := source.read(offset, 1)[0]) != 0:
            offset += 1 + length
        offset += 1
