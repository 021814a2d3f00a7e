"""Every two public write operations at once, in two processes: what comes of it is what one after the other gives.

Both run on real stores over one folder, in threads that stop before each call on files and locks (`schedules.py`), and
a seeded draw decides who goes on. Where the two touch different records, the outcome is known from each alone; where
they do not, it has to be that of one of the two orders.
"""

from __future__ import annotations

import itertools
import random
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from calotype import LocalStore
from metadata.errors import CalotypeError
from server.configuration import load_settings
from server.wiring import open_store
from tests.crash.faults import SameIds, SameTime, copied, records_of
from tests.crash.states.operations import WHOLE, populate, records

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import ModuleType

    from tests.crash.states.workload import Snapshot

    Promise = Callable[[str, int, int], None]

_DRAWN = {"issue a token", "open a session"}  # no two runs agree on what they store
_BESIDE = {"write a document", "append a line", "compact"}  # change no record
OPERATIONS = sorted(set(WHOLE) - _DRAWN - _BESIDE)
PAIRS = list(itertools.combinations(OPERATIONS, 2))
_SWITCH = 0.12


class Pairs:
    """Does operations at once on copies of one store."""

    def __init__(self, home: Path, schedules: ModuleType) -> None:
        self._template, self._folder = home / "template", home / "tried"
        self._schedules = schedules
        self._ids = populate(self._template)
        self._before = records_of(copied(self._template, self._folder))
        self._alone: dict[tuple[str, int], Snapshot] = {}

    def wrong(self, pair: tuple[str, str], seed: int) -> str | None:
        """Do two operations in an order drawn by a seed; say what is wrong with what came of it."""
        refused = self.run(pair, self.drawn(seed))
        found = records_of(self._folder)
        shutil.rmtree(self._folder / "cache")
        if (again := records_of(self._folder)) != found:
            return f"the index has something else: {_differing(found, again)}"
        if found == self._apart([place for place in (0, 1) if place not in refused], pair):
            return None
        expected = [self._in_turn(pair, order) for order in ((0, 1), (1, 0))]
        if found in expected:
            return None
        return f"neither order gives it: {[_differing(found, each) for each in expected]}, refused {refused}"

    def drawn(self, seed: int) -> Any:
        """Return a schedule that goes on with another program now and then."""
        draw, schedules = random.Random(seed), self._schedules  # noqa: S311 - the same in every run

        class Drawn(schedules.Schedule):  # type: ignore[misc, name-defined]  # loaded by its path
            def _choose(self, ready: tuple[int, ...], running: int | None) -> int:
                stays = running in ready and draw.random() > _SWITCH
                chosen = running if stays and running is not None else draw.choice(ready)
                self.choices.append(schedules.Choice(chosen, ready, running))
                return chosen

        return Drawn(())

    def run(self, pair: Sequence[str], schedule: Any) -> dict[int, str]:
        """Do operations on a fresh copy under a schedule; return which were refused, and why."""
        copied(self._template, self._folder)
        stores = [_opened(self._folder, number, self._schedules.Yielding()) for number in range(len(pair))]
        refused: dict[int, str] = {}

        def do(place: int) -> None:
            try:
                WHOLE[pair[place]](stores[place], self._ids)
            except CalotypeError as error:
                refused[place] = error.message

        raised = schedule.run([(name, lambda place=place: do(place)) for place, name in enumerate(pair)])
        for store in stores:
            store.close()
        assert raised == [], f"{pair}: {raised}"
        return refused

    def _in_turn(self, pair: tuple[str, str], order: tuple[int, int]) -> Snapshot:
        self.run(pair, self._schedules.Schedule([order[0]]))
        return records_of(self._folder)

    def _apart(self, done: list[int], pair: tuple[str, str]) -> Snapshot | None:
        """Return what both did, if they changed different records."""
        merged, touched = dict(self._before), set[str]()
        for place in done:
            alone = self._after(pair[place], place)
            changed = set(_differing(alone, self._before))
            if changed & touched:
                return None
            touched |= changed
            merged = {name: body for name, body in merged.items() if name not in changed}
            merged |= {name: alone[name] for name in changed & alone.keys()}
        return merged

    def _after(self, name: str, place: int) -> Snapshot:
        if (name, place) not in self._alone:
            copied(self._template, self._folder)
            with _opened(self._folder, place) as store:
                WHOLE[name](store, self._ids)
            self._alone[name, place] = records_of(self._folder)
        return self._alone[name, place]


def _opened(folder: Path, seed: int, fs: Any = None) -> LocalStore:
    settings = load_settings({"DATA_DIR": str(folder), "CALOTYPE_MIN_FREE_BYTES": "0"}, {"durability": "none"}).settings
    more = {} if fs is None else {"fs": fs}
    return LocalStore(open_store(settings, clock=SameTime(), ids=SameIds(seed), **more))


def _differing(found: Snapshot, other: Snapshot) -> list[str]:
    return sorted(name for name in found.keys() | other.keys() if found.get(name) != other.get(name))


@pytest.fixture
def pairs(tmp_path: Path, load_beside: Callable[[Path], ModuleType], monkeypatch: pytest.MonkeyPatch) -> Pairs:
    """Copies of one store, whose locks and files stop for the schedule."""
    schedules = load_beside(Path(__file__).with_name("schedules.py"))
    made = Pairs(tmp_path, schedules)
    schedules.schedule_locks(monkeypatch)
    return made


@pytest.mark.heavy
@pytest.mark.timeout(1_800)
def test_two_writes_at_once_are_one_after_the_other(
    pairs: Pairs, counts: Callable[[int, int, int], int], promise: Promise
) -> None:
    """Every pair in turn; every day some of them."""
    tried = counts(12, len(PAIRS), 10 * len(PAIRS))
    shuffled = random.Random(1).sample(PAIRS, len(PAIRS))  # noqa: S311 - the same in every run
    bad = []
    for number in range(tried):
        pair = shuffled[number % len(shuffled)]
        if wrong := pairs.wrong(pair, number):
            bad.append(f"{pair}, seed {number}: {wrong}")
    promise("schedules of every pair of writes", tried, len(bad))
    assert bad == []


@pytest.mark.heavy
@pytest.mark.timeout(600)
def test_an_edit_from_an_old_copy_is_caught(pairs: Pairs, monkeypatch: pytest.MonkeyPatch, promise: Promise) -> None:
    """Negative control: a write that was worked out before the lock was taken undoes another's."""

    def stale(store: LocalStore, ids: dict[str, str]) -> None:
        old = records(store).characters.get(ids["Anna"])
        records(store).characters.edit(ids["Anna"], lambda _: old.replaced(description="from an old copy"))

    monkeypatch.setitem(WHOLE, "edit from an old copy", stale)
    pair = ("edit a character", "edit from an old copy")
    caught = next((seed for seed in range(100) if pairs.wrong(pair, seed)), None)
    assert caught is not None
    promise("control, must be bad: schedules with an edit from an old copy", caught + 1, 1)
