"""Variants: their names, the sizes on offer, and what part of a picture each one shows."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assets.images.variants import PRESETS, Fit, Format, Variant, Variants
from metadata.errors import InvalidError

SIZES = (32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024, 1536, 2048)
OFFER = Variants(SIZES)


@pytest.mark.parametrize(
    ("text", "variant"),
    [
        ("256x256-cover", Variant(256, 256, Fit.COVER)),
        ("512x768-contain", Variant(512, 768, Fit.CONTAIN)),
        ("512x", Variant(512, None, Fit.CONTAIN)),
        ("x512", Variant(None, 512, Fit.CONTAIN)),
        ("thumb", Variant(256, 256, Fit.COVER)),
        ("card", Variant(512, 768, Fit.COVER)),
        ("avatar", Variant(256, 256, Fit.FACE)),
        ("full", Variant(2048, 2048, Fit.CONTAIN)),
    ],
)
def test_what_an_address_names(text: str, variant: Variant) -> None:
    assert OFFER.parse(text) == variant


@pytest.mark.parametrize(
    "text",
    [
        *("", "x", "-cover", "256", "256x256", "256x-cover", "x512-contain", "256x256-fill", "256x256-face"),
        *("0256x32-cover", "-1x32-cover", "256X256-cover", "999999x32-cover", "Thumb", "256x256-cover "),
        *("256x256-cover\n", "²56x32-cover"),
    ],
)
def test_what_names_none(text: str) -> None:
    with pytest.raises(InvalidError, match="names no variant"):
        OFFER.parse(text)


@pytest.mark.parametrize("text", ["255x256-cover", "256x100-cover", "4096x", "x33"])
def test_another_size_names_the_list(text: str) -> None:
    with pytest.raises(InvalidError, match="32, 48, 64") as caught:
        OFFER.parse(text)
    assert caught.value.details["allowed"] == list(SIZES)
    assert caught.value.details["setting"] == "CALOTYPE_VARIANT_SIZES"


def test_presets_are_there_whatever_sizes_are_allowed() -> None:
    assert Variants((77,)).parse("card") == PRESETS["card"]


def test_a_name_is_one_for_each_variant_and_is_understood_again() -> None:
    for text in ["256x256-cover", "512x768-contain", "512x", "x512"]:
        assert OFFER.parse(text).name == text
    assert PRESETS["thumb"].name == "256x256-cover"
    assert PRESETS["avatar"].name == "256x256-face"


@pytest.mark.parametrize(("side", "chosen"), [(1, 32), (32, 32), (33, 48), (96, 96), (2048, 2048), (9999, 2048)])
def test_an_avatar_is_rounded_up_to_a_size_on_offer(side: int, chosen: int) -> None:
    assert OFFER.square(side) == Variant(chosen, chosen, Fit.FACE)


@pytest.mark.parametrize(
    ("text", "size", "box", "result"),
    [
        ("256x256-cover", (1000, 500), (250, 0, 750, 500), (256, 256)),
        ("256x256-cover", (500, 1000), (0, 250, 500, 750), (256, 256)),
        ("256x256-cover", (100, 50), (25, 0, 75, 50), (50, 50)),
        ("256x256-cover", (300, 100), (100, 0, 200, 100), (100, 100)),
        ("avatar", (500, 1000), (0, 1000 / 3 - 250, 500, 1000 / 3 + 250), (256, 256)),
        ("avatar", (500, 700), (0, 0, 500, 500), (256, 256)),
        ("avatar", (1000, 500), (250, 0, 750, 500), (256, 256)),
        ("256x256-contain", (1000, 500), (0, 0, 1000, 500), (256, 128)),
        ("256x256-contain", (100, 50), (0, 0, 100, 50), (100, 50)),
        ("512x", (1024, 100), (0, 0, 1024, 100), (512, 50)),
        ("x512", (100, 1024), (0, 0, 100, 1024), (50, 512)),
        ("512x", (100, 4000), (0, 0, 100, 4000), (100, 4000)),
        ("256x256-contain", (10_000, 2), (0, 0, 10_000, 2), (256, 1)),
        ("512x", (20, 32_766), (0, 0, 20, 32_766), (10, 16_383)),
    ],
)
def test_what_is_shown(text: str, size: tuple[int, int], box: tuple[float, ...], result: tuple[int, int]) -> None:
    plan = OFFER.parse(text).plan(*size)
    assert plan.box == pytest.approx(box)
    assert plan.size == result


SIDE = st.integers(1, 100_000)


@given(st.sampled_from([*PRESETS, "32x2048-cover", "2048x32-contain", "512x", "x48"]), SIDE, SIDE)
def test_nothing_is_enlarged_or_shown_that_is_not_there(text: str, width: int, height: int) -> None:
    variant = OFFER.parse(text)
    plan = variant.plan(width, height)
    left, top, right, bottom = plan.box
    assert -1e-6 <= left < right <= width
    assert -1e-6 <= top < bottom <= height
    assert 1 <= plan.size[0] <= max(1, round(right - left))
    assert 1 <= plan.size[1] <= max(1, round(bottom - top))
    assert max(plan.size) <= 16_383
    assert variant.width is None or plan.size[0] <= variant.width
    assert variant.height is None or plan.size[1] <= variant.height


def test_formats_know_their_types() -> None:
    assert {form.value: form.media_type for form in Format} == {
        "jpg": "image/jpeg",
        "png": "image/png",
        "webp": "image/webp",
        "avif": "image/avif",
    }
    assert [form for form in Format if form.moves] == [Format.WEBP, Format.AVIF]
