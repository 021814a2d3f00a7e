"""What one collection leaves for the next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assets.gc.state import LastRun

if TYPE_CHECKING:
    from tests.assets.conftest import House


def test_what_is_saved_is_loaded(house: House) -> None:
    state = house.gc.premises.state
    assert state.load() == LastRun()
    for last in (LastRun("2026-05-01T00:00:00.000Z", {"asset": 3}), LastRun("x", {}, "because")):
        state.save(last)
        assert state.load() == last


def test_how_long_ago(house: House) -> None:
    last = LastRun("2026-05-01T00:00:00.000Z")
    house.clock.go(seconds=5)
    assert last.since(house.clock.now()) == 5
    assert (last.moment, LastRun().moment) == (house.clock.now().timestamp() - 5, 0)
    house.clock.go(seconds=-6)
    assert last.since(house.clock.now()) is None
    assert LastRun().since(house.clock.now()) is None
