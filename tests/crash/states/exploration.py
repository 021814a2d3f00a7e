"""Build every disk state that a crash of a recorded program may leave, and check each."""

from __future__ import annotations

import hashlib
import random
import re
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tests.crash.states.enumeration import choices, crash_points
from tests.crash.states.tree import state, write_out

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.crash.states.enumeration import CrashPoint, Model
    from tests.crash.states.recording import Recording
    from tests.crash.states.tree import Chosen

    Check = Callable[[Path, Sequence[str], int], None]

_NUMBERS = re.compile(r"[0-9a-f]{8,}|\d+")
_LONGEST = 600
_MEMORY = Path("/dev/shm")  # noqa: S108 - states are written by the thousand; the folder below it has a name of its own


@dataclass(frozen=True, slots=True)
class Failure:
    """A state that failed its check.

    Attributes:
        why: what the check said.
        where: the crash point.
        lost: which pending operations were not on the disk, or not whole.
    """

    why: str
    where: str
    lost: tuple[str, ...]

    def __str__(self) -> str:
        """Return it as a person reads it."""
        return f"{self.why}\n    crash {self.where}; lost or torn: {'; '.join(self.lost) or 'nothing'}"


@dataclass(slots=True)
class Exploration:
    """What was found.

    Attributes:
        points: how many crash points there were.
        states: how many different states were checked.
        failures: the failure with the least lost of each sort.
        bad: how many states failed.
    """

    points: int = 0
    states: int = 0
    bad: int = 0
    failures: dict[str, Failure] = field(default_factory=dict)

    def __str__(self) -> str:
        """Return it as a person reads it."""
        lines = [f"{self.points} crash points, {self.states} states, {self.bad} bad"]
        return "\n".join([*lines, *map(str, self.failures.values())])


def explore(
    recording: Recording, check: Check, model: Model, *, most: int, limit: int | None = None, seed: int = 0
) -> Exploration:
    """Check the states that a crash may leave.

    Args:
        recording: what the program did.
        check: takes a folder, the promises made by then, and the state's running number; raises if the folder does not
            keep them. It may change the folder.
        model: what the file system may do.
        most: about how many subsets of pending operations a crash point is looked at with.
        limit: how many different states in all, drawn evenly from the choices, when there are as many. None: all.
        seed: of what is left to chance.
    """
    found = Exploration()
    seen: set[bytes] = set()
    candidates: list[tuple[CrashPoint, list[Chosen]]] = []
    chance = random.Random(seed)  # noqa: S311 - the same states in every run
    for point in crash_points(recording.events, model):
        found.points += 1
        candidates += [(point, chosen) for chosen in choices(point, model, most, chance)]
    if limit is not None:
        chance.shuffle(candidates)  # many choices leave the same state
    memory = _MEMORY if _MEMORY.is_dir() else None
    with tempfile.TemporaryDirectory(prefix="crash-", dir=memory) as work:
        for point, chosen in candidates:
            if found.states == limit:
                break
            operations = sorted([*((each, None) for each in point.durable), *chosen], key=lambda each: each[0].serial)
            tree = state(recording.before, operations)
            digest = hashlib.blake2b(repr((tree, point.acknowledged)).encode()).digest()
            if digest not in seen:
                seen.add(digest)
                write_out(tree, Path(work, "state"))
                _check(found, check, Path(work, "state"), point, chosen)
    return found


def _check(found: Exploration, check: Check, folder: Path, point: CrashPoint, chosen: list[Chosen]) -> None:
    found.states += 1
    try:
        check(folder, point.acknowledged, found.states)
    except Exception as error:  # noqa: BLE001 - whatever a check or the store raises is a finding
        found.bad += 1
        whole = {each.serial for each, instead in chosen if instead is None}
        lost = tuple(each.what for each in point.pending if each.serial not in whole)
        failure = Failure(f"{type(error).__name__}: {error}"[:_LONGEST], point.where, lost)
        sort = _NUMBERS.sub("N", failure.why)[:160]
        known = found.failures.get(sort)
        if known is None or len(lost) < len(known.lost):
            found.failures[sort] = failure
