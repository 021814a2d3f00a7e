"""Group commit: one leads, all are answered, and nobody waits for ever."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pytest

from metadata.errors import BusyError, FullError, InternalError
from metadata.files.batch import Batch
from metadata.files.group import Group

if TYPE_CHECKING:
    from collections.abc import Callable


class Interrupted(BaseException):
    """As Ctrl-C raises: what stops the whole program."""


class Rounds:
    """Performs rounds as a journal does, and notes what each wrote.

    Attributes:
        written: the ids of each round's lines.
        fail: raised instead of writing, once.
        pause: when given, the first round waits for it before it takes anybody.
        entered: set when a round has begun.
    """

    def __init__(self, pause: threading.Event | None = None) -> None:
        self.group = Group(self.perform)
        self.written: list[list[str]] = []
        self.fail: BaseException | None = None
        self.fail_before: BaseException | None = None
        self.pause = pause
        self.entered = threading.Event()

    def perform(self, born: float) -> None:
        """Do one round."""
        assert born <= time.monotonic()
        self.entered.set()
        if self.pause is not None:
            assert self.pause.wait(30)
        failure, self.fail_before = self.fail_before, None
        if failure is not None:
            raise failure
        batch = Batch(0, (1, 2), 0)
        for ticket in self.group.take():
            ticket.run(batch)
        failure, self.fail = self.fail, None
        if failure is not None:
            raise failure
        self.written.append([line.record["id"] for line in batch.lines])

    def put(self, name: str) -> str:
        """Stage one line, and return its name."""

        def work(batch: Batch) -> str:
            batch.stage({"id": name})
            return name

        return self.group.run(work)


class Callers:
    """Threads that each call something, and what came of it."""

    def __init__(self) -> None:
        self.threads: list[threading.Thread] = []
        self.outcomes: dict[str, object] = {}

    def start(self, name: str, call: Callable[[str], object]) -> None:
        """Start one."""
        thread = threading.Thread(target=self._run, args=(name, call), daemon=True)
        self.threads.append(thread)
        thread.start()

    def join(self) -> dict[str, object]:
        """Wait for all, and return what each got or met with."""
        for thread in self.threads:
            thread.join(20)
        assert not any(thread.is_alive() for thread in self.threads), "somebody waits for ever"
        return self.outcomes

    def _run(self, name: str, call: Callable[[str], object]) -> None:
        try:
            self.outcomes[name] = call(name)
        except (Exception, Interrupted) as error:  # noqa: BLE001 - whatever it is, the test looks at it
            self.outcomes[name] = error


def queue(rounds: Rounds, callers: Callers, names: str) -> None:
    """Start callers one after the other while the leader's round waits, so that all queue in this order."""
    for name in names:
        expected = len(rounds.group._queue) + 1  # noqa: SLF001 - nothing public tells how many queue
        callers.start(name, rounds.put)
        while len(rounds.group._queue) < expected:  # noqa: SLF001 - as above
            time.sleep(0.002)
        assert rounds.entered.wait(20)


def test_one_caller_gets_what_its_work_returned() -> None:
    rounds = Rounds()
    assert rounds.put("a") == "a"
    assert rounds.put("b") == "b"
    assert rounds.written == [["a"], ["b"]]


def test_who_queues_while_the_leader_waits_is_written_with_it_in_order() -> None:
    rounds, callers = Rounds(threading.Event()), Callers()
    queue(rounds, callers, "abcde")
    assert rounds.pause is not None
    rounds.pause.set()
    assert callers.join() == {name: name for name in "abcde"}
    assert rounds.written == [list("abcde")]


def test_who_comes_too_late_for_a_round_leads_the_next() -> None:
    rounds, callers = Rounds(), Callers()
    inside, go_on = threading.Event(), threading.Event()

    def slow(batch: Batch) -> str:
        inside.set()
        assert go_on.wait(20)
        batch.stage({"id": "slow"})
        return "slow"

    callers.start("slow", lambda _: rounds.group.run(slow))
    assert inside.wait(20)
    queue(rounds, callers, "xyz")
    go_on.set()
    assert callers.join() == {name: name for name in ("slow", "x", "y", "z")}
    assert rounds.written == [["slow"], ["x", "y", "z"]]


def test_a_failed_work_is_its_callers_alone_and_its_lines_are_dropped() -> None:
    rounds, callers = Rounds(threading.Event()), Callers()
    queue(rounds, callers, "a")

    def refuse(batch: Batch) -> None:
        batch.stage({"id": "half"})
        raise BusyError("not this one")

    callers.start("refused", lambda _: rounds.group.run(refuse))
    while len(rounds.group._queue) < 2:  # noqa: SLF001 - nothing public tells how many queue
        time.sleep(0.002)
    queue(rounds, callers, "b")
    assert rounds.pause is not None
    rounds.pause.set()
    outcomes = callers.join()
    assert isinstance(outcomes.pop("refused"), BusyError)
    assert outcomes == {"a": "a", "b": "b"}
    assert rounds.written == [["a", "b"]]


@pytest.mark.parametrize("failure", [FullError("no room", limit=1), OSError("odd")])
def test_a_failed_write_reaches_everybody_in_it_each_with_an_error_of_its_own(failure: Exception) -> None:
    rounds, callers = Rounds(threading.Event()), Callers()
    rounds.fail = failure
    queue(rounds, callers, "abc")
    assert rounds.pause is not None
    rounds.pause.set()
    outcomes = callers.join()
    assert outcomes["a"] is failure
    kind = FullError if isinstance(failure, FullError) else InternalError
    for name in "bc":
        error = outcomes[name]
        assert isinstance(error, kind)
        assert error is not failure
        assert error.__cause__ is failure
        assert error.details == getattr(failure, "details", {})
    assert outcomes["b"] is not outcomes["c"]
    assert rounds.put("after") == "after"


def test_a_round_that_fails_before_it_takes_anybody_fails_its_leader_alone() -> None:
    rounds, callers = Rounds(threading.Event()), Callers()
    rounds.fail_before = BusyError("locked")
    queue(rounds, callers, "abc")
    assert rounds.pause is not None
    rounds.pause.set()
    outcomes = callers.join()
    assert isinstance(outcomes.pop("a"), BusyError)
    assert outcomes == {"b": "b", "c": "c"}
    assert rounds.written == [["b", "c"]]


def test_a_commit_within_a_commit_is_an_error_and_not_a_deadlock() -> None:
    rounds = Rounds()
    with pytest.raises(InternalError, match="within"):
        rounds.group.run(lambda _: rounds.put("inner"))
    assert rounds.put("after") == "after"


def test_a_leader_that_is_stopped_leaves_nobody_waiting() -> None:
    rounds, callers = Rounds(threading.Event()), Callers()
    rounds.fail = Interrupted()
    queue(rounds, callers, "ab")
    assert rounds.pause is not None
    rounds.pause.set()
    outcomes = callers.join()
    assert isinstance(outcomes["a"], Interrupted)
    assert isinstance(outcomes["b"], InternalError)
    assert "not known" in str(outcomes["b"])
    assert rounds.put("after") == "after"


def test_a_work_that_stops_the_program_passes_through_its_leader() -> None:
    rounds = Rounds()

    def stop(_: Batch) -> None:
        raise Interrupted

    with pytest.raises(Interrupted):
        rounds.group.run(stop)
    assert rounds.put("after") == "after"


@pytest.mark.parametrize("when", ["while it waits", "just when it should lead"])
def test_a_follower_that_is_stopped_leaves_nobody_waiting(when: str, monkeypatch: pytest.MonkeyPatch) -> None:
    rounds, callers = Rounds(), Callers()
    inside, go_on, wait = threading.Event(), threading.Event(), threading.Event.wait

    def slow(_: Batch) -> None:
        inside.set()
        assert wait(go_on, 20)

    def interrupted(event: threading.Event, timeout: float | None = None) -> bool:
        if threading.current_thread() is callers.threads[1]:
            if when == "just when it should lead":
                wait(event, timeout)
            raise Interrupted
        return wait(event, timeout)

    callers.start("leader", lambda _: rounds.group.run(slow))
    assert inside.wait(20)
    monkeypatch.setattr(threading.Event, "wait", interrupted)
    callers.threads.append(threading.Thread(target=callers._run, args=("stopped", rounds.put)))  # noqa: SLF001 - its own
    callers.threads[1].start()
    if when == "while it waits":
        callers.threads[1].join(20)
    else:
        while not rounds.group._queue:  # noqa: SLF001 - nothing public tells how many queue
            time.sleep(0.002)
    go_on.set()
    outcomes = callers.join()
    assert isinstance(outcomes["stopped"], Interrupted)
    callers.start("after", rounds.put)
    assert callers.join()["after"] == "after"
    assert rounds.written[-1] == ["after"]
