"""What was found out a moment ago: bounded, forgotten after a while, of one process."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, Final, Generic, TypeVar

if TYPE_CHECKING:
    from metadata.clock import Clock

_MOST: Final = 512

T = TypeVar("T")


class Recent(Generic[T]):
    """The last 512 things that were found out.

    Args:
        clock: for how long they hold.
        holds_s: seconds until a thing is forgotten.
    """

    def __init__(self, clock: Clock, holds_s: float) -> None:
        self._clock = clock
        self._holds_s = holds_s
        self._mutex = threading.Lock()
        self._kept: OrderedDict[str, tuple[float, T]] = OrderedDict()

    def get(self, key: str) -> T | None:
        """Return what was found out about a key, None where nothing was or it is too long ago."""
        until, thing = self._kept.get(key, (0.0, None))
        return thing if self._clock.monotonic() < until else None

    def note(self, key: str, thing: T) -> None:
        """Remember something about a key."""
        with self._mutex:
            self._kept[key] = (self._clock.monotonic() + self._holds_s, thing)
            self._kept.move_to_end(key)
            while len(self._kept) > _MOST:
                self._kept.popitem(last=False)
