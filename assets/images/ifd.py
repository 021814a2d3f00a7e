"""TIFF's directories of tags, as TIFF files and EXIF blocks hold them (TIFF 6.0; BigTIFF by Aware Systems)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .source import DamagedError, Size, Source

if TYPE_CHECKING:
    from collections.abc import Mapping

_MAX_ENTRIES: Final = 1024
_WIDTH: Final = 0x0100
_HEIGHT: Final = 0x0101
_ORIENTATION: Final = 0x0112
_WANTED: Final = frozenset({_WIDTH, _HEIGHT, _ORIENTATION})
_NUMBERS: Final = {3: "H", 4: "L", 13: "L", 16: "Q"}  # SHORT, LONG, IFD, LONG8
_CLASSIC: Final = 42
_BIG: Final = 43
_SIDEWAYS_OR_NOT: Final = range(1, 9)
_EXIF_PREFIX: Final = b"Exif\0\0"


def measure_tiff(source: Source) -> Size:
    """Return the size of a TIFF's first picture, orientation applied.

    Raises:
        DamagedError: no such directory, or no size in it.
    """
    tags = _tags(source)
    return Size(tags.get(_WIDTH, 0), tags.get(_HEIGHT, 0)).oriented(tags.get(_ORIENTATION, 1))


def exif_orientation(block: bytes) -> int:
    """Return the orientation (1 to 8) in an EXIF block, with or without its `Exif` prefix; 1 where none is readable."""
    try:
        orientation = _tags(Source(block.removeprefix(_EXIF_PREFIX), None)).get(_ORIENTATION, 1)
    except DamagedError:
        return 1
    return orientation if orientation in _SIDEWAYS_OR_NOT else 1


def _tags(source: Source) -> Mapping[int, int]:
    """Read the wanted single-number tags of the first directory; a directory cut short gives those it still has."""
    mark = source.read(0, 4)
    order = {b"II": "<", b"MM": ">"}.get(mark[:2])
    if order is None:
        raise DamagedError
    (version,) = source.unpack(f"{order}H", 2)
    if version == _CLASSIC:
        (start,) = source.unpack(f"{order}L", 4)
        (count,) = source.unpack(f"{order}H", start)
        return _entries(source, start + 2, min(count, _MAX_ENTRIES), f"{order}HHL", 4)
    if version == _BIG:
        (start,) = source.unpack(f"{order}Q", 8)
        (count,) = source.unpack(f"{order}Q", start)
        return _entries(source, start + 8, min(count, _MAX_ENTRIES), f"{order}HHQ", 8)
    raise DamagedError


def _entries(source: Source, start: int, count: int, layout: str, value_bytes: int) -> Mapping[int, int]:
    found: dict[int, int] = {}
    head_bytes = {4: 8, 8: 12}[value_bytes]
    width = head_bytes + value_bytes
    table = Source(source.read_up_to(start, count * width), None)
    for offset in range(0, count * width, width):
        try:
            tag, kind, number = table.unpack(layout, offset)
            if tag in _WANTED and kind in _NUMBERS and number == 1 and tag not in found:
                (found[tag],) = table.unpack(layout[0] + _NUMBERS[kind], offset + head_bytes)
        except DamagedError:
            break
    return found
