"""Which format a derived picture is answered in: what its extension names, or what suits `Accept` (RFC 9110)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from assets.images.variants import Format
from metadata.errors import InvalidError

if TYPE_CHECKING:
    from collections.abc import Mapping

_QUALITY: Final = re.compile(r"0(\.\d{0,3})?|1(\.0{0,3})?")
_MAX_HEADER: Final = 4096
_ALIASES: Final = {"jpeg": Format.JPEG}


@dataclass(frozen=True, slots=True)
class Nature:
    """What of the original matters for the choice.

    Attributes:
        alpha: pixels may be transparent.
        moves: it has more than one frame.
    """

    alpha: bool = False
    moves: bool = False


def form_named(extension: str) -> Format:
    """Return the format with a file extension.

    Raises:
        InvalidError: there is none.
    """
    if extension in _ALIASES:
        return _ALIASES[extension]
    try:
        return Format(extension)
    except ValueError:
        raise InvalidError(
            f"Smaller pictures are made as {', '.join(Format)}; {extension[:16]!r} is none of them.",
            field="variant",
            allowed=list(Format),
        ) from None


def negotiate(accept: str | None, nature: Nature) -> Format:
    """Return the format that the caller likes best; of equal ones the smallest, of those that move the quickest made.

    AVIF and WebP have to be named: a wildcard comes from programs that never heard of them. Where nothing on offer is
    acceptable, the answer is what everybody can read, as the standard allows.

    Args:
        accept: the header field, None when it is absent.
        nature: of the original.
    """
    plain = Format.PNG if nature.alpha else Format.JPEG
    wishes = _wishes(accept) if accept is not None and len(accept) <= _MAX_HEADER else {}
    named = [Format.WEBP, Format.AVIF] if nature.moves else [Format.AVIF, Format.WEBP]
    others = [plain, Format.JPEG if nature.alpha else Format.PNG]
    offers = [(wishes.get(form.media_type, 0.0), form) for form in named]
    offers += [(_quality(wishes, form), form) for form in others]
    best = max(quality for quality, _ in offers)
    if best == 0:
        return plain
    return next(form for quality, form in offers if quality == best)


def _quality(wishes: Mapping[str, float], form: Format) -> float:
    for name in (form.media_type, "image/*", "*/*"):
        if name in wishes:
            return wishes[name]
    return 0.0


def _wishes(accept: str) -> dict[str, float]:
    """Return each media range with its quality; what cannot be read is left out."""
    found: dict[str, float] = {}
    for part in accept.split(","):
        name, *parameters = (piece.strip().lower() for piece in part.split(";"))
        quality = 1.0
        for parameter in parameters:
            key, _, value = parameter.partition("=")
            if key.strip() == "q":
                quality = float(value) if _QUALITY.fullmatch(value.strip()) else 0.0
        found[name] = quality
    return found
