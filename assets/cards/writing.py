"""Writing a card: into a PNG beside its other chunks, or as JSON. CHARX is written in `charx`."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, BinaryIO

from metadata.errors import UnsupportedError

from .chunks import SIGNATURE, copy_range, is_png, text_chunk, walk
from .errors import DamagedCardError
from .identity import without_card
from .limits import DEFAULT
from .streams import size_of
from .text import encode_json

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .card import Card
    from .limits import CardLimits


def write_png(picture: BinaryIO, card_v2: Card, card_v3: Card, out: BinaryIO, *, limits: CardLimits = DEFAULT) -> None:
    """Write a PNG with exactly one `chara` and one `ccv3`, before IEND; every other chunk stays, byte for byte.

    Assets that the picture brings in chunks of their own stay as well: cards name them by their paths.

    Args:
        picture: a PNG, with a card or without.
        card_v2: what `chara` says.
        card_v3: what `ccv3` says.
        out: where it goes.
        limits: for the picture's chunks.

    Raises:
        UnsupportedError: the picture is no PNG.
        DamagedCardError: it breaks off before IEND.
        TooLargeError: it has more chunks than any picture.
    """
    if not is_png(picture):
        raise UnsupportedError("A card is written into a PNG; this picture is none. Convert it first.")
    out.write(SIGNATURE)
    for chunk in walk(picture, limits):
        if not chunk.whole:
            break
        if chunk.name == b"IEND":
            out.writelines(
                text_chunk(keyword, base64.b64encode(encode_json(card.document)))
                for keyword, card in (("chara", card_v2), ("ccv3", card_v3))
            )
            _copy(copy_range(picture, chunk.offset, size_of(picture)), out)
            return
        if not chunk.card_keyword:
            _copy(copy_range(picture, chunk.offset, chunk.end), out)
    raise DamagedCardError("The picture breaks off before its end, so no card can be written into it.")


def write_picture(source: BinaryIO, out: BinaryIO, *, limits: CardLimits = DEFAULT) -> None:
    """Write a PNG without the chunks of its card: the bytes whose SHA-256 is the picture's identity.

    Raises:
        UnsupportedError: the source is no PNG.
        TooLargeError: it has more chunks than any picture.
    """
    if not is_png(source):
        raise UnsupportedError("Only the card of a PNG can be left out.")
    _copy(without_card(source, limits), out)


def to_json(card: Card) -> bytes:
    """Return a card as a JSON file that people can read: UTF-8, two spaces of indent, a final line break."""
    return encode_json(card.document, indent=2) + b"\n"


def _copy(blocks: Iterator[bytes], out: BinaryIO) -> None:
    out.writelines(blocks)
