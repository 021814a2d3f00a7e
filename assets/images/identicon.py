"""A picture for whoever has none: tiles in shades of one hue, drawn from a hash and always the same for it.

The pattern is apart from how it is written down: as SVG by the stand-ins for avatars, as PNG for character cards.
"""

from __future__ import annotations

import colorsys
import struct
import zlib
from dataclasses import dataclass
from typing import Final

CELLS: Final = 5
CELL: Final = 12
MARGIN: Final = 10
SIDE: Final = CELLS * CELL + 2 * MARGIN
"""The side of the square that the pattern is laid out in; a tile at column and row begins at MARGIN + CELL * each."""

_HALF: Final = 3
_SHADES: Final = 3
_SCALE: Final = 8
_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
_PALETTE: Final = 3
"""The colour type of a PNG whose pixels are places in a palette."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """What is drawn.

    Attributes:
        paper: the colour of the ground, `#rrggbb`.
        tiles: column, row and colour of each tile; columns and rows count from 0.
    """

    paper: str
    tiles: tuple[tuple[int, int, str], ...]


def pattern(sha256: str) -> Pattern:
    """Return the pattern of a hash: mirrored as faces are, on a pale ground.

    Args:
        sha256: 64 hex digits.
    """
    seed = bytes.fromhex(sha256)
    hue = int.from_bytes(seed[:2]) / 65536
    inks = [_colour((hue + 0.06 * shade) % 1, 0.42 + 0.1 * shade, 0.55) for shade in range(_SHADES)]
    tiles: list[tuple[int, int, str]] = []
    for place, byte in enumerate(seed[2 : 2 + CELLS * _HALF]):
        row, column = divmod(place, _HALF)
        if byte & 1 or place == CELLS * _HALF // 2:
            ink = inks[(byte >> 1) % _SHADES]
            tiles += [(each, row, ink) for each in sorted({column, CELLS - 1 - column})]
    return Pattern(_colour(hue, 0.93, 0.35), tuple(tiles))


def as_png(sha256: str) -> bytes:
    """Return the pattern of a hash as a PNG of 640 by 640 pixels."""
    drawn = pattern(sha256)
    colours = list(dict.fromkeys([drawn.paper, *(ink for _, _, ink in drawn.tiles)]))
    places = {(column, row): colours.index(ink) for column, row, ink in drawn.tiles}
    lines = (b"\0" + b"".join(bytes([_at(places, x, y)]) * _SCALE for x in range(SIDE)) for y in range(SIDE))
    pixels = zlib.compress(b"".join(line * _SCALE for line in lines), 9)
    header = struct.pack(">IIBBBBB", SIDE * _SCALE, SIDE * _SCALE, 8, _PALETTE, 0, 0, 0)
    palette = b"".join(bytes.fromhex(colour[1:]) for colour in colours)
    chunks = ((b"IHDR", header), (b"PLTE", palette), (b"IDAT", pixels), (b"IEND", b""))
    return _SIGNATURE + b"".join(_chunk(name, content) for name, content in chunks)


def _at(places: dict[tuple[int, int], int], x: int, y: int) -> int:
    """Return the place in the palette at a point of the layout; the ground's is 0."""
    return places.get(((x - MARGIN) // CELL, (y - MARGIN) // CELL), 0)


def _chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def _colour(hue: float, lightness: float, saturation: float) -> str:
    return "#" + "".join(f"{round(255 * part):02x}" for part in colorsys.hls_to_rgb(hue, lightness, saturation))
