"""How much a card may ask of whoever reads it. Every number is checked before the memory for it is taken."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from metadata.errors import TooLargeError

MIB: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class CardLimits:
    """The limits of one reading.

    Attributes:
        text_bytes: a card's text as it stands in a file, or once inflated.
        json_bytes: a card's JSON; what a request may bring (`CALOTYPE_MAX_JSON_BYTES`) by default.
        values: commas and opening brackets in it, which is about how many values come of it.
        depth: objects and arrays in each other; four less than a request may have, for where the card is put.
        chunks: chunks of a PNG, segments of a JPEG.
        texts: texts of one file that are tried, should the first be damaged.
        entries: files in a CHARX.
        directory_bytes: the list of them.
        asset_bytes: one asset.
        total_bytes: all assets of a CHARX once inflated.
        ratio: how many times as large as itself a CHARX may inflate to, past the first 16 MiB.
    """

    text_bytes: int = 16 * MIB
    json_bytes: int = 10 * MIB
    values: int = 1_000_000
    depth: int = 60
    chunks: int = 100_000
    texts: int = 8
    entries: int = 5_000
    directory_bytes: int = 4 * MIB
    asset_bytes: int = 100 * MIB
    total_bytes: int = 1024 * MIB
    ratio: int = 100


DEFAULT: Final = CardLimits()


def refuse_above(limit: int, actual: int, what: str, unit: str = "bytes") -> None:
    """Let a number pass that is within its limit.

    Raises:
        TooLargeError: it is not.
    """
    if actual > limit:
        raise TooLargeError(f"{what} has {actual:,} {unit}; at most {limit:,} are read.", limit=limit, actual=actual)
