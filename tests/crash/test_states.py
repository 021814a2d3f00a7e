"""Every disk state that a power cut may leave of every public write operation, and what must hold in each.

The real library runs under strace; what it did to the disk is taken apart and put together again in every way that a
file system may, and the store is opened on each.
"""

from __future__ import annotations

import itertools
import json
import random
import shutil
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from tests.crash.states import recording
from tests.crash.states.broken import WAYS
from tests.crash.states.exploration import Exploration, explore
from tests.crash.states.operations import IN_PARTS, WHOLE, populate
from tests.crash.states.promises import NOT_COMPARED, Promises, changes, later_boot
from tests.crash.states.workload import Plan, Snapshot

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from tests.crash.states.enumeration import Model
    from tests.crash.states.recording import Recording

    Counts = Callable[[int, int, int], int]
    Promise = Callable[[str, int, int], None]
    Recorder = Callable[..., "Recorded"]

pytestmark = [pytest.mark.heavy, pytest.mark.timeout(1_200)]
_EACH = [*WHOLE, *IN_PARTS]
_POSIX = "crash states, posix model, alone and in pairs"
_OTHERS = "crash states, kill and journal models"


@dataclass(frozen=True, slots=True)
class Recorded:
    """A recording of groups of operations, what the store held between them, and the index at their end."""

    groups: list[list[str]]
    events: Recording
    snapshots: list[Snapshot]
    cache: Path

    def touched(self) -> dict[str, frozenset[str]]:
        """Return which records each operation of a group of one changes."""
        between = zip(self.groups, pairwise(self.snapshots), strict=True)
        return {group[0]: changes(before, after) for group, (before, after) in between}


@pytest.fixture(scope="module")
def recorder(tmp_path_factory: pytest.TempPathFactory) -> Recorder:
    """Return a function that records groups of operations on a fresh copy of one populated store."""
    if (reason := recording.why_not()) is not None:
        pytest.skip(reason)
    home = tmp_path_factory.mktemp("states")
    ids = populate(home / "template")
    made: dict[str, Recorded] = {}
    numbers = itertools.count()

    def record(groups: Sequence[Sequence[str]], broken: str | None = None) -> Recorded:
        key = json.dumps([groups, broken])
        if key not in made:
            made[key] = _record(
                home / f"recording-{next(numbers)}", home / "template", ids, [list(each) for each in groups], broken
            )
        return made[key]

    return record


def _record(place: Path, template: Path, ids: dict[str, str], groups: list[list[str]], broken: str | None) -> Recorded:
    place.mkdir()
    folder, promises, snapshots = (place / name for name in ("data", "promises", "snapshots"))
    shutil.copytree(template, folder)
    promises.touch()
    plan = Plan(str(folder), ids, str(promises), str(snapshots), groups, broken)
    events = recording.record(plan.command(), folder, promises, leave_out=lambda name: name in NOT_COMPARED)
    later_boot(folder / "cache")
    return Recorded(groups, events, json.loads(snapshots.read_text()), folder / "cache")


def _explored(
    recorded: Recorded, model: Model, limit: int, *, most: int = 64, touched: dict[str, frozenset[str]] | None = None
) -> Exploration:
    check = Promises(recorded.groups, recorded.snapshots, touched=touched, caches=[recorded.cache])
    return explore(recorded.events, check, model, most=most, limit=limit)


@pytest.mark.parametrize("model", ["kill", "journal", "posix"])
def test_every_operation_alone(recorder: Recorder, counts: Counts, model: Model, promise: Promise) -> None:
    limit = counts(120, 1_800, 4_000) if model == "posix" else counts(40, 400, 4_000)
    found = _explored(recorder([[name] for name in _EACH]), model, limit, most=counts(64, 512, 512))
    promise(_POSIX if model == "posix" else _OTHERS, found.states, found.bad)
    assert found.bad == 0, str(found)
    assert found.states >= min(limit, 200) // 2


def test_operations_in_pairs(recorder: Recorder, counts: Counts, promise: Promise) -> None:
    touched, limit = recorder([[name] for name in _EACH]).touched(), counts(60, 450, 900)
    for seed in range(counts(1, 8, 60)):
        mixed = random.Random(seed).sample(_EACH, len(_EACH))  # noqa: S311 - the same pairs in every run
        pairs = [mixed[place : place + 2] for place in range(0, len(mixed), 2)]
        found = _explored(recorder(pairs), "posix", limit, most=counts(16, 80, 256), touched=touched)
        promise(_POSIX, found.states, found.bad)
        assert found.bad == 0, str(found)
        assert found.states >= limit // 2


@pytest.mark.parametrize(
    ("way", "model"),
    [
        ("no sync of files", "journal"),
        ("no sync of directories", "posix"),
        ("in place", "kill"),
        ("record first", "kill"),
    ],
)
def test_it_finds_what_is_broken(recorder: Recorder, way: str, model: Model, promise: Promise) -> None:
    """Negative controls: each way to break the store leaves states that fail."""
    groups = [["put"], ["edit a character"], ["append a message"]]
    found = _explored(recorder(groups, way), model, 40)
    promise(f"control, must be bad: crash states with {way}", found.states, found.bad)
    assert found.bad > 0, f"{way} went unnoticed"


def test_every_way_to_break_it_is_tried(request: pytest.FixtureRequest) -> None:
    tried = {
        item.callspec.params["way"]
        for item in request.session.items
        if isinstance(item, pytest.Function)
        and item.originalname == "test_it_finds_what_is_broken"
        and item.function is test_it_finds_what_is_broken
    }
    assert not tried or tried == set(WAYS)
