"""WebP's RIFF chunks (RFC 9649): the canvas, and the orientation in its EXIF chunk."""

from __future__ import annotations

from typing import Final

from .ifd import exif_orientation
from .source import DamagedError, Size, Source

_FIRST: Final = 12
_EXIF_FLAG: Final = 0x08
_EXIF_BYTES: Final = 64 * 1024
_LOSSLESS_MARK: Final = 0x2F
_KEY_FRAME: Final = b"\x9d\x01\x2a"


def measure_webp(source: Source) -> Size:
    """Return the size of the canvas, turned by the EXIF chunk.

    Raises:
        DamagedError: the first chunk is none that WebP begins with.
    """
    name = source.read(_FIRST, 4)
    body = _FIRST + 8
    if name == b"VP8X":
        return _extended(source, body)
    if name == b"VP8L":
        mark, bits = source.unpack("<BI", body)
        if mark == _LOSSLESS_MARK:
            return Size((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1)
    if name == b"VP8 " and source.read(body + 3, 3) == _KEY_FRAME:
        width, height = source.unpack("<HH", body + 6)
        return Size(width & 0x3FFF, height & 0x3FFF)
    raise DamagedError


def _extended(source: Source, body: int) -> Size:
    flags = source.read(body, 1)[0]
    canvas = source.read(body + 4, 6)
    size = Size(int.from_bytes(canvas[:3], "little") + 1, int.from_bytes(canvas[3:], "little") + 1)
    return size.oriented(_orientation(source)) if flags & _EXIF_FLAG else size


def _orientation(source: Source) -> int:
    """Walk the chunks to EXIF, which stands behind the picture data."""
    offset = _FIRST
    try:
        while True:
            name, length = source.unpack("<4sI", offset)
            if name == b"EXIF":
                return exif_orientation(source.read_up_to(offset + 8, min(length, _EXIF_BYTES)))
            offset += 8 + length + (length & 1)
    except DamagedError:
        return 1
