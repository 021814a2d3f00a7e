"""One computation for all who ask at once."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from assets.images.flights import AbandonedError, Flights
from metadata.errors import BusyError, InternalError, InvalidError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def flights(tmp_path: Path) -> Flights[str]:
    return Flights(tmp_path / "flights")


def _nothing() -> None:
    return None


def test_what_is_there_is_not_made(flights: Flights[str]) -> None:
    assert flights.fly("a", lambda: "there", lambda: pytest.fail("made again")) == "there"


@pytest.mark.parametrize("apart", [False, True], ids=["one process", "several"])
def test_of_many_who_ask_at_once_one_makes_it(tmp_path: Path, *, apart: bool) -> None:
    """Objects of their own share nothing but the folder, as processes do."""
    made: list[str] = []
    together = threading.Barrier(8)
    shared: Flights[str] = Flights(tmp_path / "flights")

    def make() -> str:
        made.append("x")
        return "x"

    def ask() -> str:
        mine: Flights[str] = Flights(tmp_path / "flights") if apart else shared
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


@pytest.mark.parametrize("error", [InternalError("ours"), BusyError("later"), InvalidError("damaged")])
def test_an_error_is_told_and_ends_with_the_flight(flights: Flights[str], error: Exception) -> None:
    def fail() -> str:
        raise error

    with pytest.raises(type(error)):
        flights.fly("a", _nothing, fail)
    assert flights.fly("a", _nothing, lambda: "x") == "x"


def test_what_its_leader_abandons_the_next_who_waits_makes(flights: Flights[str]) -> None:
    inside, leave = threading.Event(), threading.Event()

    def abandon() -> str:
        inside.set()
        assert leave.wait(30)
        raise AbandonedError("gone")

    with ThreadPoolExecutor(3) as pool:
        leader = pool.submit(flights.fly, "a", _nothing, abandon)
        assert inside.wait(30)
        followers = [pool.submit(flights.fly, "a", _nothing, lambda: "x") for _ in range(2)]
        leave.set()
        with pytest.raises(AbandonedError):
            leader.result()
        assert [task.result() for task in followers] == ["x", "x"]


def test_who_waits_too_long_is_told(tmp_path: Path) -> None:
    holder: Flights[str] = Flights(tmp_path / "flights")
    other: Flights[str] = Flights(tmp_path / "flights", wait_s=0.05)

    def ask_other() -> str:
        with pytest.raises(BusyError, match="somebody else"):
            other.fly("a", _nothing, lambda: "x")
        return "held"

    assert holder.fly("a", _nothing, ask_other) == "held"
