"""Whether there is room for another payload: the disk's free floor and the store's own limit."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

from metadata.errors import FullError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from metadata.clock import Clock

_COUNTED_FOR_S = 10.0


class Room:
    """Says no before the disk does.

    Args:
        folder: the data folder; None for a store without one, which has room without end.
        used: counts the bytes of all payloads.
        clock: how long a count is good for.
        min_free: bytes of the disk that stay free.
        max_used: bytes that all payloads may take together; None: no limit.
    """

    def __init__(
        self,
        folder: Path | None,
        used: Callable[[], int],
        clock: Clock,
        *,
        min_free: int = 0,
        max_used: int | None = None,
    ) -> None:
        self._folder = folder
        self._used = used
        self._clock = clock
        self._min_free = min_free
        self._max_used = max_used
        self._mutex = threading.Lock()
        self._counted: tuple[float, int] | None = None

    def check(self) -> None:
        """Return when there is room.

        Raises:
            FullError: the disk is at its floor, or the store at its limit; `setting` names which.
        """
        if self._folder is not None:
            free = free_bytes(self._folder)
            if free < self._min_free:
                raise FullError(
                    f"Only {free} bytes are free on the disk; uploads stop at {self._min_free}. Free some space, or"
                    " lower CALOTYPE_MIN_FREE_BYTES.",
                    setting="CALOTYPE_MIN_FREE_BYTES",
                    limit=self._min_free,
                    actual=free,
                )
        if self._max_used is not None and (used := self._count()) >= self._max_used:
            raise FullError(
                f"The store holds {used} bytes, and its limit is {self._max_used}. Delete something and collect it"
                " (`calotype gc --grace 0 --yes`), or raise CALOTYPE_MAX_STORE_BYTES.",
                setting="CALOTYPE_MAX_STORE_BYTES",
                limit=self._max_used,
                actual=used,
            )

    def _count(self) -> int:
        with self._mutex:
            now = self._clock.monotonic()
            if self._counted is None or now - self._counted[0] > _COUNTED_FOR_S:
                self._counted = (now, self._used())
            return self._counted[1]


def free_bytes(folder: Path) -> int:
    """Return how many bytes an ordinary user may still write to the disk of a folder."""
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize
