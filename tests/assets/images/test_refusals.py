"""Refusals hold for a minute: of the picture where they are about it, of one variant otherwise; accidents do not."""

from __future__ import annotations

import pytest

from assets.images.flights import AbandonedError
from assets.images.refusals import Refusals
from metadata.clock import SystemClock
from metadata.errors import BusyError, CalotypeError, InternalError, InvalidError, UnsupportedError


class Later(SystemClock):
    """A clock that can be put forward."""

    ahead = 0.0

    def monotonic(self) -> float:
        """Return the time, put forward."""
        return super().monotonic() + self.ahead


@pytest.fixture
def clock() -> Later:
    return Later()


@pytest.fixture
def refusals(clock: Later) -> Refusals:
    return Refusals(clock)


def refuse(refusals: Refusals, error: CalotypeError, picture: str = "a", variant: str = "a/thumb") -> None:
    with pytest.raises(type(error)), refusals.asking(picture, variant):
        raise error


@pytest.mark.parametrize("error", [InvalidError("damaged", limit=3), UnsupportedError("words")])
def test_one_variant_is_refused_again_for_a_minute(refusals: Refusals, clock: Later, error: CalotypeError) -> None:
    refuse(refusals, error)
    with pytest.raises(type(error), match=error.message) as caught:
        refusals.asking("a", "a/thumb").check()
    assert caught.value.details == error.details
    refusals.asking("a", "a/card").check()
    clock.ahead = 61
    refusals.asking("a", "a/thumb").check()


@pytest.mark.parametrize("details", [{"setting": "CALOTYPE_DECODE_TIMEOUT_S"}, {"exitStatus": -11}])
def test_what_is_about_the_picture_holds_for_all_variants(refusals: Refusals, details: dict[str, object]) -> None:
    refuse(refusals, InvalidError("costly", **details))
    with pytest.raises(InvalidError, match="costly"), refusals.asking("a", "a/card"):
        pytest.fail("it was let in")
    refusals.asking("b", "b/card").check()


@pytest.mark.parametrize("error", [InternalError("ours"), BusyError("killed", exitStatus=-9)])
def test_an_accident_is_tried_again(refusals: Refusals, error: CalotypeError) -> None:
    refuse(refusals, error)
    refusals.asking("a", "a/thumb").check()


def test_who_does_not_ask_any_more_is_let_go(refusals: Refusals) -> None:
    gone: list[bool] = []
    with refusals.asking("a", "a/thumb", lambda: bool(gone)) as asking:
        asking.check()
        gone.append(True)
        with pytest.raises(AbandonedError):
            asking.check()
    refusals.asking("a", "a/thumb").check()
