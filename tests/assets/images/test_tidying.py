"""Room for derived pictures: what was not used for longest goes, and nothing that is not derived."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from assets.images.recipe import recipe

if TYPE_CHECKING:
    from pathlib import Path

    from assets.images.prints import Prints
    from metadata.files.engine import FileEngine

Opener = Callable[..., "Prints"]
Shelve = Callable[..., "Path"]


@pytest.fixture
def shelve(engine: FileEngine) -> Shelve:
    """Put a derived picture of so many bytes beside a payload, used so many seconds ago."""

    def put(number: int, size: int, age_s: float, made_by: str | None = None) -> Path:
        folder = engine.paths.root / "binaries" / f"{number:064x}"
        folder.mkdir(exist_ok=True)
        (folder / "raw").write_bytes(b"raw")
        path: Path = folder / f"256x256-cover.r{made_by or recipe()}.webp"
        path.write_bytes(bytes(size))
        used = time.time() - age_s
        os.utime(path, (used, used))
        return path

    return put


def test_nothing_goes_while_there_is_room(open_prints: Opener, shelve: Shelve) -> None:
    prints = open_prints(budget=1000)
    paths = [shelve(number, 100, number) for number in range(10)]
    assert prints.tidying.tidy() == 0
    assert all(path.exists() for path in paths)
    account = prints.ledger.read()
    assert (account.known, account.size, account.files) == (True, 1000, 10)


def test_what_was_not_used_for_longest_goes_first(open_prints: Opener, shelve: Shelve) -> None:
    prints = open_prints(budget=1000)
    paths = [shelve(number, 100, 10_000 * (number % 7) + number) for number in range(14)]
    gone = prints.tidying.tidy()
    assert gone == 5
    oldest = sorted(paths, key=lambda path: int(path.parent.name, 16) % 7 * 10_000 + int(path.parent.name, 16))[-5:]
    assert {path for path in paths if not path.exists()} == set(oldest)
    account = prints.ledger.read()
    assert (account.size, account.files, account.evicted) == (900, 9, 5)
    assert prints.tidying.tidy() == 0


def test_other_recipes_go_first(open_prints: Opener, shelve: Shelve) -> None:
    prints = open_prints(budget=1000)
    new = [shelve(number, 100, 1_000_000) for number in range(10)]
    old = [shelve(number, 100, 20, made_by="0-00000000") for number in range(3)]
    assert prints.tidying.tidy() == 3
    assert [path.exists() for path in [*new, *old]] == [True] * 10 + [False] * 3


def test_it_looks_at_one_number_while_there_is_room(open_prints: Opener, shelve: Shelve) -> None:
    """Counted once, it is believed: no folder is looked through for every question."""
    prints = open_prints(budget=1000)
    prints.tidying.tidy()
    path = shelve(1, 5000, 20)
    assert prints.tidying.tidy() == 0
    prints.ledger.add(size=5000, files=1)
    assert prints.tidying.tidy() == 1
    assert not path.exists()


def test_only_what_is_derived_goes(open_prints: Opener, shelve: Shelve, engine: FileEngine) -> None:
    derived = shelve(1, 10, 20)
    others = [derived.parent / name for name in ("raw", "notes.webp", "a.r1-00000000.txt", "x.RAW")]
    for other in others:
        other.write_bytes(b"mine")
    elsewhere = engine.paths.root / "binaries" / "mine"
    elsewhere.mkdir()
    (elsewhere / derived.name).write_bytes(b"mine")
    assert open_prints(budget=0).tidying.tidy() == 1
    assert not derived.exists()
    assert all(other.exists() for other in others)
    assert (elsewhere / derived.name).exists()


def test_purge_removes_all_or_what_is_stale(open_prints: Opener, shelve: Shelve) -> None:
    prints = open_prints()
    new, old = shelve(1, 10, 0), shelve(1, 10, 0, made_by="0-00000000")
    assert prints.tidying.purge(stale=True) == 1
    assert (new.exists(), old.exists()) == (True, False)
    assert prints.tidying.purge() == 1
    assert not new.exists()
    assert (new.parent / "raw").exists()
    assert prints.ledger.read().size == 0


def test_what_a_dead_process_left_half_done_goes(open_prints: Opener, shelve: Shelve) -> None:
    beside = shelve(1, 10, 0).parent
    old, young = beside / ".256x256-cover.r1.webp.1.aaaa.tmp", beside / ".256x256-cover.r1.webp.2.aaaa.tmp"
    for path, age in ((old, 10_000), (young, 0)):
        path.write_bytes(b"half")
        os.utime(path, (time.time() - age, time.time() - age))
    open_prints().tidying.tidy()
    assert (old.exists(), young.exists()) == (False, True)


def test_two_do_not_tidy_at_once(open_prints: Opener, shelve: Shelve, monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = open_prints(budget=0), open_prints(budget=0)
    shelve(1, 10, 20)
    meanwhile: list[int] = []
    counted = one.ledger.counted

    def count(*arguments: object) -> object:
        meanwhile.append(other.tidying.tidy())
        return counted(*arguments)  # type: ignore[arg-type] # handed on

    monkeypatch.setattr(one.ledger, "counted", count)
    assert one.tidying.tidy() == 1
    assert meanwhile == [0]


def test_no_payloads_at_all(open_prints: Opener, engine: FileEngine) -> None:
    (engine.paths.root / "binaries").rmdir()
    assert open_prints(budget=0).tidying.tidy() == 0


def test_what_is_young_stays_and_counts(open_prints: Opener, shelve: Shelve) -> None:
    """Its reader is on the way; so older ones go instead."""
    prints = open_prints(budget=1000)
    young, old = [shelve(number, 300, 0) for number in range(3)], shelve(9, 300, 60)
    assert prints.tidying.tidy() == 1
    assert all(path.exists() for path in young)
    assert not old.exists()
    more = shelve(10, 300, 0)
    prints.ledger.add(size=300, files=1)
    assert prints.tidying.tidy(young=True) == 1
    assert sum(path.exists() for path in (*young, more)) == 3


def test_a_file_of_the_future_may_go(open_prints: Opener, shelve: Shelve) -> None:
    """A clock that was put back must not keep what was made before for ever."""
    path = shelve(1, 5000, -100_000)
    assert open_prints(budget=1000).tidying.tidy() == 1
    assert not path.exists()


def test_far_over_the_budget_room_is_made_at_once_but_not_all_the_time(open_prints: Opener, shelve: Shelve) -> None:
    prints = open_prints(budget=1000)
    prints.tidying.tidy()
    first = shelve(1, 1250, 60)
    prints.tidying.relieve(prints.ledger.add(size=1250, files=1))
    assert first.exists(), "the next round is soon enough"
    prints.tidying.relieve(prints.ledger.add(size=1))
    assert not first.exists()
    second = shelve(2, 5000, 60)
    prints.tidying.relieve(prints.ledger.add(size=5000, files=1))
    assert second.exists(), "it looked at everything a moment ago"
