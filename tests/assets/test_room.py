"""Whether there is room."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from assets.room import Room, free_bytes
from metadata.errors import FullError

if TYPE_CHECKING:
    from pathlib import Path


class HandClock:
    """Moves by hand."""

    seconds = 0.0

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return self.seconds


def test_without_limits_there_is_room(tmp_path: Path) -> None:
    Room(None, lambda: 10**30, HandClock()).check()
    Room(tmp_path, lambda: 10**30, HandClock(), min_free=0).check()
    assert free_bytes(tmp_path) > 0


def test_the_disk_s_floor_is_kept(tmp_path: Path) -> None:
    room = Room(tmp_path, lambda: 0, HandClock(), min_free=2**62)
    with pytest.raises(FullError) as caught:
        room.check()
    details = caught.value.details
    assert (details["setting"], details["limit"]) == ("CALOTYPE_MIN_FREE_BYTES", 2**62)
    Room(None, lambda: 0, HandClock(), min_free=2**62).check()


@pytest.mark.parametrize(("used", "fits"), [(0, True), (99, True), (100, False), (101, False)])
def test_the_store_s_limit_is_kept(used: int, *, fits: bool) -> None:
    room = Room(None, lambda: used, HandClock(), max_used=100)
    if fits:
        room.check()
        return
    with pytest.raises(FullError) as caught:
        room.check()
    assert caught.value.details == {"setting": "CALOTYPE_MAX_STORE_BYTES", "limit": 100, "actual": used}


def test_a_count_is_good_for_ten_seconds() -> None:
    clock, counts = HandClock(), iter([5, 500])
    room = Room(None, lambda: next(counts), clock, max_used=100)
    for clock.seconds in (0, 5, 10):
        room.check()
    clock.seconds = 10.5
    with pytest.raises(FullError):
        room.check()
