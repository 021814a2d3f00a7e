"""One computation for all who ask at once; a refusal holds for a while, an accident does not."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from assets.images.flights import Flights
from metadata.clock import SystemClock
from metadata.errors import BusyError, InternalError, InvalidError

if TYPE_CHECKING:
    from pathlib import Path


class Later(SystemClock):
    """A clock that can be put forward."""

    ahead = 0.0

    def monotonic(self) -> float:
        return super().monotonic() + self.ahead


@pytest.fixture
def clock() -> Later:
    return Later()


@pytest.fixture
def flights(tmp_path: Path, clock: Later) -> Flights[str]:
    return Flights(tmp_path / "flights", clock)


def _nothing() -> None:
    return None


def test_what_is_there_is_not_made(flights: Flights[str]) -> None:
    assert flights.fly("a", lambda: "there", lambda: pytest.fail("made again")) == "there"


@pytest.mark.parametrize("apart", [False, True], ids=["one process", "several"])
def test_of_many_who_ask_at_once_one_makes_it(tmp_path: Path, clock: Later, *, apart: bool) -> None:
    """Objects of their own share nothing but the folder, as processes do."""
    made: list[str] = []
    together = threading.Barrier(8)
    shared: Flights[str] = Flights(tmp_path / "flights", clock)

    def make() -> str:
        made.append("x")
        return "x"

    def ask() -> str:
        mine: Flights[str] = Flights(tmp_path / "flights", clock) if apart else shared
        together.wait()
        return mine.fly("a", lambda: made[0] if made else None, make)

    with ThreadPoolExecutor(8) as pool:
        assert [task.result() for task in [pool.submit(ask) for _ in range(8)]] == ["x"] * 8
    assert made == ["x"]


def test_different_things_do_not_wait_for_each_other(flights: Flights[str]) -> None:
    inside, leave = threading.Event(), threading.Event()

    def slow() -> str:
        inside.set()
        assert leave.wait(30)
        return "slow"

    with ThreadPoolExecutor(1) as pool:
        task = pool.submit(flights.fly, "slow", _nothing, slow)
        assert inside.wait(30)
        assert flights.fly("quick", _nothing, lambda: "quick") == "quick"
        leave.set()
        assert task.result() == "slow"


def test_nothing_is_left_of_a_flight(flights: Flights[str], tmp_path: Path) -> None:
    flights.fly("a", _nothing, lambda: "x")
    assert list((tmp_path / "flights").iterdir()) == []


def test_a_refusal_holds_for_a_minute(flights: Flights[str], clock: Later) -> None:
    asked: list[int] = []

    def refuse() -> str:
        asked.append(1)
        raise InvalidError("damaged", limit=3)

    for _ in range(3):
        with pytest.raises(InvalidError, match="damaged") as caught:
            flights.fly("a", _nothing, refuse)
        assert caught.value.details == {"limit": 3}
    assert len(asked) == 1
    clock.ahead = 61
    with pytest.raises(InvalidError):
        flights.fly("a", _nothing, refuse)
    assert len(asked) == 2


@pytest.mark.parametrize("error", [InternalError("ours"), BusyError("later"), InvalidError("killed", exitStatus=-9)])
def test_an_accident_is_tried_again(flights: Flights[str], error: Exception) -> None:
    def fail() -> str:
        raise error

    with pytest.raises(type(error)):
        flights.fly("a", _nothing, fail)
    assert flights.fly("a", _nothing, lambda: "x") == "x"


def test_only_so_many_refusals_are_remembered(flights: Flights[str]) -> None:
    def refuse() -> str:
        raise InvalidError("damaged")

    for number in range(600):
        with pytest.raises(InvalidError):
            flights.fly(f"{number}", _nothing, refuse)
    assert flights.fly("0", _nothing, lambda: "x") == "x"
    with pytest.raises(InvalidError):
        flights.fly("599", _nothing, lambda: "x")


def test_who_waits_too_long_is_told(tmp_path: Path, clock: Later) -> None:
    holder: Flights[str] = Flights(tmp_path / "flights", clock)
    other: Flights[str] = Flights(tmp_path / "flights", clock, wait_s=0.05)

    def ask_other() -> str:
        with pytest.raises(BusyError, match="somebody else"):
            other.fly("a", _nothing, lambda: "x")
        return "held"

    assert holder.fly("a", _nothing, ask_other) == "held"
