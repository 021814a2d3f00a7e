"""How long an animation may take before its first frame has to do, in a decoding process."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, Final, Self

if TYPE_CHECKING:
    from types import FrameType, TracebackType

_AGAIN_S: Final = 0.2


class Patience:
    """A block that `TimeoutError` is raised in when its time is over, and again should a library swallow it.

    It is of the main thread, and of the wall clock: whoever waits for the picture waits by that.

    Args:
        seconds: the time.

    Attributes:
        over: the time was over before the block was.
    """

    def __init__(self, seconds: float) -> None:
        self.over = False
        self._seconds = seconds
        self._inside = False

    def __enter__(self) -> Self:
        """Begin."""
        self._before = signal.signal(signal.SIGALRM, self._ring)
        self._inside = True
        signal.setitimer(signal.ITIMER_REAL, self._seconds, _AGAIN_S)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End."""
        self._inside = False
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, self._before)

    def _ring(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        if self._inside:
            self.over = True
            raise TimeoutError
