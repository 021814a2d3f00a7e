"""Looking at uploaded pictures beside answering: an upload is answered at once, its placeholder comes later."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from metadata.errors import CalotypeError

if TYPE_CHECKING:
    from .wiring import Store

_log = logging.getLogger("calotype.upkeep")

EVERY_S = 1.0
"""So often it asks for what is left, whoever stored it: one look into an index that is empty most of the time."""


class Glancer:
    """A thread that looks at pictures until it is stopped.

    Args:
        store: the opened store.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="calotype-glancer", daemon=True)

    def start(self) -> None:
        """Begin; what an earlier process left comes first."""
        self._thread.start()

    def stop(self) -> None:
        """End after the picture that is being looked at; the rest is done after the next start."""
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopping.wait(EVERY_S):
            self._attempt()

    def _attempt(self) -> None:
        try:
            self._store.prints.glances.work_off(self._stopping.is_set)
        except (CalotypeError, OSError) as error:
            _log.info("Placeholders: to be gone on with later: %s", error)
        except Exception:  # noqa: BLE001 - the edge of a thread: a mistake of ours must not end the looking unseen
            _log.exception("Placeholders: failed unexpectedly")
