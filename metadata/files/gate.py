"""A lock that many may share or one may have alone, fair to the one.

Readers that come and go without a pause would starve whoever waits to be alone: the kernel lets a new reader in as
long as another is inside. So everybody first takes a turnstile; the one who waits keeps it, and readers queue there.
"""

from __future__ import annotations

import os
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ..errors import InternalError
from .flock import EXCLUSIVE, SHARED, KernelLock
from .lock import Lock, busy

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..clock import Clock


class Gate:
    """A shared and exclusive lock over threads and processes; a thread may nest its holds.

    Args:
        name: the relative path, for messages.
        kernel: the lock file.
        turn: the turnstile's lock.
        timeout_ms: how long holds wait unless told otherwise.
        clock: for the deadline.
    """

    def __init__(self, name: str, kernel: KernelLock, turn: Lock, timeout_ms: int, clock: Clock) -> None:
        self._name = name
        self._kernel = kernel
        self._turn = turn
        self._timeout_ms = timeout_ms
        self._clock = clock
        self._mine = _Mine()

    @contextmanager
    def shared(self, timeout_ms: int | None = None) -> Iterator[None]:
        """Hold the gate together with others; inside a hold of this thread it changes nothing.

        Raises:
            BusyError: somebody had it alone for too long.
            UnreadableError: the lock file cannot be opened.
        """
        with self._hold(SHARED, timeout_ms):
            yield

    @contextmanager
    def exclusive(self, timeout_ms: int | None = None) -> Iterator[None]:
        """Hold the gate alone; inside an exclusive hold of this thread it changes nothing.

        Raises:
            BusyError: it was not free in time.
            InternalError: this thread holds it shared: two such threads would wait for each other for ever.
            UnreadableError: the lock file cannot be opened.
        """
        with self._hold(EXCLUSIVE, timeout_ms):
            yield

    @property
    def held(self) -> bool:
        """Whether this thread holds the gate."""
        return self._mine.here().depth > 0

    def close(self) -> None:
        """Close the kept descriptors, the turnstile's too."""
        self._kernel.close()
        self._turn.close()

    @contextmanager
    def _hold(self, operation: int, timeout_ms: int | None) -> Iterator[None]:
        mine = self._mine.here()
        if mine.depth == 0:
            mine.descriptor = self._take(operation, self._timeout_ms if timeout_ms is None else timeout_ms)
            mine.operation = operation
        elif operation == EXCLUSIVE and mine.operation == SHARED:
            raise InternalError(f"{self._name} is held shared by this thread and cannot become exclusive.")
        mine.depth += 1
        try:
            yield
        finally:
            mine.depth -= 1
            if mine.depth == 0:
                self._kernel.give(mine.descriptor)

    def _take(self, operation: int, wait_ms: int) -> int:
        started = self._clock.monotonic()
        with self._turn.hold(wait_ms):
            left = wait_ms / 1000 - (self._clock.monotonic() - started)
            descriptor = self._kernel.take(operation, max(0.0, left))
        if descriptor is None:
            raise busy(self._name, wait_ms, self._kernel.holder())
        return descriptor


class _Mine(threading.local):
    """What this thread holds."""

    def __init__(self) -> None:
        self._clear()

    def here(self) -> _Mine:
        """Return it, empty in a forked child: its parent's holds are not its own."""
        if self.pid != os.getpid():
            self._clear()
        return self

    def _clear(self) -> None:
        self.depth = 0
        self.operation = SHARED
        self.descriptor = -1
        self.pid = os.getpid()
