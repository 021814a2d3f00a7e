"""What the fast lane gave: counted at once, and recorded a moment later, many at a time."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from metadata.clock import timestamp

if TYPE_CHECKING:
    import asyncio
    from datetime import datetime

    from metadata.clock import Clock

    from .accesslog import Recorder, Visit
    from .answercache import Entry
    from .metrics import Metrics

_WAIT_S = 0.1


class Tally:
    """The answers of one worker that are still to be recorded; used on the event loop alone.

    Args:
        metrics: counts them.
        log: takes each as a visit of its own; None where no log is kept.
        clock: the time.
    """

    def __init__(self, metrics: Metrics, log: Recorder | None, clock: Clock) -> None:
        self._metrics = metrics
        self._log = log
        self._clock = clock
        self._given: dict[Entry, _Sum] = {}
        self._visits: list[tuple[Entry, datetime, str, bytes, float]] = []

    def given(
        self, entry: Entry, client: str, request_id: bytes, seconds: float, loop: asyncio.AbstractEventLoop
    ) -> None:
        """Count an answer.

        Args:
            entry: the answer.
            client: whose it was.
            request_id: its id.
            seconds: from the first byte of the request to the last that was handed over.
            loop: what records it, in a moment.
        """
        if not self._given:
            loop.call_later(_WAIT_S, self.record)
        so_far = self._given.get(entry)
        if so_far is None:
            so_far = self._given[entry] = _Sum()
        so_far.count += 1
        so_far.seconds += seconds
        if self._log is not None:
            self._visits.append((entry, self._clock.now(), client, request_id, seconds))

    def cut_short(self, entry: Entry, sent: int, client: str, request_id: bytes, seconds: float) -> None:
        """Record an answer of whose content only so many bytes were handed over; for the rest see `given`."""
        visit = replace(entry.visit, bytes=sent)
        self._metrics.record_alike(visit, 1, seconds)
        if self._log is not None:
            self._log.record(_visit(visit, self._clock.now(), client, request_id, seconds))

    def record(self) -> None:
        """Record what was counted."""
        given, self._given = self._given, {}
        for entry, so_far in given.items():
            self._metrics.record_alike(entry.visit, so_far.count, so_far.seconds)
        if self._log is None:
            return
        visits, self._visits = self._visits, []
        for entry, over, client, request_id, seconds in visits:
            self._log.record(_visit(entry.visit, over, client, request_id, seconds))


def _visit(visit: Visit, over: datetime, client: str, request_id: bytes, seconds: float) -> Visit:
    """Return the visit of one client whose answer, over at that time, took so long."""
    came = timestamp(over - timedelta(seconds=seconds))
    return replace(visit, time=came, client=client, ms=round(seconds * 1000, 1), id=request_id.decode("ascii"))


class _Sum:
    """How often an answer was given, and how long that took in all, in seconds."""

    __slots__ = ("count", "seconds")

    def __init__(self) -> None:
        self.count = 0
        self.seconds = 0.0
