"""Clocks that jump ten years either way, as those of machines without a battery do: nothing is lost or stuck."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from assets.digest import Digest
from calotype import LocalStore
from server.configuration import load_settings
from server.wiring import open_store

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from metadata.schemas.tags import Tag

TEN_YEARS = timedelta(days=3_653)


class Jumping:
    """A clock that is set by hand; deadlines go by one that never goes back."""

    def __init__(self) -> None:
        self._now = datetime(2026, 6, 1, tzinfo=UTC)
        self._asked = 0

    def now(self) -> datetime:
        """Return the time, a millisecond later than before."""
        self._now += timedelta(milliseconds=1)
        return self._now

    def monotonic(self) -> float:
        """Return a millisecond more than before, in seconds."""
        self._asked += 1
        return self._asked / 1000

    def jump(self, by: timedelta) -> None:
        """Be set."""
        self._now += by


@pytest.mark.parametrize("jumps", [(1, -1, -1, 1), (-1, 1, 1, -1)], ids=["forwards first", "backwards first"])
def test_records_pages_and_payloads_survive_jumps(tmp_path: Path, jumps: tuple[int, ...]) -> None:
    clock = Jumping()
    settings = load_settings({"DATA_DIR": str(tmp_path / "data"), "CALOTYPE_MIN_FREE_BYTES": "0"}).settings
    kept: dict[str, str] = {}
    for number, jump in enumerate([0, *jumps]):
        clock.jump(jump * TEN_YEARS)
        with LocalStore(open_store(settings, clock=clock)) as store:
            gc = store.inside.gc
            made = [store.assets.put(f"{number} {each}".encode()) for each in range(4)]
            store.assets.delete(made[3].id)
            kept |= {asset.id: asset.sha256 for asset in made[:3]}
            tag = store.tags.create(name=f"tag {number}")
            store.tags.edit(tag.id, _renamed(f"renamed {number}"))
            clock.jump(-jump * TEN_YEARS)  # and within one opening
            store.images.edit(made[0].id, lambda asset: asset.replaced(filename="renamed.bin"))
            plan = gc.plan()
            assert not {item.sha256 for item in plan.takes} & set(kept.values())
            gc.execute(plan, force=True)
            clock.jump(jump * TEN_YEARS)
            gc.execute(gc.plan(), force=True)
            for sha256 in kept.values():
                assert store.inside.assets.find(Digest(sha256)).size > 0
            assert store.images.get(made[0].id).filename == "renamed.bin"
            assert {each.name for each in store.tags.find_all()} == {f"renamed {each}" for each in range(number + 1)}
            assert _paged(store) == sorted(kept)


def test_a_token_is_good_whenever_the_clock_is_before_its_end(tmp_path: Path) -> None:
    clock = Jumping()
    settings = load_settings({"DATA_DIR": str(tmp_path / "data")}).settings
    with LocalStore(open_store(settings, clock=clock)) as store:
        owner = store.inside.owner.id
        forever = store.access_tokens.issue(owner, "for ever", "read")[1]
        ending = store.access_tokens.issue(owner, "a day", "read", expires_at=clock.now() + timedelta(days=1))[1]
        for jump, good in [(1, False), (-1, True), (-1, True), (1, True), (1, False), (-1, True)]:
            clock.jump(jump * TEN_YEARS)
            assert store.access_tokens.authenticate(forever) is not None
            assert (store.access_tokens.authenticate(ending) is not None) == good


def _renamed(name: str) -> Callable[[Tag], Tag]:
    return lambda tag: tag.replaced(name=name)


def _paged(store: LocalStore) -> list[str]:
    """Return the ids of all assets, as pages of two bring them."""
    found: list[str] = []
    page = store.assets.list(limit=2)
    found += [asset.id for asset in page.items]
    while page.next_cursor is not None:
        page = store.assets.list(limit=2, cursor=page.next_cursor)
        found += [asset.id for asset in page.items]
    return sorted(found)
