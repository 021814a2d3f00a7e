"""The format by `Accept`."""

from __future__ import annotations

import pytest

from assets.images.variants import Format
from metadata.errors import InvalidError
from server.negotiation import Nature, form_named, negotiate

CHROME = "image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8"


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        (CHROME, "avif"),
        ("image/webp,*/*", "webp"),
        ("image/avif;q=0.5, image/webp;q=0.9, */*;q=0.1", "webp"),
        ("image/avif;q=0, image/webp;q=0, */*", "jpg"),
        ("image/png, image/jpeg;q=0.5", "png"),
        ("image/jpeg;q=0, */*", "png"),
        ("IMAGE/WEBP ; Q=1.0", "webp"),
        ("*/*", "jpg"),
        ("image/*", "jpg"),
        ("application/json", "jpg"),
        ("*/*;q=0", "jpg"),
        ("image/webp;q=high, */*;q=0.2", "jpg"),
        ("image/webp" + "," * 5000, "jpg"),
        ("", "jpg"),
        (None, "jpg"),
    ],
)
def test_what_the_caller_likes_best(accept: str | None, expected: str) -> None:
    assert negotiate(accept, Nature()) == expected


def test_transparency_is_kept_and_what_moves_is_made_quickly() -> None:
    assert negotiate("*/*", Nature(alpha=True)) is Format.PNG
    assert negotiate(None, Nature(alpha=True)) is Format.PNG
    assert negotiate(CHROME, Nature(moves=True)) is Format.WEBP
    assert negotiate("image/avif,*/*;q=0.5", Nature(moves=True)) is Format.AVIF


def test_formats_by_name() -> None:
    assert [form_named(name) for name in ("jpg", "jpeg", "png", "webp", "avif")] == [Format.JPEG, *Format]
    for name in ("", "gif", "svg", "JPG"):
        with pytest.raises(InvalidError, match="jpg, png, webp, avif"):
            form_named(name)
