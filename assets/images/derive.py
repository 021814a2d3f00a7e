"""Deriving: from a picture's bytes to a smaller picture's, in a decoding process. No clock, no disk, no state.

Pixels are averaged as they are stored, premultiplied by their alpha, as browsers do when they scale a picture: a page
looks the same with a derived picture and with the original in its place.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, Final

from PIL import Image

from metadata.errors import InvalidError

from .colours import gamma_of, plainly, to_srgb
from .encoding import encode
from .opening import decoding, first_frame_of, frames_of, opened, orientation_of, profile_of, upright_size
from .variants import Cut

if TYPE_CHECKING:
    from .limits import Limits
    from .patience import Patience
    from .variants import Format, Plan, Variant

_GAP: Final = 2
"""Averaging over squares leaves at least so many pixels in a row for each one that the good step makes."""

_DRAFT_GAP: Final = 1.4
"""A JPEG's own averaging is better than that, so that it may come closer."""

_STRIP_PIXELS: Final = 1 << 20
_MOVING_PIXELS: Final = 1 << 26
"""The most pixels that the frames of a derived animation have together: they wait in memory for the encoder."""
_TURNS: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_SIDEWAYS: Final = 5
_QUICKEST_FRAME_MS: Final = 10
_SLOW_FRAME_MS: Final = 100

Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Picture:
    """A derived picture.

    Attributes:
        data: its bytes.
        width: pixels.
        height: pixels.
        frames: 1 for a still one.
        cut: why an animation is a still one.
    """

    data: bytes
    width: int
    height: int
    frames: int
    cut: Cut = Cut.NOT


def derive(
    source: BinaryIO,
    media_type: str,
    variant: Variant,
    form: Format,
    limits: Limits,
    patience: Patience | None = None,
) -> Picture:
    """Return a picture derived from another: upright, in sRGB, without metadata, never enlarged.

    An animation stays one where the format can and all of it is within the limits; else its first frame is taken.

    Args:
        source: the original's bytes, from the start; seekable.
        media_type: what the original was sniffed as.
        variant: what to show of it and how large.
        form: what to encode it as.
        limits: what it may ask for.
        patience: how long an animation may take; None: none at all, its first frame is taken.

    Raises:
        UnsupportedError: the bytes are no picture that is worked with.
        InvalidError: damaged, or over a limit.
        MemoryError: the process may not have as much as it takes.
    """
    with opened(source, media_type, limits) as image:
        plan = variant.plan(*upright_size(image))
        frames = frames_of(image)
        cut = Cut.NOT
        if frames > 1 and form.moves and plan.size[0] * plan.size[1] * frames <= _MOVING_PIXELS:
            made = _moving_within(image, plan, form, frames, limits, patience)
            if isinstance(made, Picture):
                return made
            cut = made
            with decoding(limits):
                image.seek(0)
        still = still_of(image, plan, limits)
        return Picture(encode([still], form), *still.size, 1, cut)


def still_of(image: Image.Image, plan: Plan, limits: Limits) -> Image.Image:
    """Return what the plan shows of the current frame, in `L`, `LA`, `RGB` or `RGBA`.

    Raises:
        InvalidError: damaged.
    """
    with decoding(limits):
        orientation = orientation_of(image)
        turned = orientation >= _SIDEWAYS
        width, height = image.size
        box = _lying(plan.box, orientation, width, height)
        size = (plan.size[1], plan.size[0]) if turned else plan.size
        box = _scaled(box, _draft(image, box, size))
        image.load()
        profile, gamma = profile_of(image), gamma_of(image)
        small = _resampled(image, box, size)
        straight = small.convert({"La": "LA", "RGBa": "RGBA"}[small.mode]) if small.mode in {"La", "RGBa"} else small
        result = to_srgb(straight, profile, gamma)
        return result.transpose(_TURNS[orientation]) if orientation in _TURNS else result


def _moving_within(
    image: Image.Image, plan: Plan, form: Format, frames: int, limits: Limits, patience: Patience | None
) -> Picture | Cut:
    """Return the animation, or why there is none."""
    if not limits.may_move(*image.size, frames):
        return Cut.LIMITS
    if patience is None:
        return Cut.TIME
    made: Picture | Cut
    try:
        with patience:
            made = _moving(image, plan, form, frames, limits)
    except InvalidError as error:  # a later frame; one that is damaged is so whenever it is asked for
        made = Cut.LIMITS if "setting" in error.details else Cut.NOT
    except TimeoutError:
        made = Cut.TIME
    return Cut.TIME if patience.over else made  # whatever a library makes of being interrupted


def _moving(image: Image.Image, plan: Plan, form: Format, frames: int, limits: Limits) -> Picture:
    stills, durations = [], []
    for number in range(first_frame_of(image), first_frame_of(image) + frames):
        with decoding(limits):
            image.seek(number)
        stills.append(still_of(image, plan, limits))
        durations.append(_duration(image))
    if any(still.mode in {"LA", "RGBA"} for still in stills):
        stills = [still.convert("RGBA") for still in stills]
    return Picture(encode(stills, form, durations, _loop(image)), *stills[0].size, len(stills))


def _duration(image: Image.Image) -> int:
    """Return how long the current frame stays, in milliseconds; what is too quick for browsers is slow in them."""
    given = image.info.get("duration", 0)
    milliseconds = round(given) if isinstance(given, int | float) else 0
    return milliseconds if milliseconds > _QUICKEST_FRAME_MS else _SLOW_FRAME_MS


def _loop(image: Image.Image) -> int:
    """Return how often an animation plays in all, 0 for ever; a GIF tells how often it is repeated, or nothing."""
    told = image.info.get("loop")
    if image.format == "GIF":
        return 1 if told is None else int(told) + 1 if told else 0
    return int(told or 0)


def _lying(box: Box, orientation: int, width: int, height: int) -> Box:
    """Return where a box of the upright picture lies in one of this size as it is stored."""
    left, top, right, bottom = (box[1], box[0], box[3], box[2]) if orientation >= _SIDEWAYS else box
    if orientation in {2, 3, 7, 8}:
        left, right = width - right, width - left
    if orientation in {3, 4, 6, 7}:
        top, bottom = height - bottom, height - top
    return left, top, right, bottom


def _scaled(box: Box, scale: float) -> Box:
    return box[0] / scale, box[1] / scale, box[2] / scale, box[3] / scale


def _draft(image: Image.Image, box: Box, size: tuple[int, int]) -> float:
    """Let a JPEG be decoded at a fraction of its size; return by how much it shrinks."""
    needed = _DRAFT_GAP * max(size[0] / (box[2] - box[0]), size[1] / (box[3] - box[1]))
    width, height = image.size
    if image.format not in {"JPEG", "MPO"} or needed >= 1:
        return 1.0
    drafted = image.draft(None, (round(width * needed), round(height * needed)))
    return 1.0 if drafted is None else width / drafted[1][2]


def _resampled(image: Image.Image, box: Box, size: tuple[int, int]) -> Image.Image:
    factor = max(1, int(min((box[2] - box[0]) / size[0], (box[3] - box[1]) / size[1]) / _GAP))
    reduced = _reduced(image, factor)
    box = _scaled(box, factor)
    within = (box[0], box[1], min(box[2], reduced.width), min(box[3], reduced.height))
    if within == (0, 0, *size) == (0, 0, *reduced.size):
        return reduced.copy() if reduced is image else reduced  # a later frame comes into the same object
    return reduced.resize(size, Image.Resampling.LANCZOS, box=within)


def _reduced(image: Image.Image, factor: int) -> Image.Image:
    """Return the loaded picture in a plain mode, averaged over squares of `factor` pixels, strip by strip."""
    plain = plainly(image)
    rows = factor * max(1, _STRIP_PIXELS // (image.width * factor))
    if rows >= image.height:
        small = plain(image)
        return small.reduce(factor) if factor > 1 else small
    result: Image.Image | None = None
    for top in range(0, image.height, rows):
        strip = plain(image.crop((0, top, image.width, min(top + rows, image.height))))
        part = strip.reduce(factor) if factor > 1 else strip
        if result is None:
            result = Image.new(part.mode, (part.width, -(-image.height // factor)))
        result.paste(part, (0, top // factor))
    assert result is not None  # noqa: S101 - a picture has at least one row
    return result
