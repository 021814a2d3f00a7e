"""One lock file in the kernel's hands; `tests/races` has several processes."""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from metadata.errors import UnreadableError
from metadata.files.flock import EXCLUSIVE, SHARED, KernelLock, try_flock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the lock file lies."""
    return tmp_path / "a.lock"


@pytest.fixture
def lock(path: Path) -> Iterator[KernelLock]:
    """A lock, closed afterwards."""
    lock = KernelLock(path, lambda: None)
    yield lock
    lock.close()


def taken(lock: KernelLock, operation: int = EXCLUSIVE, timeout_s: float = 0) -> int:
    """Take a lock that is free."""
    descriptor = lock.take(operation, timeout_s)
    assert descriptor is not None
    return descriptor


def waiting() -> int:
    """Return how many threads are queued in the kernel."""
    return sum(thread.name == "lock-waiter" for thread in threading.enumerate())


def until(condition: Callable[[], bool]) -> None:
    """Wait for a condition; the limit of the test is the limit."""
    while not condition():
        time.sleep(0.002)


@pytest.mark.parametrize(
    ("first", "second", "together"),
    [(SHARED, SHARED, True), (SHARED, EXCLUSIVE, False), (EXCLUSIVE, SHARED, False), (EXCLUSIVE, EXCLUSIVE, False)],
)
def test_two_takers_even_of_one_object(
    lock: KernelLock, path: Path, first: int, second: int, *, together: bool
) -> None:
    held = taken(lock, first)
    for other in (lock, KernelLock(path, lambda: None)):
        granted = other.take(second, 0)
        assert (granted is not None) is together
        if granted is not None:
            other.give(granted)
    lock.give(held)
    assert lock.take(second, 0) is not None


def test_a_descriptor_is_kept_between_holds_and_closed_in_the_end(lock: KernelLock) -> None:
    first = taken(lock)
    lock.give(first)
    second = taken(lock)
    assert second == first
    lock.give(second)
    lock.close()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(first)
    lock.give(taken(lock))


def test_what_is_taken_stays_taken_when_the_kept_ones_are_closed(lock: KernelLock, path: Path) -> None:
    held = taken(lock)
    lock.close()
    assert KernelLock(path, lambda: None).take(EXCLUSIVE, 0) is None
    lock.give(held)


def test_the_file_is_its_owners_alone_and_its_folder_is_prepared_first(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "a.lock"
    lock = KernelLock(path, lambda: path.parent.mkdir(exist_ok=True))
    held = taken(lock)
    assert path.stat().st_mode & 0o777 == 0o600
    assert not os.get_inheritable(held)
    lock.give(held)


@pytest.mark.parametrize("kept", [True, False])
def test_a_file_that_lost_its_name_guards_nothing(lock: KernelLock, path: Path, *, kept: bool) -> None:
    if kept:
        lock.give(taken(lock))
    path.unlink(missing_ok=True)
    other = KernelLock(path, lambda: None)
    held = taken(other)
    assert lock.take(EXCLUSIVE, 0) is None, "the old file would have been free"
    other.give(held)
    named = taken(lock)
    assert os.fstat(named).st_ino == path.stat().st_ino
    lock.give(named)


def test_a_file_that_another_took_the_name_of_guards_nothing(lock: KernelLock, path: Path) -> None:
    lock.give(taken(lock))
    os.link(path, path.with_name("elsewhere"))  # its link count does not tell
    other = path.with_name("other")
    other.touch()
    other.replace(path)
    held = taken(lock)
    assert os.fstat(held).st_ino == path.stat().st_ino
    lock.give(held)


def test_a_file_replaced_while_somebody_waits_for_it_is_not_what_he_gets(lock: KernelLock, path: Path) -> None:
    held = taken(lock)
    got: list[int | None] = []
    waiter = threading.Thread(target=lambda: got.append(lock.take(EXCLUSIVE, 60)), daemon=True)
    waiter.start()
    until(lambda: waiting() > 0)
    path.unlink()
    lock.give(held)
    waiter.join(20)
    assert got[0] is not None
    assert os.fstat(got[0]).st_ino == path.stat().st_ino
    lock.give(got[0])


def test_who_waits_gets_the_lock_when_it_is_given_back(lock: KernelLock) -> None:
    held = taken(lock)
    got: list[int | None] = []
    waiter = threading.Thread(target=lambda: got.append(lock.take(EXCLUSIVE, 600)), daemon=True)
    waiter.start()
    until(lambda: waiting() > 0)
    assert got == []
    lock.give(held)
    waiter.join(20)
    assert got[0] is not None
    assert lock.take(EXCLUSIVE, 0) is None
    lock.give(got[0])


def test_who_waited_in_vain_has_nothing_and_the_lock_is_free_afterwards(lock: KernelLock) -> None:
    held = taken(lock)
    for _ in range(3):
        began = time.monotonic()
        assert lock.take(EXCLUSIVE, 0.05) is None
        assert began + 0.05 <= time.monotonic()
    assert waiting() == 1, "those who come later take over who waits already"
    lock.give(held)
    until(lambda: waiting() == 0)
    lock.give(taken(lock))


def test_who_is_interrupted_while_waiting_does_not_get_the_lock_afterwards(lock: KernelLock) -> None:
    class Interrupted(BaseException):
        """As Ctrl-C raises."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        if not interrupted.is_set():
            interrupted.set()
            raise Interrupted

    def signal_when_waiting() -> None:
        until(lambda: waiting() > 0)
        while not interrupted.is_set():  # one that comes just before the wait begins does not end it
            signal.pthread_kill(main, signal.SIGUSR1)
            time.sleep(0.005)

    held, main, interrupted = taken(lock), threading.get_ident(), threading.Event()
    previous = signal.signal(signal.SIGUSR1, interrupt)
    try:
        sender = threading.Thread(target=signal_when_waiting, daemon=True)
        sender.start()
        with pytest.raises(Interrupted):
            lock.take(EXCLUSIVE, 60)
        sender.join()
    finally:
        signal.signal(signal.SIGUSR1, previous)
    lock.give(held)
    until(lambda: waiting() == 0)
    again = lock.take(EXCLUSIVE, 0)
    assert again is not None, "nobody has it, and nobody could give it back"
    lock.give(again)


def test_the_holder_is_named_and_nobody_when_it_is_free(lock: KernelLock, path: Path) -> None:
    assert lock.holder() is None
    held = taken(lock)
    if not Path("/proc/locks").exists():
        pytest.skip("this system does not tell who holds a lock")
    assert KernelLock(path, lambda: None).holder() == os.getpid()
    lock.give(held)
    assert lock.holder() is None


def test_a_link_or_a_missing_folder_says_what_could_not_be_opened(tmp_path: Path) -> None:
    with pytest.raises(UnreadableError, match="lock file"):
        KernelLock(tmp_path / "absent" / "a.lock", lambda: None).take(EXCLUSIVE, 0)
    (tmp_path / "link.lock").symlink_to(tmp_path / "victim")
    with pytest.raises(Exception, match="symbolic link"):
        KernelLock(tmp_path / "link.lock", lambda: None).take(EXCLUSIVE, 0)
    assert not (tmp_path / "victim").exists()


def test_descriptor_0_is_as_good_as_any_other(repository: Path, path: Path) -> None:
    """A daemon starts with its standard input closed, so the first file that is opened gets its number."""
    script = """
import sys
from pathlib import Path
from metadata.files.flock import EXCLUSIVE, KernelLock
lock = KernelLock(Path(sys.argv[1]), lambda: None)
for _ in range(2):
    descriptor = lock.take(EXCLUSIVE, 0)
    print(descriptor)
    lock.give(descriptor)
"""
    command = ["sh", "-c", 'exec "$0" -c "$1" "$2" <&-', sys.executable, script, str(path)]
    environment = {**os.environ, "PYTHONPATH": str(repository)}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    assert done.stdout.split() == ["0", "0"]


def test_a_file_system_without_locks_is_not_taken_for_a_held_lock(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path.touch()
    descriptor = os.open(path, os.O_RDWR)
    assert try_flock(descriptor, EXCLUSIVE)

    def refuse(_descriptor: int, _operation: int) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", refuse)
    with pytest.raises(OSError, match="No locks available"):
        try_flock(descriptor, EXCLUSIVE)
    os.close(descriptor)


def test_a_file_system_without_locks_is_said_and_leaves_no_descriptor(
    lock: KernelLock, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[int] = []
    real = os.open

    def noted(*given: object) -> int:
        opened.append(real(*given))  # type: ignore[arg-type]  # handed on as it came
        return opened[-1]

    def refuse(_descriptor: int, _operation: int) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(os, "open", noted)
    monkeypatch.setattr(fcntl, "flock", refuse)
    with pytest.raises(UnreadableError, match="No locks available"):
        lock.take(EXCLUSIVE, 0)
    assert len(opened) == 1
    assert os.path.lexists(path)
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(opened[0])
