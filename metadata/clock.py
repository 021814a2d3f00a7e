"""Time as a collaborator, and the one written form of a moment."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime
from typing import Protocol

from .errors import InvalidError

_ISO = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?(Z|[+-]\d{2}:\d{2})")


class Clock(Protocol):
    """Where the time comes from; tests bring their own."""

    def now(self) -> datetime:
        """Return the current moment, aware, in UTC."""

    def monotonic(self) -> float:
        """Return seconds that never go back, for deadlines."""


class SystemClock:
    """The machine's clocks."""

    def now(self) -> datetime:
        """Return the current moment, aware, in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return seconds that never go back, for deadlines."""
        return time.monotonic()


def timestamp(moment: datetime) -> str:
    """Write a moment as ISO-8601 in UTC with milliseconds and `Z`, as every record holds it."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse_timestamp(text: str) -> datetime:
    """Read an ISO-8601 moment that names its zone, as one in UTC.

    Raises:
        InvalidError: the text is not such a moment, or has no zone.
    """
    if not _ISO.fullmatch(text):
        raise InvalidError(f"{text[:40]!r} is not an ISO-8601 time with a zone, such as 2026-01-31T12:00:00.000Z.")
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise InvalidError(f"{text[:40]!r} is not a time that exists.") from error
