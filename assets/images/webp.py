"""WebP's RIFF chunks (RFC 9649): the canvas, and the orientation in its EXIF chunk."""

from __future__ import annotations

from typing import Final

from .ifd import exif_orientation
from .source import DamagedError, Size, Source, Traits

_FIRST: Final = 12
_MOVES_FLAG: Final = 0x02
_EXIF_FLAG: Final = 0x08
_ALPHA_FLAG: Final = 0x10
_LOSSLESS_ALPHA: Final = 1 << 28
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


def look_webp(source: Source) -> Traits:
    """Return the traits; frames are counted chunk by chunk.

    Raises:
        DamagedError: the first chunk is cut short.
    """
    name = source.read(_FIRST, 4)
    body = _FIRST + 8
    if name == b"VP8L":
        (bits,) = source.unpack("<I", body + 1)
        return Traits("rgb", 8, bool(bits & _LOSSLESS_ALPHA))
    if name != b"VP8X":
        return Traits("rgb", 8, alpha=False)
    flags = source.read(body, 1)[0]
    return Traits("rgb", 8, bool(flags & _ALPHA_FLAG), _frames(source) if flags & _MOVES_FLAG else 1)


def _frames(source: Source) -> int | None:
    """Count the frames; None where there are more chunks than a header is worth."""
    offset, frames = _FIRST, 0
    try:
        while True:
            name, length = source.unpack("<4sI", offset)
            frames += name == b"ANMF"
            offset += 8 + length + (length & 1)
    except DamagedError:
        ended = not source.spent
    return max(1, frames) if ended else None


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
