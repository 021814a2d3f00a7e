"""Which picture a card's file shows, whatever card is in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

from ..digest import Digest, Hasher
from .chunks import SIGNATURE, copy_range, is_png, walk
from .limits import DEFAULT
from .streams import size_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .limits import CardLimits


def picture_identity(source: BinaryIO, limits: CardLimits = DEFAULT) -> Digest | None:
    """Return the SHA-256 of a PNG without the chunks of its card, None for what is no PNG.

    Nothing else is left out and nothing is changed, so two files have one identity only if their pictures, and all that
    is said in them of anything but the card, are equal.

    Raises:
        TooLargeError: the file has more chunks than any picture.
    """
    if not is_png(source):
        return None
    hasher = Hasher()
    for block in without_card(source, limits):
        hasher.update(block)
    return hasher.digest()


def without_card(source: BinaryIO, limits: CardLimits = DEFAULT) -> Iterator[bytes]:
    """Go through the bytes of a PNG, passing over the chunks of its card; what follows IEND is kept.

    Raises:
        TooLargeError: the file has more chunks than any picture.
    """
    kept_from, end = 0, len(SIGNATURE)
    for chunk in walk(source, limits):
        end = chunk.end
        if chunk.is_cards:
            yield from copy_range(source, kept_from, chunk.offset)
            kept_from = chunk.end
    yield from copy_range(source, kept_from, max(end, size_of(source)))
