"""PNG's chunks (W3C PNG, third edition): the size in IHDR, the orientation in eXIf wherever that stands."""

from __future__ import annotations

from typing import Final

from .ifd import exif_orientation
from .source import DamagedError, Size, Source

SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
_IHDR_BYTES: Final = 13
_EXIF_BYTES: Final = 64 * 1024


def measure_png(source: Source) -> Size:
    """Return the size in IHDR, turned by an eXIf chunk.

    Raises:
        DamagedError: IHDR is not where it must be.
    """
    length, name, width, height = source.unpack(">I4sII", len(SIGNATURE))
    if name != b"IHDR" or length != _IHDR_BYTES:
        raise DamagedError
    return Size(width, height).oriented(_orientation(source, len(SIGNATURE) + length + 12))


def _orientation(source: Source, offset: int) -> int:
    """Walk the chunks to eXIf; a file that ends early or has too many chunks has no orientation."""
    try:
        while True:
            length, name = source.unpack(">I4s", offset)
            if name == b"eXIf":
                return exif_orientation(source.read_up_to(offset + 8, min(length, _EXIF_BYTES)))
            if name == b"IEND":
                return 1
            offset += length + 12
    except DamagedError:
        return 1
