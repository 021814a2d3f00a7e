"""One lock: over threads and processes, not re-entrant, with a deadline."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

import pytest

from metadata.clock import SystemClock
from metadata.errors import BusyError, InternalError
from metadata.files.flock import KernelLock
from metadata.files.lock import Lock, busy

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the lock file lies."""
    return tmp_path / "a.json.lock"


@pytest.fixture
def lock(path: Path) -> Lock:
    """A lock that waits for a moment."""
    return made(path)


def made(path: Path, timeout_ms: int = 50) -> Lock:
    """Return another lock over the same file, as another process has one."""
    return Lock("a.json.lock", KernelLock(path, lambda: None), timeout_ms, SystemClock())


@pytest.fixture
def held_elsewhere(lock: Lock) -> Iterator[threading.Event]:
    """Another thread holds the lock until the event is set."""
    entered, leave = threading.Event(), threading.Event()

    def hold() -> None:
        with lock.hold():
            entered.set()
            leave.wait(30)

    thread = threading.Thread(target=hold)
    thread.start()
    assert entered.wait(20)
    yield leave
    leave.set()
    thread.join()


def test_a_second_hold_by_a_thread_is_an_error_at_once(lock: Lock) -> None:
    with lock.hold():
        assert lock.held
        with pytest.raises(InternalError, match="not re-entrant"), lock.hold(600_000):
            pass
        assert lock.held, "the refused one gave nothing back"
    assert not lock.held
    with lock.hold():
        pass


def test_threads_exclude_each_other_and_time_out(lock: Lock, held_elsewhere: threading.Event) -> None:
    assert not lock.held
    assert lock.probe() is False
    with pytest.raises(BusyError, match="another thread") as caught, lock.hold(0):
        pass
    assert caught.value.details == {"path": "a.json.lock", "pid": os.getpid(), "waitedMs": 0}
    held_elsewhere.set()
    with lock.hold(20_000):
        assert lock.held


def test_two_objects_of_one_file_exclude_each_other(lock: Lock, path: Path) -> None:
    other = made(path)
    with lock.hold():
        assert other.probe() is False
        with pytest.raises(BusyError) as caught, other.hold():
            pass
        assert caught.value.details["waitedMs"] == 50, "the lock's own time, as none was given"
    with other.hold(20_000), pytest.raises(BusyError), lock.hold():
        pass


def test_what_fails_inside_gives_the_lock_back(lock: Lock, path: Path) -> None:
    with pytest.raises(ZeroDivisionError), lock.hold():
        raise ZeroDivisionError
    assert not lock.held
    assert made(path).probe() is True
    with lock.hold():
        pass


def test_a_probe_leaves_everything_as_it_was(lock: Lock, path: Path) -> None:
    assert lock.probe() is True
    assert not lock.held
    with made(path).hold():
        pass
    with lock.hold():
        assert lock.probe() is False
        assert lock.held


def test_what_cannot_be_opened_leaves_the_lock_free(tmp_path: Path) -> None:
    path = tmp_path / "absent" / "a.lock"
    lock = made(path)
    for _ in range(2):
        with pytest.raises(Exception, match="lock file"), lock.hold():
            pass
    path.parent.mkdir()
    with lock.hold():
        assert lock.held


def test_a_discarded_file_guards_nothing_and_the_next_holder_makes_another(lock: Lock, path: Path) -> None:
    other = made(path)
    with other.hold():
        pass
    with lock.hold():
        lock.discard()
        assert not path.exists()
        lock.discard()
    with other.hold():
        assert path.exists()
        assert lock.probe() is False


@pytest.mark.parametrize(
    ("pid", "who"),
    [(None, "another process"), (os.getpid(), "another thread"), (1, "by process 1")],
    ids=["unknown", "this one", "another"],
)
def test_the_error_says_who_and_for_how_long(pid: int | None, who: str) -> None:
    error = busy("a.json.lock", 250, pid)
    assert who in error.message
    assert "a.json.lock" in error.message
    assert "250 ms" in error.message
    assert error.details == {"path": "a.json.lock", "pid": pid, "waitedMs": 250}
