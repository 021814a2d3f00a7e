"""Variants: which derived pictures there are, how they are called, and what part of the original each one shows."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from metadata.errors import InvalidError

if TYPE_CHECKING:
    from collections.abc import Sequence

_GRAMMAR = re.compile(r"(?P<width>[1-9]\d{0,4})?x(?P<height>[1-9]\d{0,4})?(?:-(?P<fit>cover|contain))?")
_LONGEST: Final = 16_383
"""The longest side of a WebP; the other formats take more."""

_FACES: Final = 1 / 3
"""Where the faces are in a tall picture: portraits have them in the upper third."""


class Fit(StrEnum):
    """How a picture of other proportions comes into a box.

    `cover` cuts off what stands over, `face` does the same and keeps the upper third of tall pictures, `contain` shows
    all of it and leaves one side short.
    """

    COVER = "cover"
    CONTAIN = "contain"
    FACE = "face"


class Format(StrEnum):
    """The formats of derived pictures, by their file extensions."""

    JPEG = "jpg"
    PNG = "png"
    WEBP = "webp"
    AVIF = "avif"

    @property
    def media_type(self) -> str:
        """The media type."""
        return "image/jpeg" if self is Format.JPEG else f"image/{self.value}"

    @property
    def moves(self) -> bool:
        """Whether derived pictures in this format keep an animation."""
        return self in {Format.WEBP, Format.AVIF}


class Cut(StrEnum):
    """Why the first frame stands for an animation: not for what follows, for a limit of settings, or for the time."""

    NOT = ""
    LIMITS = "limits"
    TIME = "time"


@dataclass(frozen=True, slots=True)
class Plan:
    """What becomes of one picture.

    Attributes:
        box: left, top, right and bottom of the part that is shown, in pixels of the upright original.
        size: width and height of the result, at least one pixel each, never larger than the part that is shown.
    """

    box: tuple[float, float, float, float]
    size: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Variant:
    """A derived picture's extent.

    Attributes:
        width: pixels; None: whatever the height asks for.
        height: pixels; None: whatever the width asks for. One of the two is there.
        fit: how the picture comes into the box; without a width or a height always `contain`.
    """

    width: int | None
    height: int | None
    fit: Fit

    @property
    def name(self) -> str:
        """The one name of this variant in file names and entity tags, such as `256x256-cover` or `512x`."""
        extent = f"{self.width or ''}x{self.height or ''}"
        return f"{extent}-{self.fit}" if self.width and self.height else extent

    def plan(self, width: int, height: int) -> Plan:
        """Return what to cut out of an upright picture of this size in pixels, and how large it becomes.

        Never enlarged: a picture that is too small keeps its pixels, and with `cover` still gets the proportions. No
        side is longer than every format can have.
        """
        if self.width is None or self.height is None or self.fit is Fit.CONTAIN:
            wide, high = min(self.width or _LONGEST, _LONGEST), min(self.height or _LONGEST, _LONGEST)
            scale = min(1.0, wide / width, high / height)
            return Plan((0.0, 0.0, width, height), (_pixels(width * scale), _pixels(height * scale)))
        scale = max(self.width / width, self.height / height)
        across, down = self.width / scale, self.height / scale
        left = (width - across) / 2
        top = (height - down) / 2
        if self.fit is Fit.FACE:
            top = min(max(0.0, height * _FACES - down / 2), height - down)
        shrink = min(1.0, scale, _LONGEST / across, _LONGEST / down)
        box = (left, top, min(left + across, width), min(top + down, height))
        return Plan(box, (_pixels(across * shrink), _pixels(down * shrink)))


PRESETS: Final = {
    "thumb": Variant(256, 256, Fit.COVER),
    "card": Variant(512, 768, Fit.COVER),
    "avatar": Variant(256, 256, Fit.FACE),
    "full": Variant(2048, 2048, Fit.CONTAIN),
}
"""The variants with names of their own; they are there whatever sizes are allowed."""


class Variants:
    """The variants on offer.

    Args:
        sizes: the widths and heights that may be asked for, ascending (setting VARIANT_SIZES).
    """

    def __init__(self, sizes: Sequence[int]) -> None:
        self.sizes = tuple(sizes)

    def parse(self, text: str) -> Variant:
        """Return the variant that an address names: `256x256-cover`, `512x`, `x512`, or a preset.

        Raises:
            InvalidError: it names none, or a size that is not allowed.
        """
        if text in PRESETS:
            return PRESETS[text]
        match = _GRAMMAR.fullmatch(text)
        width, height, fit = match.group("width", "height", "fit") if match is not None else (None, None, None)
        if (width is None and height is None) or (fit is None) is (width is not None and height is not None):
            raise InvalidError(
                f"{text[:80]!r} names no variant. Those are 256x256-cover (or -contain), 512x, x512, and "
                f"{', '.join(PRESETS)}.",
                field="variant",
            )
        across, down = (None if number is None else self._allowed(int(number)) for number in (width, height))
        return Variant(across, down, Fit(fit or Fit.CONTAIN))

    def square(self, side: int) -> Variant:
        """Return the avatar that is at least this many pixels wide, or the largest there is."""
        fitting = [size for size in self.sizes if size >= side]
        chosen = fitting[0] if fitting else self.sizes[-1]
        return Variant(chosen, chosen, Fit.FACE)

    def _allowed(self, size: int) -> int:
        if size in self.sizes:
            return size
        raise InvalidError(
            f"{size} is not one of the sizes on offer: {', '.join(map(str, self.sizes))}.",
            field="variant",
            allowed=list(self.sizes),
            actual=size,
            setting="CALOTYPE_VARIANT_SIZES",
        )


def _pixels(length: float) -> int:
    return max(1, round(length))
