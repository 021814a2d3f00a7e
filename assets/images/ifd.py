"""TIFF's directories of tags, as TIFF files and EXIF blocks hold them (TIFF 6.0; BigTIFF by Aware Systems)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .source import DamagedError, Size, Source, Traits

if TYPE_CHECKING:
    from collections.abc import Mapping

_MAX_ENTRIES: Final = 1024
_WIDTH: Final = 0x0100
_HEIGHT: Final = 0x0101
_ORIENTATION: Final = 0x0112
_BITS: Final = 0x0102
_PHOTOMETRIC: Final = 0x0106
_SAMPLES: Final = 0x0115
_WANTED: Final = frozenset({_WIDTH, _HEIGHT, _ORIENTATION, _BITS, _PHOTOMETRIC, _SAMPLES})
_MODES: Final = {0: "grey", 1: "grey", 2: "rgb", 3: "palette", 5: "cmyk", 6: "rgb", 8: "lab"}
_PLAIN_SAMPLES: Final = {"grey": 1, "palette": 1, "rgb": 3, "lab": 3, "cmyk": 4}
_NUMBERS: Final = {3: "H", 4: "L", 13: "L", 16: "Q"}  # SHORT, LONG, IFD, LONG8
_SHORT: Final = 3
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


def look_tiff(source: Source) -> Traits:
    """Return the traits of a TIFF's first picture.

    Raises:
        DamagedError: no directory.
    """
    tags = _tags(source)
    samples = tags.get(_SAMPLES, 1)
    mode = _MODES.get(tags.get(_PHOTOMETRIC, -1))
    extra = samples > _PLAIN_SAMPLES.get(mode or "", samples)
    return Traits(mode, tags.get(_BITS, 1), extra)


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
            elif tag == _BITS and kind == _SHORT and tag not in found:  # one for each sample
                found[tag] = _first(source, table, layout[0], offset + head_bytes, value_bytes, number)
        except DamagedError:
            break
    return found


def _first(source: Source, table: Source, order: str, offset: int, value_bytes: int, number: int) -> int:
    """Return the first of several short numbers, which lie elsewhere in the file where an entry has no room for all."""
    if number * 2 <= value_bytes:
        (first,) = table.unpack(f"{order}H", offset)
    else:
        (place,) = table.unpack(order + ("L" if value_bytes == 4 else "Q"), offset)  # noqa: PLR2004 - as in the caller
        (first,) = source.unpack(f"{order}H", place)
    return int(first)
