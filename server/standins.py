"""Pictures for those who have none: drawn from a hash, always the same, as SVG without anything active in it."""

from __future__ import annotations

from enum import StrEnum

from assets.images.identicon import CELL, MARGIN, SIDE, pattern


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
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{side}" height="{side}" viewBox="0 0 {SIDE} {SIDE}">'
    return f"{head}{inside}</svg>".encode()


def _nothing(seed: bytes) -> str:
    del seed
    return ""


def _identicon(seed: bytes) -> str:
    """Write down the pattern of a hash, its tiles rounded."""
    drawn = pattern(seed.hex())
    tiles = "".join(_tile(column, row, ink) for column, row, ink in drawn.tiles)
    return f'<rect width="{SIDE}" height="{SIDE}" fill="{drawn.paper}"/>{tiles}'


def _tile(column: int, row: int, ink: str) -> str:
    x, y = MARGIN + column * CELL, MARGIN + row * CELL
    return f'<rect x="{x}" y="{y}" width="{CELL}" height="{CELL}" rx="2.5" fill="{ink}"/>'


def _person(seed: bytes) -> str:
    del seed  # one for everybody
    return (
        f'<rect width="{SIDE}" height="{SIDE}" fill="#d5d9df"/><circle cx="40" cy="31" r="14" fill="#fff"/>'
        '<path d="M12 80c0-19 12-29 28-29s28 10 28 29z" fill="#fff"/>'
    )
