"""Windows' bitmaps and icons: BMP's header of any generation, ICO's directory."""

from __future__ import annotations

from typing import Final

from .source import DamagedError, Size, Source, Traits

_OS2_HEADER: Final = 12
_MIN_HEADER: Final = 16
_ALPHA_HEADER: Final = 56
_DEEPEST_PALETTE: Final = 8
_SHORT: Final = 16
_MAX_ICONS: Final = 1024


def measure_bmp(source: Source) -> Size:
    """Return the size; a negative height only says that rows run downwards.

    Raises:
        DamagedError: the header is of no known kind.
    """
    (header,) = source.unpack("<I", 14)
    if header == _OS2_HEADER:
        width, height = source.unpack("<HH", 18)
        return Size(width, height)
    if header < _MIN_HEADER:
        raise DamagedError
    width, height = source.unpack("<ii", 18)
    return Size(width, abs(height))


def look_bmp(source: Source) -> Traits:
    """Return the traits; only a header that has a mask for alpha is believed to have any.

    Raises:
        DamagedError: the header is cut short.
    """
    (header,) = source.unpack("<I", 14)
    (depth,) = source.unpack("<H", 24 if header == _OS2_HEADER else 28)
    mask = source.unpack("<I", 66)[0] if header >= _ALPHA_HEADER else 0
    if depth <= _DEEPEST_PALETTE:
        return Traits("palette", depth, alpha=False)
    return Traits("rgb", 5 if depth == _SHORT else 8, bool(mask))


def look_ico(source: Source) -> Traits:
    """Return the traits of an icon: all of them may be transparent."""
    source.read(0, 6)
    return Traits("rgb", 8, alpha=True)


def measure_ico(source: Source) -> Size:
    """Return the size of the largest picture in the directory.

    Raises:
        DamagedError: the directory is empty or cut short.
    """
    (count,) = source.unpack("<H", 4)
    entries = [source.read(6 + 16 * index, 2) for index in range(min(count, _MAX_ICONS))]
    if not entries:
        raise DamagedError
    sizes = [Size(entry[0] or 256, entry[1] or 256) for entry in entries]
    return max(sizes, key=lambda size: size.width * size.height)
