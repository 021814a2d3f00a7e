"""Reading no faster than was asked for."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from assets.fsck.pace import Pace


class Clock:
    """Goes on only when somebody waits."""

    def __init__(self) -> None:
        self.at = 100.0

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.at, UTC)

    def monotonic(self) -> float:
        return self.at

    def wait(self, seconds: float) -> None:
        self.at += seconds


def test_as_many_bytes_take_as_many_seconds() -> None:
    clock = Clock()
    pace = Pace(clock, 10.0, clock.wait)
    for _ in range(7):
        pace.passed(10)
    assert clock.at == pytest.approx(107)


def test_a_pause_is_not_made_up_for_in_a_burst() -> None:
    clock = Clock()
    pace = Pace(clock, 10.0, clock.wait)
    clock.wait(1000)
    pace.passed(100)
    assert clock.at == pytest.approx(1109)


def test_without_a_rate_nobody_waits() -> None:
    clock = Clock()
    Pace(clock, None, clock.wait).passed(10**12)
    assert clock.at == 100
