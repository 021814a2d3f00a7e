"""Pictures for those who have none: drawn from a hash, always the same, as SVG without anything active in it."""

from __future__ import annotations

import colorsys
from enum import StrEnum
from typing import Final

_CELLS: Final = 5
_HALF: Final = 3
_CELL: Final = 12
_MARGIN: Final = 10
_SIDE: Final = _CELLS * _CELL + 2 * _MARGIN
_SHADES: Final = 3


class StandIn(StrEnum):
    """What is answered for a picture that is not there."""

    ABSENT = "404"
    PERSON = "mp"
    IDENTICON = "identicon"
    BLANK = "blank"


def draw(kind: StandIn, sha256: str, side: int) -> bytes:
    """Return a stand-in as SVG.

    Args:
        kind: which; not `ABSENT`, which is no picture.
        sha256: what it is drawn from, 64 hex digits.
        side: pixels, of the square it asks for.
    """
    inside = {StandIn.PERSON: _person, StandIn.IDENTICON: _identicon}.get(kind, _nothing)(bytes.fromhex(sha256))
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{side}" height="{side}" viewBox="0 0 {_SIDE} {_SIDE}">'
    return f"{head}{inside}</svg>".encode()


def _nothing(seed: bytes) -> str:
    del seed
    return ""


def _identicon(seed: bytes) -> str:
    """Draw a pattern of rounded tiles, mirrored as faces are, in shades of one hue on a pale ground."""
    hue = int.from_bytes(seed[:2]) / 65536
    paper = _colour(hue, 0.93, 0.35)
    inks = [_colour((hue + 0.06 * shade) % 1, 0.42 + 0.1 * shade, 0.55) for shade in range(_SHADES)]
    tiles = []
    for place, byte in enumerate(seed[2 : 2 + _CELLS * _HALF]):
        row, column = divmod(place, _HALF)
        if byte & 1 or place == _CELLS * _HALF // 2:
            ink = inks[(byte >> 1) % _SHADES]
            tiles += [_tile(each, row, ink) for each in sorted({column, _CELLS - 1 - column})]
    return f'<rect width="{_SIDE}" height="{_SIDE}" fill="{paper}"/>{"".join(tiles)}'


def _tile(column: int, row: int, ink: str) -> str:
    x, y = _MARGIN + column * _CELL, _MARGIN + row * _CELL
    return f'<rect x="{x}" y="{y}" width="{_CELL}" height="{_CELL}" rx="2.5" fill="{ink}"/>'


def _person(seed: bytes) -> str:
    del seed  # one for everybody
    return (
        f'<rect width="{_SIDE}" height="{_SIDE}" fill="#d5d9df"/><circle cx="40" cy="31" r="14" fill="#fff"/>'
        '<path d="M12 80c0-19 12-29 28-29s28 10 28 29z" fill="#fff"/>'
    )


def _colour(hue: float, lightness: float, saturation: float) -> str:
    return "#" + "".join(f"{round(255 * part):02x}" for part in colorsys.hls_to_rgb(hue, lightness, saturation))
