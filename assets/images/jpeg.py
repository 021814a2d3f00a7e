"""JPEG's marker segments up to the frame header (ITU-T T.81, annex B), with the orientation of its EXIF segment."""

from __future__ import annotations

from typing import Final

from .ifd import exif_orientation
from .source import DamagedError, Size, Source, Traits

_SOF: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_ALONE: Final = frozenset({0x01, *range(0xD0, 0xD9)})  # TEM, RST0 to RST7, SOI: no length follows
_ENDS: Final = frozenset({0xD9, 0xDA})  # EOI, SOS: no frame header came before the picture data
_APP1: Final = 0xE1
_MODES: Final = {1: "grey", 3: "rgb", 4: "cmyk"}
_STRAY_BYTES: Final = 4096
_EXIF: Final = b"Exif\0\0"


def measure_jpeg(source: Source) -> Size:
    """Return the size in the first frame header, turned by an EXIF segment before or after it.

    Raises:
        DamagedError: no frame header before the picture data.
    """
    offset, size, orientation = 2, None, None
    while True:
        marker, offset = _marker(source, offset)
        if marker in _ENDS:
            break
        if marker in _ALONE:
            continue
        try:
            (length,) = source.unpack(">H", offset)
            if marker in _SOF and size is None:
                height, width = source.unpack(">HH", offset + 3)
                size = Size(width, height)
            elif marker == _APP1 and orientation is None and source.read(offset + 2, 6) == _EXIF:
                orientation = exif_orientation(source.read_up_to(offset + 8, max(length - 8, 0)))
        except DamagedError:
            break
        offset += max(length, 2)
    if size is None:
        raise DamagedError
    return size.oriented(orientation or 1)


def look_jpeg(source: Source) -> Traits:
    """Return the traits in the first frame header.

    Raises:
        DamagedError: there is none before the picture data.
    """
    offset = 2
    while True:
        marker, offset = _marker(source, offset)
        if marker in _ENDS:
            raise DamagedError
        if marker in _ALONE:
            continue
        (length,) = source.unpack(">H", offset)
        if marker in _SOF:
            bits, components = source.unpack(">B4xB", offset + 2)
            return Traits(_MODES.get(components), bits, alpha=False)
        offset += max(length, 2)


def _marker(source: Source, offset: int) -> tuple[int, int]:
    """Return the next marker and the offset behind it; stray bytes between segments are passed over, up to 4 KiB."""
    data = source.read_up_to(offset, 2)
    if len(data) < 2:  # noqa: PLR2004 - the two bytes of a marker
        return 0xD9, offset
    if data[0] == 0xFF and data[1] not in {0x00, 0xFF}:  # noqa: PLR2004 - the marker's first byte
        return data[1], offset + 2
    stretch = source.read_up_to(offset, _STRAY_BYTES)
    for at in range(len(stretch) - 1):
        if stretch[at] == 0xFF and stretch[at + 1] not in {0x00, 0xFF}:  # noqa: PLR2004 - the marker's first byte
            return stretch[at + 1], offset + at + 2
    return 0xD9, offset
