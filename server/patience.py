"""How long one connection is waited for: pure bookkeeping, with the time and the bytes told from outside."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .limits import Limits


class Stage(Enum):
    """Where the parser of a connection stands."""

    BETWEEN = "between"
    HEAD = "head"
    BODY = "body"


class Wait(Enum):
    """What is waited for."""

    NOTHING = "nothing"
    """It is our turn, or the connection rests between two requests."""
    HEADERS = "headers"
    BODY = "body"
    END = "end"
    """The client's own end of a connection that its last answer ended."""


class Patience:
    """What a client owes and since when; all times are the event loop's, in seconds.

    Attributes:
        kind: what is waited for.
    """

    __slots__ = ("_bytes", "_limits", "_since", "kind")

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self.kind = Wait.NOTHING
        self._since = 0.0
        self._bytes = 0

    def wait(self, kind: Wait, now: float) -> None:
        """Wait for something from now on, unless it is that already."""
        if self.kind is not kind:
            self.kind, self._since, self._bytes = kind, now, 0

    def rest(self) -> None:
        """Wait for nothing."""
        self.kind = Wait.NOTHING

    def received(self, count: int) -> None:
        """Take note of bytes that came."""
        self._bytes += count

    def grant(self, seconds: float) -> None:
        """Give time back in which the client could not go on for reasons of ours."""
        self._since += seconds

    def over(self, now: float) -> bool:
        """Tell whether the client has taken too long."""
        waited = now - self._since
        if self.kind is Wait.HEADERS:
            return waited >= self._limits.headers_s
        if self.kind is Wait.BODY:
            return waited >= self._limits.body_s + self._bytes / self._limits.rate
        return self.kind is Wait.END and waited >= self._limits.end_s


class Unread:
    """Whether a client reads what was written to it.

    The measure is what waits in our buffer and in the system's together: the system takes from ours in large steps, so
    ours alone could stand still for minutes while a client on a slow line reads on.
    """

    __slots__ = ("_limits", "_moved", "_waiting")

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._waiting = 0
        self._moved: float | None = None

    def stuck(self, waiting: int, now: float, elapsed: float) -> bool:
        """Tell whether nothing worth the name was read for too long.

        Args:
            waiting: bytes written and not taken by the client; 0 when nothing of them is in our own buffer.
            now: the time.
            elapsed: seconds since the last call.
        """
        read = self._waiting - waiting
        # More than before means that it was our turn to write, which comes only after reading.
        moving = not waiting or read < 0 or read >= self._limits.rate * elapsed
        if self._moved is None or moving:
            self._moved = now
        self._waiting = waiting
        return now - self._moved >= self._limits.unread_s
