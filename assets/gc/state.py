"""What one collection leaves for the next: when it was, how many records there were, and what kept it from running.

`trash/collection.json`. Deleting it is no harm: the next collection compares with nothing and begins anew.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from metadata.clock import parse_timestamp
from metadata.errors import InvalidError, NotFoundError, UnreadableError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import AbstractContextManager
    from datetime import datetime

    from metadata.files.engine import FileEngine

PATH: Final = "trash/collection.json"
LOCK: Final = "locks/gc"


@dataclass(frozen=True, slots=True)
class LastRun:
    """The last collection.

    Attributes:
        at: its timestamp; empty when there was none.
        census: how many records of each kind there were.
        blocked: why the last run of the timer did nothing; empty when it ran.
    """

    at: str = ""
    census: Mapping[str, int] = field(default_factory=dict)
    blocked: str = ""

    @property
    def moment(self) -> float:
        """When it was, unix seconds; 0 when there was none."""
        try:
            return parse_timestamp(self.at).timestamp()
        except InvalidError:
            return 0.0

    def since(self, now: datetime) -> float | None:
        """Return the seconds since then; None when there was none, or when it lies in the future."""
        seconds = now.timestamp() - self.moment
        return seconds if self.moment and seconds >= 0 else None


class State:
    """Keeps it in the data folder, for all processes."""

    def __init__(self, engine: FileEngine) -> None:
        self._engine = engine

    def alone(self) -> AbstractContextManager[None]:
        """Hold the lock that lets one collection run at a time.

        Raises:
            BusyError: another one is under way.
        """
        return self._engine.locks.lock_of(LOCK).alone("Another garbage collection")

    def load(self) -> LastRun:
        """Return what the last collection left; nothing that can be used is as good as none."""
        try:
            found = self._engine.read_document(PATH).value
        except (NotFoundError, UnreadableError):
            return LastRun()
        if not isinstance(found, dict):
            return LastRun()
        census = found.get("census")
        counts = census.items() if isinstance(census, dict) else ()
        return LastRun(
            str(found.get("at") or ""),
            {str(kind): n for kind, n in counts if isinstance(n, int)},
            str(found.get("blocked") or ""),
        )

    def save(self, last: LastRun) -> None:
        """Leave this for the next one."""
        document = {"version": 1, "at": last.at, "census": dict(last.census), "blocked": last.blocked or None}
        self._engine.write_document(PATH, document, stamp=True)
