"""PNG's chunks (W3C PNG, third edition): the size in IHDR, the orientation in eXIf wherever that stands."""

from __future__ import annotations

from typing import Final

from .ifd import exif_orientation
from .source import DamagedError, Size, Source, Traits

SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
_IHDR_BYTES: Final = 13
_MODES: Final = {0: "grey", 2: "rgb", 3: "palette", 4: "grey", 6: "rgb"}
_ALPHA: Final = 4
_MAX_CHUNKS: Final = 1024
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


def look_png(source: Source) -> Traits:
    """Return the traits in IHDR and in the chunks before the pixels.

    Raises:
        DamagedError: IHDR is not where it must be, or of no colour type.
    """
    bits, colour = source.unpack(">BB", len(SIGNATURE) + 16)
    mode = _MODES.get(colour)
    if mode is None:
        raise DamagedError
    alpha, frames, offset = bool(colour & _ALPHA), 1, len(SIGNATURE) + _IHDR_BYTES + 12
    for _ in range(_MAX_CHUNKS):
        length, name = source.unpack(">I4s", offset)
        if name in {b"IDAT", b"IEND"}:
            break
        alpha = alpha or name == b"tRNS"
        if name == b"acTL":
            frames = max(1, source.unpack(">I", offset + 8)[0])
        offset += length + 12
    return Traits(mode, bits, alpha, frames)


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
