"""The time that an animation has."""

from __future__ import annotations

import signal
import threading
from typing import TYPE_CHECKING

import pytest

from assets.images.patience import Patience

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def own_alarm() -> Iterator[None]:
    """Give back the alarm that pytest's own time limit uses."""
    left, again = signal.setitimer(signal.ITIMER_REAL, 0)
    yield
    signal.setitimer(signal.ITIMER_REAL, left, again)


def test_a_block_that_is_done_in_time_is_left_alone() -> None:
    patience = Patience(3600)
    with patience:
        pass
    assert not patience.over
    assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)


def test_what_takes_longer_is_interrupted_again_if_it_swallows_that() -> None:
    patience, swallowed, never = Patience(0.01), [], threading.Event()

    def decode() -> None:
        with patience:
            try:
                never.wait(60)
            except OSError as error:  # as libraries do: `TimeoutError` is one
                swallowed.append(error)
            never.wait(60)

    with pytest.raises(TimeoutError):
        decode()
    assert len(swallowed) == 1
    assert patience.over
    assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)
