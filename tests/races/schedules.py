"""Run real code under chosen schedules: one thread at a time, switched where it touches files or locks.

Each program runs on a store of its own, as another process would, over one folder. Its file system (`Yielding`) and its
kernel locks stop before every call that others could see; there the explorer decides who goes on. A lock that is taken
makes its waiter wait for the explorer, not for the kernel, so every order can be had, and a deadlock is seen at once.

The first schedule runs the programs one after the other. From every schedule seen, new ones branch off: the same
choices up to some point, and there another program goes on. At most `preemptions` of the switches take a program off
that could have gone on; few are enough to find what there is to find (Musuvathi and Qadeer, "Iterative context bounding
for systematic testing of multithreaded programs", 2007). Which branch is tried next is drawn from a seeded generator.
"""

from __future__ import annotations

import random
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from metadata.files.filesystem import FileSystem
from metadata.files.flock import KernelLock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import pytest

STOPS = ("write", "pwrite", "rename", "unlink", "rmdir", "mkdir", "scandir")
"""The calls before which a program stops; those that only look are made between them often enough."""

_LONGEST_S = 60.0
_here = threading.local()


class Halted(BaseException):
    """Ends a program whose schedule cannot go on."""


@dataclass
class Actor:
    """One program of a schedule."""

    name: str
    state: str = "ready"
    error: BaseException | None = None
    go: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))


@dataclass(frozen=True)
class Choice:
    """One decision: who went on, who could have, and who had been running."""

    chosen: int
    ready: tuple[int, ...]
    running: int | None

    def preempts(self, other: int) -> bool:
        """Tell whether letting another one go on instead would have taken the running one off."""
        return self.running in self.ready and other != self.running


class Schedule:
    """One run of some programs.

    Args:
        prefix: whom to let go on, decision by decision; afterwards whoever runs goes on as long as it can.

    Attributes:
        choices: the decisions that were made.
        trace: what happened: program and call.
    """

    def __init__(self, prefix: Sequence[int]) -> None:
        self._prefix = prefix
        self._stopped = threading.Semaphore(0)
        self._halted = False
        self._actors: list[Actor] = []
        self.choices: list[Choice] = []
        self.trace: list[str] = []

    def run(self, programs: Sequence[tuple[str, Callable[[], object]]]) -> list[BaseException]:
        """Run the programs to their ends; return what they raised.

        Raises:
            AssertionError: each waits for another.
        """
        self._actors = [Actor(name) for name, _ in programs]
        threads = [
            threading.Thread(target=self._perform, args=(actor, work), daemon=True)
            for actor, (_, work) in zip(self._actors, programs, strict=True)
        ]
        for thread in threads:
            thread.start()
        stuck = self._conduct()
        for thread in threads:
            thread.join(_LONGEST_S)
        assert not stuck, f"deadlock: {self.trace[-10:]}"
        return [actor.error for actor in self._actors if actor.error is not None]

    def stop(self, actor: Actor, what: str, *, blocked: bool = False) -> None:
        """Stop a program before a call, until it is its turn."""
        actor.state = "blocked" if blocked else "ready"
        self._stopped.release()
        assert actor.go.acquire(timeout=_LONGEST_S)
        if self._halted:
            raise Halted
        self.trace.append(f"{actor.name}: {what}")

    def _perform(self, actor: Actor, work: Callable[[], object]) -> None:
        actor.go.acquire()
        _here.schedule, _here.actor = self, actor
        try:
            if not self._halted:
                work()
        except Halted:
            pass
        except BaseException as error:  # noqa: BLE001 - told to whoever runs the schedule
            actor.error = error
        actor.state = "over"
        self._stopped.release()

    def _conduct(self) -> bool:
        """Let one go on at a time; return whether it ended because none could."""
        running: int | None = None
        while any(actor.state != "over" for actor in self._actors):
            ready = tuple(number for number, actor in enumerate(self._actors) if actor.state == "ready")
            if not ready:
                self._halted = True
                for actor in self._actors:
                    actor.go.release()
                return True
            running = self._choose(ready, running)
            actor = self._actors[running]
            actor.go.release()
            assert self._stopped.acquire(timeout=_LONGEST_S), f"no stop: {self.trace[-10:]}"
            if actor.state != "blocked":  # it did something: whoever waits may look again
                for other in self._actors:
                    other.state = "ready" if other.state == "blocked" else other.state
        return False

    def _choose(self, ready: tuple[int, ...], running: int | None) -> int:
        at = len(self.choices)
        chosen = running if running in ready else ready[0]
        if at < len(self._prefix) and self._prefix[at] in ready:
            chosen = self._prefix[at]
        assert chosen is not None
        self.choices.append(Choice(chosen, ready, running))
        return chosen


def stop(what: str, *, blocked: bool = False) -> bool:
    """Stop here if this thread runs under a schedule; return whether it does."""
    schedule: Schedule | None = getattr(_here, "schedule", None)
    if schedule is not None:
        schedule.stop(_here.actor, what, blocked=blocked)
    return schedule is not None


class Yielding(FileSystem):
    """The machine's file system, stopping before each of `STOPS`."""


def _stopping(name: str) -> Callable[..., Any]:
    def method(self: Yielding, *given: Any) -> Any:
        stop(f"{name} {getattr(given[0], 'name', '')}")
        return getattr(FileSystem, name)(self, *given)

    return method


for _name in STOPS:
    setattr(Yielding, _name, _stopping(_name))


def schedule_locks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have waiting for a kernel lock decided by the schedule, in threads that run under one."""
    plain = KernelLock.take

    def take(lock: KernelLock, operation: int, timeout_s: float) -> int | None:
        if not stop(f"lock {lock.path.name}"):
            return plain(lock, operation, timeout_s)
        while (descriptor := plain(lock, operation, 0)) is None and timeout_s > 0:
            stop(f"wait for {lock.path.name}", blocked=True)
        return descriptor

    monkeypatch.setattr(KernelLock, "take", take)


@contextmanager
def unscheduled() -> Iterator[None]:
    """Do something in one go, within a program."""
    kept = getattr(_here, "schedule", None)
    _here.schedule = None
    try:
        yield
    finally:
        _here.schedule = kept


@dataclass
class Found:
    """What an exploration found.

    Attributes:
        schedules: how many different ones ran.
        bad: of those that ended badly, what was wrong and the trace.
    """

    schedules: int = 0
    bad: list[tuple[str, list[str]]] = field(default_factory=list)


def explore(
    once: Callable[[Callable[[Sequence[tuple[str, Callable[[], object]]]], list[BaseException]]], str | None],
    *,
    limit: int,
    preemptions: int = 2,
    seed: int = 1,
    until_bad: bool = False,
) -> Found:
    """Try schedules.

    Args:
        once: prepares, calls what it is given with its programs (name and function), and says what is wrong
            afterwards, None when nothing is.
        limit: how many different schedules to try.
        preemptions: how often a program may be taken off that could go on.
        seed: for the order in which branches are tried.
        until_bad: end with the first bad one.
    """
    draw, found = random.Random(seed), Found()  # noqa: S311 - the order of tests
    waiting: list[tuple[tuple[int, ...], int]] = [((), 0)]
    seen: set[tuple[int, ...]] = set()
    while waiting and found.schedules < limit:
        place = draw.randrange(len(waiting))
        waiting[place], waiting[-1] = waiting[-1], waiting[place]
        prefix, used = waiting.pop()
        schedule = Schedule(prefix)
        wrong = once(schedule.run)
        made = tuple(choice.chosen for choice in schedule.choices)
        if made in seen:
            continue
        seen.add(made)
        found.schedules += 1
        if wrong is not None:
            found.bad.append((wrong, schedule.trace))
            if until_bad:
                break
        for at in range(len(prefix), len(schedule.choices)):
            choice = schedule.choices[at]
            for other in choice.ready:
                cost = used + choice.preempts(other)
                if other != choice.chosen and cost <= preemptions:
                    waiting.append(((*made[:at], other), cost))
    return found
