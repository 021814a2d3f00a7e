"""Carrying out great removals beside answering: a DELETE of much is answered early, its files are cleaned here."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from metadata.errors import CalotypeError

if TYPE_CHECKING:
    from .wiring import Store

_log = logging.getLogger("calotype.upkeep")

EVERY_S = 60.0
"""So often it looks for what another process began and left (protocols.md, "The documents contract")."""


class Cleaner:
    """A thread that carries out removals until it is stopped.

    Args:
        store: the opened store.
        work: set by whoever leaves something to be carried out.
    """

    def __init__(self, store: Store, work: threading.Event) -> None:
        self._store = store
        self._work = work
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="calotype-cleaner", daemon=True)

    def start(self) -> None:
        """Begin with what was left before this process was started."""
        self._work.set()
        self._thread.start()

    def stop(self) -> None:
        """End after the chunk that is being done; the rest is carried out after the next start."""
        self._stopping.set()
        self._work.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._work.wait(EVERY_S)
            self._work.clear()
            self._attempt()

    def _attempt(self) -> None:
        try:
            self._store.documents.work_off(self._stopping.is_set)
        except (CalotypeError, OSError) as error:
            _log.warning("Removals: to be gone on with later: %s", error)
        except Exception:  # noqa: BLE001 - the edge of a thread: a mistake of ours must not end the cleaning unseen
            _log.exception("Removals: failed unexpectedly")
