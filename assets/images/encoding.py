"""Encoding derived pictures: one place for every quality, and nothing of the original's metadata."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Final

from PIL import Image

from .variants import Format

if TYPE_CHECKING:
    from collections.abc import Sequence

_PILLOW: Final = {Format.JPEG: "JPEG", Format.PNG: "PNG", Format.WEBP: "WEBP", Format.AVIF: "AVIF"}
_OPTIONS: Final[dict[Format, dict[str, object]]] = {
    Format.JPEG: {"quality": 82, "optimize": True, "progressive": True},
    Format.PNG: {"compress_level": 6},
    Format.WEBP: {"quality": 80, "method": 4, "alpha_quality": 90},
    Format.AVIF: {"quality": 63, "speed": 8, "max_threads": 1},
}
_MOVING: Final[dict[Format, dict[str, object]]] = {
    Format.WEBP: {"method": 2},
    Format.AVIF: {"speed": 9},
}
_PAPER: Final = "white"


def encode(frames: Sequence[Image.Image], form: Format, durations: Sequence[int] = (), loop: int = 0) -> bytes:
    """Return the file of one picture or of an animation.

    Args:
        frames: pictures of one size in `L`, `LA`, `RGB` or `RGBA`; several only for a format that moves.
        form: the format; a JPEG has no transparency and is laid on white.
        durations: how long each frame stays, milliseconds.
        loop: how often an animation plays, 0 for ever. AVIF has no such number: it plays for ever.
    """
    first, *others = [_bare(frame, form) for frame in frames]
    moving: dict[str, object] = {}
    if others:
        moving = {"save_all": True, "append_images": others, "duration": list(durations), "loop": loop, **_MOVING[form]}
    out = io.BytesIO()
    first.save(out, _PILLOW[form], **{**_OPTIONS[form], **moving})
    return out.getvalue()


def _bare(image: Image.Image, form: Format) -> Image.Image:
    """Return the pixels alone in a mode the format has: several savers take metadata from where it was read."""
    if form is Format.JPEG and image.mode in {"LA", "RGBA"}:
        paper = Image.new("RGBA", image.size, _PAPER)
        image = Image.alpha_composite(paper, image.convert("RGBA")).convert("RGB")
    elif form in {Format.WEBP, Format.AVIF} and image.mode == "LA":
        image = image.convert("RGBA")
    bare = Image.new(image.mode, image.size)
    bare.paste(image)
    return bare
