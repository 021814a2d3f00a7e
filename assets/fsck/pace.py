"""Reading at a bounded rate, so that a check leaves the disk to others."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from metadata.clock import Clock

SLOWEST = 65_536
"""Bytes a second: the least that may be asked for over HTTP, where somebody waits for the answer."""


class Pace:
    """Keeps reading to a number of bytes a second.

    Args:
        clock: the time.
        rate: bytes a second; None: as fast as it goes.
        wait: waits for seconds.
    """

    def __init__(self, clock: Clock, rate: float | None, wait: Callable[[float], None] = time.sleep) -> None:
        self._clock = clock
        self._rate = rate
        self._wait = wait
        self._due = clock.monotonic()

    def passed(self, count: int) -> None:
        """Wait until as many bytes more may have been read."""
        if self._rate is not None:
            # What was saved up while others were slow is not spent in a burst of more than a second.
            self._due = max(self._due, self._clock.monotonic() - 1) + count / self._rate
            self._wait(max(0.0, self._due - self._clock.monotonic()))
