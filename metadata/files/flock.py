"""One lock file in the kernel's hands: `flock` on kept descriptors, with a deadline and without polling.

The kernel frees a lock when its holder's descriptor closes, so a dead process never blocks anybody and nothing is ever
taken from a slow one. A descriptor is kept between holds because opening costs more than locking; therefore, after
each `flock`, the file must still be linked and still be the one that the path names, or the lock guards nothing.
"""

from __future__ import annotations

import errno
import fcntl
import os
import threading
import time
from collections import deque
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from .trouble import told

if TYPE_CHECKING:
    from collections.abc import Callable

SHARED = fcntl.LOCK_SH
EXCLUSIVE = fcntl.LOCK_EX

_OPEN = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
_MODE = 0o600
_PROC_LOCKS = Path("/proc/locks")


class KernelLock:
    """Grants of one lock file, each on a descriptor of its own, so that threads exclude each other too.

    Args:
        path: the lock file; it is made when it is missing.
        prepare: called before the lock file is opened; makes its directory.
    """

    def __init__(self, path: Path, prepare: Callable[[], None]) -> None:
        self.path = path
        self._prepare = prepare
        self._idle: deque[int] = deque()
        self._waiters: dict[int, _Waiter] = {}
        self._pid = os.getpid()

    def take(self, operation: int, timeout_s: float) -> int | None:
        """Take the lock; return the descriptor that holds it, or None when the time ran out.

        Args:
            operation: `SHARED` or `EXCLUSIVE`.
            timeout_s: how long to wait; 0 tries once.

        Raises:
            UnreadableError: the lock file cannot be opened, or the file system has no such locks.
        """
        self._forget_parent()
        deadline = time.monotonic() + timeout_s
        while True:
            descriptor = self._try(operation)
            if descriptor is None and timeout_s > 0:
                os.sched_yield()
                descriptor = self._try(operation)
                if descriptor is None:
                    descriptor = self._wait(operation, deadline)
            if descriptor is None or self._guards(descriptor):
                return descriptor
            os.close(descriptor)

    def give(self, descriptor: int) -> None:
        """Give back what `take` returned, and keep the descriptor for the next one."""
        fcntl.flock(descriptor, fcntl.LOCK_UN)
        self._idle.append(descriptor)

    def close(self) -> None:
        """Close the kept descriptors; what is taken stays taken."""
        with suppress(IndexError):
            while True:
                os.close(self._idle.pop())

    def holder(self) -> int | None:
        """Return the process that holds the lock, if the system tells."""
        try:
            inode = self.path.stat().st_ino
            lines = _PROC_LOCKS.read_text(encoding="ascii").splitlines()
        except OSError:  # no such page on this system, or no lock file any more
            return None
        for line in lines:
            words = line.split()
            if words[1] == "FLOCK" and words[5].rpartition(":")[2] == str(inode) and int(words[4]) > 0:
                return int(words[4])
        return None

    def __del__(self) -> None:
        """Close the kept descriptors of a lock that nobody knows any more."""
        self.close()

    def _forget_parent(self) -> None:
        # After a fork parent and child share descriptors, so either would free the other's lock.
        if self._pid != os.getpid():
            self._pid = os.getpid()
            self._waiters = {}
            self.close()

    def _try(self, operation: int) -> int | None:
        descriptor = self._kept()
        if descriptor is None:  # not "or": 0 is a descriptor too
            descriptor = self._open()
        with told(self.path, "locked"):
            try:
                granted = try_flock(descriptor, operation)
            except OSError:
                os.close(descriptor)
                raise
        if not granted:
            self._idle.append(descriptor)
        return descriptor if granted else None

    def _kept(self) -> int | None:
        try:
            return self._idle.pop()
        except IndexError:
            return None

    def _open(self) -> int:
        with told(self.path, "opened as a lock file"):
            self._prepare()
            return os.open(self.path, _OPEN, _MODE)

    def _guards(self, descriptor: int) -> bool:
        ours = os.fstat(descriptor)
        if ours.st_nlink == 0:
            return False
        try:
            named = self.path.stat()
        except FileNotFoundError:
            return False
        return (ours.st_dev, ours.st_ino) == (named.st_dev, named.st_ino)

    def _wait(self, operation: int, deadline: float) -> int | None:
        while True:
            waiter = self._waiters.pop(operation, None)
            if waiter is None or waiter.over:
                waiter = _Waiter(self._open(), operation)
            with told(self.path, "locked"):
                descriptor = waiter.wait(deadline)
            if descriptor is not None:
                return descriptor
            if not waiter.over:  # still queued in the kernel: the next caller may have it
                self._waiters[operation] = waiter
            if time.monotonic() >= deadline:
                return None


class _Waiter:
    """A thread that waits in the kernel's queue for one lock; what it gets when nobody waits for it, it gives back."""

    def __init__(self, descriptor: int, operation: int) -> None:
        self._descriptor = descriptor
        self._operation = operation
        self._changed = threading.Condition()
        self._wanted = False
        self._granted = False
        self.over = False
        self._failure: OSError | None = None
        self._started = False

    def wait(self, deadline: float) -> int | None:
        """Return the locked descriptor, or None when the time ran out or this waiter's turn came and went before."""
        with self._changed:
            if self.over:
                return None
            self._listen(deadline)
            if self._failure is not None:
                raise self._failure
            if not self._granted:
                return None
            self.over = True
            return self._descriptor

    def _listen(self, deadline: float) -> None:
        awake = False
        self._wanted = True
        try:
            if not self._started:
                self._started = True
                threading.Thread(target=self._run, name="lock-waiter", daemon=True).start()
            self._changed.wait_for(lambda: self._granted or self.over, deadline - time.monotonic())
            awake = True
        finally:
            self._wanted = False
            if self._granted and not awake:  # interrupted, so nobody is there to take it
                self.over = True
                os.close(self._descriptor)

    def _run(self) -> None:
        try:
            fcntl.flock(self._descriptor, self._operation)
        except OSError as error:
            self._failure = error
        with self._changed:
            if self._wanted and self._failure is None:
                self._granted = True
            else:
                self.over = True
                os.close(self._descriptor)
            self._changed.notify_all()


def try_flock(descriptor: int, operation: int) -> bool:
    """Try to lock a descriptor without waiting.

    Raises:
        OSError: the file system has no such locks.
    """
    try:
        fcntl.flock(descriptor, operation | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in {errno.EWOULDBLOCK, errno.EACCES}:
            return False
        raise
    return True
