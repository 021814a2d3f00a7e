"""What was found out a moment ago is remembered for a while, and not without end."""

from __future__ import annotations

import pytest

from assets.images.recent import Recent
from metadata.clock import SystemClock


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
def recent(clock: Later) -> Recent[int]:
    return Recent(clock, 60)


def test_it_is_remembered_for_its_time(recent: Recent[int], clock: Later) -> None:
    assert recent.get("a") is None
    recent.note("a", 1)
    recent.note("a", 2)
    assert recent.get("a") == 2
    clock.ahead = 61
    assert recent.get("a") is None


def test_only_so_many_are_remembered(recent: Recent[int]) -> None:
    for number in range(600):
        recent.note(f"{number}", number)
    assert recent.get("0") is None
    assert recent.get("599") == 599
