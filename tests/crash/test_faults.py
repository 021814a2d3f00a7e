"""Every call on the data folder fails, one after the other: nothing hangs, nothing is promised that is not there.

SQLite tests its error paths the same way. The calls are failed inside the process, at the one class they all go
through; writes are cut short by the kernel, at a limit to the length of files, which the index is under too.
"""

from __future__ import annotations

import errno
import random
import shutil
from typing import TYPE_CHECKING

import pytest

from metadata.errors import CalotypeError
from metadata.files import atomic
from metadata.files.identity import FileIdentity
from tests.crash.faults import BROKEN, DONE, REFUSED, Fault, Outcome, attempt, copied, opened, records_of
from tests.crash.states.operations import WHOLE, populate

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from tests.crash.states.workload import Snapshot

    Counts = Callable[[int, int, int], int]
    Promise = Callable[[str, int, int], None]

pytestmark = [pytest.mark.heavy, pytest.mark.timeout(3_600)]
ERRORS = (errno.EIO, errno.ENOSPC, errno.EACCES, errno.EMFILE)
# What is drawn at random by the operation itself: two runs never agree on it.
_TWICE_ALIKE = sorted(set(WHOLE) - {"issue a token", "open a session", "write a document", "append a line", "compact"})


class Bench:
    """Does operations under faults on copies of one store."""

    def __init__(self, home: Path) -> None:
        self._template = home / "template"
        self._folder = home / "tried"
        self._ids = populate(self._template)
        self.before = records_of(copied(self._template, self._folder))
        self._known: dict[str, tuple[int, Snapshot]] = {}

    def sound(self, operation: str) -> tuple[int, Snapshot]:
        """Return how many calls an operation makes without any fault, and what the store holds afterwards."""
        if operation not in self._known:
            outcome = attempt(copied(self._template, self._folder), self._ids, operation, Fault())
            assert outcome.said == DONE, f"{operation}: {outcome.trace}"
            self._known[operation] = outcome.calls, records_of(self._folder)
        return self._known[operation]

    def tried(self, operation: str, fault: Fault) -> Outcome:
        """Do an operation under a fault, and check what it left."""
        _, after = self.sound(operation)
        outcome = attempt(copied(self._template, self._folder), self._ids, operation, fault)
        what = f"{operation!r} under {fault}"
        assert outcome.said != BROKEN, f"{what}: {outcome.trace}"
        indexed = records_of(self._folder)
        shutil.rmtree(self._folder / "cache")
        found = records_of(self._folder)
        kept = _but_facts(found)
        if outcome.said == DONE:
            assert kept == _but_facts(after), f"{what} was acknowledged and is not there: {_differing(found, after)}"
        else:
            assert kept in (_but_facts(self.before), _but_facts(after)), (
                f"{what} left its half: {_differing(found, after)}"
            )
        assert indexed == found, f"{what} left the index with something else: {_differing(indexed, found)}"
        with opened(self._folder, seed=1) as store:
            store.assets.put(b"it takes a write")
        return outcome

    def all_of(self, chosen: Sequence[tuple[str, Fault]], row: str, promise: Promise) -> list[int]:
        """Do many, tell how many there were and how many were bad, and return what each of the good ones said."""
        said, bad = [], []
        for operation, fault in chosen:
            try:
                said.append(self.tried(operation, fault).said)
            except (AssertionError, CalotypeError) as error:
                bad.append(str(error))
        promise(row, len(chosen), len(bad))
        assert not bad, f"{len(bad)} bad of {len(chosen)}, the first:\n" + "\n".join(bad[:5])
        return said


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return Bench(tmp_path_factory.mktemp("faults"))


def test_calls_that_fail(bench: Bench, scale: int, counts: Counts, promise: Promise) -> None:
    every = [
        (operation, Fault(call, error, lasting))
        for operation in _TWICE_ALIKE
        for call in range(1, bench.sound(operation)[0] + 1)
        for error in ERRORS
        for lasting in (False, True)
    ]
    chosen = random.Random(scale).sample(every, min(len(every), counts(40, 600, 6_000)))  # noqa: S311 - the same in every run
    said = bench.all_of(chosen, "system calls that fail in turn", promise)
    assert said.count(REFUSED) > len(said) // 4


def test_writes_cut_short(bench: Bench, scale: int, counts: Counts, promise: Promise) -> None:
    chance = random.Random(scale)  # noqa: S311 - the same in every run
    every = [(operation, Fault(longest=size)) for operation in _TWICE_ALIKE for size in range(1, 9_000, 61)]
    chosen = chance.sample(every, min(len(every), counts(20, 300, 3_000)))
    said = bench.all_of(chosen, "writes cut short", promise)
    assert said.count(REFUSED) > len(said) // 4


def test_it_finds_what_is_broken(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Negative control: a store that takes a failed rename for done promises what is not there."""
    true_rename = atomic.Draft.publish

    def publish(self: atomic.Draft, *, sync: bool = True) -> object:
        try:
            return true_rename(self, sync=sync)
        except OSError:
            return FileIdentity.of(self._fs.fstat(self._descriptor))

    calls, _ = bench.sound("edit a character")
    monkeypatch.setattr(atomic.Draft, "publish", publish)
    found = []
    for call in range(1, calls + 1):
        try:
            bench.tried("edit a character", Fault(call, errno.EIO))
        except AssertionError as error:
            found.append(str(error))
    assert [each for each in found if "was acknowledged and is not there" in each], found


def _but_facts(found: Snapshot) -> Snapshot:
    """A fact comes before its record, and may stay without it."""
    return {name: body for name, body in found.items() if not name.startswith("fact ")}


def _differing(found: Snapshot, other: Snapshot) -> list[str]:
    return sorted(name for name in found.keys() | other.keys() if found.get(name) != other.get(name))
