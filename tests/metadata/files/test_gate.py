"""The gate: many together or one alone, fair to the one; `tests/races` has several processes."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pytest

from metadata.errors import BusyError, InternalError
from metadata.files.engine import FileEngine

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from metadata.files.gate import Gate


@pytest.fixture
def gate(engine: FileEngine) -> Gate:
    """A gate of one process."""
    return engine.locks.gate


@pytest.fixture
def others(engine: FileEngine) -> Gate:
    """The same gate, as another process has it."""
    return FileEngine.open(engine.paths.root, lock_timeout_ms=50).locks.gate


def enter(gate: Gate, kind: str, timeout_ms: int) -> AbstractContextManager[None]:
    """Hold a gate shared (`s`) or alone (`x`)."""
    return gate.shared(timeout_ms) if kind == "s" else gate.exclusive(timeout_ms)


@pytest.mark.parametrize(("first", "second", "together"), [("s", "s", True), ("s", "x", False), ("x", "s", False)])
def test_between_threads(gate: Gate, first: str, second: str, *, together: bool) -> None:
    outcome: list[bool] = []

    def other() -> None:
        try:
            with enter(gate, second, 100):
                outcome.append(True)
        except BusyError as error:
            outcome.append(error.details["path"] != "locks/gate")

    with enter(gate, first, 100):
        thread = threading.Thread(target=other)
        thread.start()
        thread.join(10)
    assert outcome == [together]
    with gate.exclusive(1000):
        pass


def test_a_thread_may_nest_its_holds_but_not_turn_exclusive(gate: Gate, others: Gate) -> None:
    with gate.shared():
        with gate.shared(), pytest.raises(InternalError, match="cannot become exclusive"), gate.exclusive():
            pass
        with pytest.raises(BusyError), others.exclusive():
            pass
    with others.exclusive():
        pass
    with gate.exclusive():
        with gate.exclusive(), gate.shared():
            pass
        with pytest.raises(BusyError), others.shared():
            pass
    with others.shared(), gate.shared():
        pass


def test_after_a_shared_hold_the_thread_may_have_it_alone(gate: Gate) -> None:
    with gate.shared():
        pass
    with gate.exclusive():
        pass
    with gate.shared(), pytest.raises(InternalError), gate.exclusive():
        pass


def test_what_fails_inside_gives_the_gate_back(gate: Gate, others: Gate) -> None:
    for kind in "sx":
        with pytest.raises(ZeroDivisionError), enter(gate, kind, 1000), enter(gate, "s", 1000):
            raise ZeroDivisionError
        with others.exclusive(1000):
            pass


def test_who_could_not_enter_holds_nothing(gate: Gate, others: Gate) -> None:
    with gate.shared():
        for _ in range(2):
            with pytest.raises(BusyError), others.exclusive():
                pass
        with others.shared(1000):  # the one who gave up does not keep the turnstile either
            pass
    with others.exclusive(1000):
        pass


def test_readers_who_come_later_queue_behind_the_one_who_waits_to_be_alone(gate: Gate, engine: FileEngine) -> None:
    writers, late = (FileEngine.open(engine.paths.root, lock_timeout_ms=60_000) for _ in range(2))
    order: list[str] = []

    def write() -> None:
        with writers.locks.gate.exclusive():
            order.append("writer")

    def read() -> None:
        with late.locks.gate.shared():
            order.append("late reader")

    turn = engine.paths.root / "locks" / "gate.turn"
    with gate.shared():
        writer = threading.Thread(target=write, daemon=True)
        writer.start()
        while not turn.exists() or FileEngine.open(engine.paths.root).locks._locks.get("locks/gate.turn").probe():  # noqa: SLF001 - whether the turnstile is taken
            time.sleep(0.002)
        reader = threading.Thread(target=read, daemon=True)
        reader.start()
        with pytest.raises(BusyError) as caught, FileEngine.open(engine.paths.root).locks.gate.shared(50):
            pass
        assert caught.value.details["path"] == "locks/gate.turn"
        assert order == []
    writer.join(20)
    reader.join(20)
    assert order == ["writer", "late reader"]


def test_closing_does_not_let_go_of_what_is_held(gate: Gate, others: Gate) -> None:
    with gate.exclusive():
        gate.close()
        with pytest.raises(BusyError), others.shared():
            pass
    with others.exclusive():
        pass
