"""Colours: from whatever a file holds to a few plain modes, and from those to sRGB."""

from __future__ import annotations

import io
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from PIL import Image, ImageCms

if TYPE_CHECKING:
    from collections.abc import Callable

_DEEP: Final = frozenset({"I", "I;16", "I;16B", "I;16L", "I;16N", "F"})
_BITS_PER_SAMPLE: Final = 258
_FULL: Final = 255.0
_SHORT: Final = 65535.0
_SPACES: Final = {"L": "GRAY", "RGB": "RGB", "CMYK": "CMYK"}
_WEB_GAMMA: Final = 1 / 2.2
_SAME_GAMMA: Final = 0.05


def plainly(image: Image.Image) -> Callable[[Image.Image], Image.Image]:
    """Return what turns a part of this loaded picture into `L`, `RGB`, `CMYK`, `La` or `RGBa`.

    The last two are premultiplied by their alpha, so that what is invisible has no share when pixels are averaged. A
    whole large picture is never converted at once: that would hold it in memory twice.
    """
    if image.mode in _DEEP:
        scale, offset = _range(image)
        return lambda part: _shallow(part, scale, offset)
    if image.mode in {"1", "L"}:
        return lambda part: _flat_or_keyed(part, "L", "LA", "La")
    if image.mode in {"LA", "La"}:
        return lambda part: part.convert("La")
    if image.mode in {"RGBA", "RGBa", "PA"} or (image.mode == "P" and _palette_has_alpha(image)):
        return _premultiplied
    if image.mode == "CMYK":
        return lambda part: part
    return lambda part: _flat_or_keyed(part, "RGB", "RGBA", "RGBa")


def to_srgb(image: Image.Image, profile: bytes | None, gamma: float | None) -> Image.Image:
    """Return an `L`, `LA`, `RGB`, `RGBA` or `CMYK` picture as sRGB in `L`, `LA`, `RGB` or `RGBA`.

    Args:
        image: the picture, not premultiplied.
        profile: its ICC profile; one that is damaged or of another colour space is as none.
        gamma: what a PNG without a profile says of its own; None where it says nothing.
    """
    alpha = image.getchannel("A") if image.mode in {"LA", "RGBA"} else None
    colours = image.convert("L" if image.mode == "LA" else "RGB") if alpha is not None else image
    managed = _managed(colours, profile) if profile is not None else None
    if managed is not None:
        colours = managed
    elif gamma is not None:
        colours = _corrected(colours, gamma)
    if colours.mode == "CMYK":
        colours = colours.convert("RGB")
    if alpha is not None:
        colours.putalpha(alpha)
    return colours


def gamma_of(image: Image.Image) -> float | None:
    """Return the exponent of a PNG that is not made for screens, None for all others."""
    gamma = image.info.get("gamma")
    if image.format != "PNG" or "srgb" in image.info or not isinstance(gamma, float) or gamma <= 0:
        return None
    return gamma if abs(gamma / _WEB_GAMMA - 1) > _SAME_GAMMA else None


def _premultiplied(part: Image.Image) -> Image.Image:
    return part if part.mode == "RGBa" else part.convert("RGBA").convert("RGBa")


def _palette_has_alpha(image: Image.Image) -> bool:
    return "transparency" in image.info or (image.palette is not None and image.palette.mode == "RGBA")


def _flat_or_keyed(part: Image.Image, flat: str, straight: str, premultiplied: str) -> Image.Image:
    """Convert a mode without alpha, in which one colour may stand for transparency."""
    if "transparency" in part.info:
        return part.convert("RGBA").convert(straight).convert(premultiplied)
    return part if part.mode == flat else part.convert(flat)


def _range(image: Image.Image) -> tuple[float, float]:
    """Return factor and offset that bring deep samples to 0 to 255."""
    if image.mode.startswith("I;16"):
        return _FULL / (2 ** _bits(image) - 1), 0.0
    low, high = (float(bound) for bound in image.getextrema()[:2])  # type: ignore[arg-type] # one band has two bounds
    if low >= 0:
        if image.mode == "F" and high <= 1:
            return _FULL, 0.0
        if high <= _FULL:
            return 1.0, 0.0
        if high <= _SHORT:
            return _FULL / _SHORT, 0.0
    factor = _FULL / (high - low) if high > low else 1.0
    return factor, -low * factor


def _bits(image: Image.Image) -> int:
    """Return how many bits of a sample count; a TIFF of 12 bits is not widened by Pillow."""
    tags = getattr(image, "tag_v2", None)
    found = tags.get(_BITS_PER_SAMPLE) if tags is not None else None
    first = found[0] if isinstance(found, tuple) and found else found
    return first if isinstance(first, int) and 8 < first <= 16 else 16  # noqa: PLR2004 - what 16-bit samples may hold


def _shallow(part: Image.Image, factor: float, offset: float) -> Image.Image:
    wide = part if part.mode == "F" else part.convert("I").convert("F")
    return wide.point(lambda value: value * factor + (offset + 0.5)).convert("L")  # a cast cuts off: so half is added


def _managed(image: Image.Image, profile: bytes) -> Image.Image | None:
    with suppress(ImageCms.PyCMSError, OSError, ValueError, TypeError):
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if source.profile.xcolor_space.strip() != _SPACES[image.mode]:
            return None
        return ImageCms.profileToProfile(
            image,
            source,
            ImageCms.createProfile("sRGB"),
            renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
            outputMode="RGB",
            flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
    return None


def _corrected(image: Image.Image, gamma: float) -> Image.Image:
    """Undo the file's own exponent and apply the screens'."""
    exponent = _WEB_GAMMA / gamma
    table = [round(_FULL * (value / _FULL) ** exponent) for value in range(256)]
    return image.point(table * len(image.getbands()))
