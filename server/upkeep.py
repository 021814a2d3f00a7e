"""What a serving process does beside answering: clearing up, looking for files edited by hand, collecting garbage."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from metadata.errors import BusyError, CalotypeError

if TYPE_CHECKING:
    from collections.abc import Callable

    from .wiring import Store

_log = logging.getLogger("calotype.upkeep")

LEFTOVER_AGE_S = 30.0
"""Younger leftovers may still be somebody's (the seed's stale-lock age)."""


class Upkeep:
    """A thread that tends the store until it is stopped.

    Args:
        store: the opened store.
        every_s: seconds between two rounds.
        collect_s: seconds between two garbage collections, of all processes together; None: never.
    """

    def __init__(self, store: Store, every_s: float, collect_s: float | None = None) -> None:
        self._store = store
        self._every_s = every_s
        self._collect_s = collect_s
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="calotype-upkeep", daemon=True)

    def start(self) -> None:
        """Begin; the first round comes at once."""
        self._thread.start()

    def stop(self) -> None:
        """End after the step that is being taken."""
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        self._attempt("clearing up leftovers", self.clear_up)
        self._attempt("taking room for deletions", self.lay_ballast)
        while not self._stopping.wait(self._every_s):
            self._attempt("looking at the files", self.look)
            self._attempt("collecting garbage", self.collect)
            self._attempt("taking room for deletions", self.lay_ballast)

    def clear_up(self) -> None:
        """Remove what dead processes left: staged uploads, temporary files and lock files."""
        self._store.assets.blobs.sweep_staging(LEFTOVER_AGE_S)
        self._store.engine.locks.collect_leftovers(LEFTOVER_AGE_S)

    def lay_ballast(self) -> None:
        """Take the bytes that a full disk gives back for deletions, once there is room for them."""
        self._store.documents.projection.ballast.lay()

    def look(self) -> None:
        """Take over files edited by hand, finish what a dead process left, compact worn logs, make room for prints."""
        self._store.documents.sweep()
        self._store.documents.retry()
        self._store.documents.tidy()
        with self._store.documents.guard():
            pass  # entering finishes what was left
        self._store.prints.tidying.tidy()

    def collect(self) -> None:
        """Collect garbage if it is time; what forbids it shows in /readyz until a collection ran."""
        if self._collect_s is None:
            return
        try:
            report = self._store.gc.run_if_due(self._collect_s)
        except BusyError as error:
            _log.info("Upkeep: garbage is collected another time: %s", error.message)
            return
        if report is not None:
            _log.info("Upkeep: garbage was collected: %s", report.document())

    def _attempt(self, what: str, step: Callable[[], None]) -> None:
        try:
            step()
        except (CalotypeError, OSError) as error:
            # The next round tries again; answering goes on meanwhile.
            _log.warning("Upkeep: %s failed: %s", what, error)
        except Exception:  # noqa: BLE001 - the edge of a thread: a mistake of ours must not end the upkeep unseen
            _log.exception("Upkeep: %s failed unexpectedly", what)
