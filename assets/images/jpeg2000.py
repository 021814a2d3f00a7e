"""JPEG 2000: the image header box of a JP2 file, the SIZ segment of a bare codestream (ITU-T T.800)."""

from __future__ import annotations

from typing import Final

from .boxes import find_box
from .source import DamagedError, Size, Source, Traits

_SIZ: Final = 0xFF51
_IHDR_BYTES: Final = 14
_VARIOUS: Final = 255


def measure_jp2(source: Source) -> Size:
    """Return the size in the image header box.

    Raises:
        DamagedError: no such box.
    """
    header = find_box(source, find_box(source, None, b"jp2h"), b"ihdr")
    if header.end - header.start < _IHDR_BYTES:
        raise DamagedError
    height, width = source.unpack(">II", header.start)
    return Size(width, height)


def look_jp2(source: Source) -> Traits:
    """Return the traits in the image header box; a further component beside grey or colours is taken for alpha.

    Raises:
        DamagedError: no such box.
    """
    header = find_box(source, find_box(source, None, b"jp2h"), b"ihdr")
    components, bits = source.unpack(">HB", header.start + 8)
    return _traits(components, bits)


def look_codestream(source: Source) -> Traits:
    """Return the traits in the SIZ segment.

    Raises:
        DamagedError: it is cut short.
    """
    components, bits = source.unpack(">HB", 40)
    return _traits(components, bits)


def _traits(components: int, bits: int) -> Traits:
    mode = "grey" if components in {1, 2} else "rgb"
    return Traits(mode, None if bits == _VARIOUS else (bits & 0x7F) + 1, components in {2, 4})


def measure_codestream(source: Source) -> Size:
    """Return the size of the reference grid's image area.

    Raises:
        DamagedError: the SIZ segment is not where it must be.
    """
    marker, _length, _capabilities, right, bottom, left, top = source.unpack(">HHHIIII", 2)
    if marker != _SIZ:
        raise DamagedError
    return Size(right - left, bottom - top)
