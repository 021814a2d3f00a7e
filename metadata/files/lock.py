"""One lock of the data folder: a thread mutex before a kernel lock."""

from __future__ import annotations

import os
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ..errors import BusyError, InternalError
from .flock import EXCLUSIVE, KernelLock
from .trouble import told

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..clock import Clock


class Lock:
    """An exclusive lock over threads and processes, not re-entrant.

    Args:
        name: the relative path, for messages.
        kernel: the lock file.
        timeout_ms: how long `hold` waits unless told otherwise.
        clock: for the deadline.
    """

    def __init__(self, name: str, kernel: KernelLock, timeout_ms: int, clock: Clock) -> None:
        self.name = name
        self._kernel = kernel
        self._timeout_ms = timeout_ms
        self._clock = clock
        self._mutex = threading.Lock()
        self._owner: int | None = None
        self._pid = os.getpid()

    @contextmanager
    def hold(self, timeout_ms: int | None = None) -> Iterator[None]:
        """Hold the lock for a block.

        Args:
            timeout_ms: how long to wait for it; None takes the store's setting.

        Raises:
            BusyError: it was not free in time; `path` names it and `pid` its holder, if known.
            InternalError: this thread holds it already.
            UnreadableError: the lock file cannot be opened.
        """
        wait_ms = self._timeout_ms if timeout_ms is None else timeout_ms
        descriptor = self._take(wait_ms)
        try:
            yield
        finally:
            self._give(descriptor)

    @contextmanager
    def alone(self, what: str) -> Iterator[None]:
        """Hold the lock for a block, at once or not at all.

        Args:
            what: what somebody else may be at, as in "Another backup of this store".

        Raises:
            BusyError: somebody is; as of `hold`.
        """
        try:
            descriptor = self._take(0)
        except BusyError as error:
            raise BusyError(f"{what} is under way; try again when it is done.", **error.details) from error
        try:
            yield
        finally:
            self._give(descriptor)

    def probe(self) -> bool:
        """Tell, without waiting, whether the lock is free now."""
        self._forget_parent()
        if not self._mutex.acquire(blocking=False):
            return False
        try:
            descriptor = self._kernel.take(EXCLUSIVE, 0)
            if descriptor is not None:
                self._kernel.give(descriptor)
            return descriptor is not None
        finally:
            self._mutex.release()

    @property
    def held(self) -> bool:
        """Whether this thread holds the lock."""
        return self._owner == threading.get_ident() and self._pid == os.getpid()

    def close(self) -> None:
        """Close the kept descriptors; a later hold opens the file again."""
        self._kernel.close()

    def discard(self) -> None:
        """Remove the lock file; the caller holds the lock."""
        with told(self.name, "removed"):
            self._kernel.path.unlink(missing_ok=True)

    def _take(self, wait_ms: int) -> int:
        self._forget_parent()
        if self._owner == threading.get_ident():
            raise InternalError(f"{self.name} is locked by this thread already; its locks are not re-entrant.")
        started = self._clock.monotonic()
        if not self._mutex.acquire(timeout=wait_ms / 1000):
            raise busy(self.name, wait_ms, os.getpid())
        descriptor = None
        try:
            left = wait_ms / 1000 - (self._clock.monotonic() - started)
            descriptor = self._kernel.take(EXCLUSIVE, max(0.0, left))
        finally:
            if descriptor is None:
                self._mutex.release()
        if descriptor is None:
            raise busy(self.name, wait_ms, self._kernel.holder())
        self._owner = threading.get_ident()
        return descriptor

    def _give(self, descriptor: int) -> None:
        self._owner = None
        try:
            self._kernel.give(descriptor)
        finally:
            self._mutex.release()

    def _forget_parent(self) -> None:
        if self._pid != os.getpid():  # a fork: whichever thread held the mutex, it is not here
            self._mutex = threading.Lock()
            self._owner = None
            self._pid = os.getpid()


def busy(path: str, wait_ms: int, pid: int | None) -> BusyError:
    """Return the error of a lock that was not free in time."""
    who = "by another process" if pid is None else "by another thread" if pid == os.getpid() else f"by process {pid}"
    text = f"{path} is locked {who}; it was not free within {wait_ms} ms. Try again, or see what that process does."
    return BusyError(text, path=path, pid=pid, waitedMs=wait_ms)
