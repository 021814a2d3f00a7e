"""What must hold in every state that a crash may leave of a store."""

from __future__ import annotations

import hashlib
import shutil
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

from tests.crash.states.operations import IN_PARTS, opened, records
from tests.crash.states.tree import read_in
from tests.crash.states.workload import END, Snapshot, snapshot

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from calotype import LocalStore

NOT_COMPARED = ("cache", "locks")
_DERIVED = {"chat": ("messageCount", "lastMessageAt")}


class Promises:
    """Checks the states of one recording; an instance is a check for `explore`.

    What was acknowledged is there and whole, what was in progress is there wholly or not at all (of operations in
    parts and of two at once: each record), nothing else has changed, every payload has the bytes its name says,
    opening the store a second time changes nothing, and it takes a write.

    Args:
        groups: the operations that were recorded; those of a group ran at the same time.
        snapshots: what the store held before the first group and after each.
        touched: of operations that ran at once, which records they are known to change.
        caches: folders of the index to begin with, taken in turn; besides them, none at all.
    """

    def __init__(
        self,
        groups: Sequence[Sequence[str]],
        snapshots: Sequence[Snapshot],
        *,
        touched: Mapping[str, frozenset[str]] | None = None,
        caches: Sequence[Path] = (),
    ) -> None:
        self._groups = groups
        self._snapshots = snapshots
        self._touched = touched or {}
        self._caches = caches

    def __call__(self, folder: Path, acknowledged: Sequence[str], number: int) -> None:
        """Check one state.

        Raises:
            AssertionError: a promise is broken.
            CalotypeError: the store cannot even be opened.
        """
        self._lay_index(folder, number)
        with opened(folder) as store:
            found = snapshot(store)
            self._check_records(found, acknowledged)
            _check_payloads(store)
        settled = read_in(folder, NOT_COMPARED)
        with opened(folder) as store:
            assert snapshot(store) == found, "opening it again gave other records"
            again = read_in(folder, NOT_COMPARED)
            changed = sorted(name for name in settled.keys() | again.keys() if settled.get(name) != again.get(name))
            assert not changed, f"opening it again changed {changed}"
            made = records(store).tags.create(user_id=store.inside.owner.id, name="after the crash")
            assert records(store).tags.get(made.id) == made

    def _lay_index(self, folder: Path, number: int) -> None:
        """Give the state the index of another moment, as a disk may hold it: the folder must not depend on it."""
        which = number % (len(self._caches) + 1)
        if which:
            shutil.copytree(self._caches[which - 1], folder / "cache")

    def _check_records(self, found: Snapshot, promised: Sequence[str]) -> None:
        ended = sum(each == END for each in promised)
        group = self._groups[ended] if ended < len(self._groups) else []
        first = sum(len(each) for each in self._groups[:ended])
        kept = [name for number, name in enumerate(group, first) if str(number) in promised]
        before, after = self._snapshots[ended], self._snapshots[min(ended + 1, len(self._groups))]
        if len(group) > 1 or any(name in IN_PARTS for name in group):
            self._check_each(found, before, after, group, kept)
            return
        # A fact comes before the record that it is about, and is about bytes that are there.
        allowed = [_without_facts(each) for each in ((after,) if kept else (before, after))]
        bare = _without_facts(found)
        wrong = [sorted(changes(each, bare) | changes(bare, each)) for each in allowed]
        assert bare in allowed, f"{group} left its half, or more than it should: {wrong}"
        facts = [name for name in found if name.startswith("fact ") and found[name] not in _of((before, after), name)]
        assert not facts, f"{group} left facts of its own: {facts}"

    def _check_each(
        self, found: Snapshot, before: Snapshot, after: Snapshot, group: Sequence[str], kept: Sequence[str]
    ) -> None:
        """Check that each record is as it was or as it came to be; as it came to be, if that was acknowledged."""
        allowed = (after,) if len(kept) == len(group) else (before, after)
        for name in {*found, *before, *after}:
            changing = [each for each in group if name in self._touched.get(each, ())]
            if len(changing) > 1:
                continue  # there are states between
            due = (after,) if any(each in kept for each in changing) else allowed
            actual, possible = _loosely(name, found), [_loosely(name, each) for each in due]
            assert actual in possible, f"{name} is {actual}, not one of {possible}; {kept} were acknowledged"


def later_boot(cache: Path) -> None:
    """Make an index look as if the machine had been started again since."""
    with closing(sqlite3.connect(cache / "index.sqlite3")) as db, db:
        db.execute("UPDATE meta SET value = 'an earlier boot' WHERE name = 'boot'")


def changes(before: Snapshot, after: Snapshot) -> frozenset[str]:
    """Return which of the records of before are others, or gone, after."""
    return frozenset(name for name in before if before[name] != after.get(name))


def _of(places: Sequence[Snapshot], name: str) -> list[object]:
    return [each.get(name) for each in places]


def _without_facts(where: Snapshot) -> Snapshot:
    return {name: body for name, body in where.items() if not name.startswith("fact ")}


def _loosely(name: str, where: Snapshot) -> object:
    """Return a record without what is derived from others, which may be on the disk before it."""
    body, derived = where.get(name), _DERIVED.get(name.partition(" ")[0], ())
    return body if body is None else {member: value for member, value in body.items() if member not in derived}


def _check_payloads(store: LocalStore) -> None:
    folder = store.settings.data_dir / "binaries"
    for payload in [*folder.iterdir(), *store.settings.data_dir.glob("trash/*.*")]:
        if payload.is_dir():
            digest = hashlib.sha256((payload / "raw").read_bytes()).hexdigest()
            assert digest == payload.name.partition(".")[0], "a payload is not whole"
    for asset in records(store).images.find_all():
        assert (folder / asset.sha256 / "raw").stat().st_size == asset.size, "a record names an absent payload"
