"""A glance at a picture, in a decoding process: a placeholder for it and a hash of what it looks like."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, BinaryIO, Final

from PIL import Image

from .derive import still_of
from .opening import frames_of, opened, upright_size
from .variants import Fit, Plan, Variant

if TYPE_CHECKING:
    from .limits import Limits

PLACEHOLDER_BYTES: Final = 200
"""The longest data URI of a placeholder."""

_SIDE: Final = 32
_PLACEHOLDERS: Final = ((16, 30), (16, 10), (12, 20), (12, 5), (8, 20), (8, 5), (6, 5), (4, 5), (2, 5), (1, 5))
_PREFIX: Final = "data:image/webp;base64,"
_HASH_SIDE: Final = 8
_PAPER: Final = "white"


@dataclass(frozen=True, slots=True)
class Glance:
    """What a picture looks like from afar.

    Attributes:
        width: pixels, upright.
        height: pixels, upright.
        frames: 1 for a still picture.
        alpha: some pixel of the first frame is not opaque, as far as it can be seen from afar.
        placeholder: a tiny WebP as a data URI of at most 200 bytes, of the same proportions.
        perceptual_hash: 16 hex digits; the more bits two have in common, the more alike the pictures look.
    """

    width: int
    height: int
    frames: int
    alpha: bool
    placeholder: str
    perceptual_hash: str


def glance(source: BinaryIO, media_type: str, limits: Limits) -> Glance:
    """Look at a picture's first frame from afar.

    Args:
        source: the bytes, from the start; seekable.
        media_type: what they were sniffed as.
        limits: what the picture may ask for.

    Raises:
        UnsupportedError, InvalidError, MemoryError: as `derive`.
    """
    with opened(source, media_type, limits) as image:
        width, height = upright_size(image)
        # Without proportions at first: the hash compares squares, and the placeholder is made of the same few pixels.
        plan = Plan((0.0, 0.0, width, height), (min(_SIDE, width), min(_SIDE, height)))
        small = still_of(image, plan, limits)
        alpha = small.mode in {"LA", "RGBA"} and small.getchannel("A").getextrema() != (255, 255)
        colours = small.convert("RGBA" if alpha else "RGB")
        return Glance(width, height, frames_of(image), alpha, _placeholder(colours, width, height), _hash(colours))


def _placeholder(colours: Image.Image, width: int, height: int) -> str:
    """Return the largest and best of the tiny pictures that is short enough."""
    text = ""
    for side, quality in _PLACEHOLDERS:
        size = Variant(side, side, Fit.CONTAIN).plan(width, height).size
        out = io.BytesIO()
        straight = colours.convert("RGBa") if colours.mode == "RGBA" else colours
        tiny = straight.resize(size, Image.Resampling.BOX).convert(colours.mode)
        tiny.save(out, "WEBP", quality=quality, method=6, alpha_quality=0)
        text = _PREFIX + base64.b64encode(out.getvalue()).decode()
        if len(text) <= PLACEHOLDER_BYTES:
            break
    return text


def _hash(colours: Image.Image) -> str:
    """Return the difference hash: one bit for each neighbour in a row of nine that is brighter than the one before."""
    flat = Image.new("RGB", colours.size, _PAPER)
    flat.paste(colours, mask=colours.getchannel("A") if colours.mode == "RGBA" else None)
    grey = flat.convert("L").resize((_HASH_SIDE + 1, _HASH_SIDE), Image.Resampling.BOX)
    bits = 0
    for y in range(_HASH_SIDE):
        row = [grey.getpixel((x, y)) for x in range(_HASH_SIDE + 1)]
        for left, right in pairwise(row):
            bits = bits << 1 | (right > left)  # type: ignore[operator] # one band: plain numbers
    return f"{bits:016x}"
