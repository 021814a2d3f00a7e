"""Limits: what is refused before a pixel is decoded, and what is said then."""

from __future__ import annotations

import pytest

from assets.images.limits import Limits, damaged, too_many_pixels, too_much_memory, too_slow
from metadata.errors import InvalidError

LIMITS = Limits(pixels=1000, frames=10, decoded_bytes=2000, seconds=3)


def test_a_picture_within_the_limits_passes() -> None:
    LIMITS.check(25, 20, 10)


@pytest.mark.parametrize(
    ("size", "frames", "setting", "limit", "actual"),
    [
        ((100, 11), 1, "CALOTYPE_MAX_PIXELS", 1000, 1100),
        ((10, 10), 11, "CALOTYPE_MAX_FRAMES", 10, 11),
        ((100, 10), 1, "CALOTYPE_MAX_DECODED_BYTES", 2000, 4000),
    ],
)
def test_one_over_a_limit_is_told_which(
    size: tuple[int, int], frames: int, setting: str, limit: int, actual: int
) -> None:
    with pytest.raises(InvalidError, match=setting) as caught:
        LIMITS.check(*size, frames)
    assert caught.value.details == {"limit": limit, "actual": actual, "setting": setting}


def test_an_animation_may_move_if_all_of_it_is_within_the_limit() -> None:
    assert LIMITS.may_move(10, 10, 5)
    assert not LIMITS.may_move(10, 10, 6)


def test_memory_follows_from_the_pixels() -> None:
    more = Limits(pixels=2_000_000).memory_bytes - Limits(pixels=1_000_000).memory_bytes
    assert more == 16 * 1_000_000


def test_every_refusal_is_a_sentence_with_its_setting() -> None:
    for error in (too_many_pixels(7), too_many_pixels(7, 8), too_slow(2.5), too_much_memory(9)):
        assert isinstance(error, InvalidError)
        assert str(error.details["setting"]) in error.message
        assert error.message.endswith(".")
    assert "damaged" in damaged().message
