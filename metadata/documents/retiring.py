"""Removals that touch more files than should be changed at once: decided in a moment, carried out bit by bit.

The intent names the record that goes, not what becomes of others: that follows from them as they are when their turn
comes (`settling`). It is durable, and what it hides is in the index, before the record itself is taken out; all this
under the exclusive gate. From then on nobody sees what goes, answers leave references to it out, and no new ones are
accepted; so the rest can be done in chunks, each under the shared gate, by any process, and begun again after a crash.
Order: first the logs, then what stays is cleaned, then what goes along, those first that refer to others. So whatever
is still to be done can be found from the intent alone, by an index built from the files.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from typing import TYPE_CHECKING

from ..errors import BusyError, CalotypeError, ConflictError, FullError
from ..index import gone as hiding
from ..index import reach
from ..schemas.catalog import CATALOG
from ..schemas.homes import LinesPerParent
from .cleaning import Cleaning, Writer
from .contract import Change, Expectation, Referrer
from .evaluate import evaluate
from .removals import FOLDER, Removal, hide, refusal

if TYPE_CHECKING:
    from ..ids import Ids
    from .projection import Projection

Guard = Callable[[], AbstractContextManager[None]]
Stop = Callable[[], bool]

_log = logging.getLogger("calotype.documents")

AT_ONCE = 100
"""A removal of so many records and references is one operation of the ordinary kind."""
AWAITED = 1_000
"""Records of a great removal that are cleaned before it is answered; the rest is handed over (protocols.md)."""
LOG_AT_ONCE = 1_000
"""Events in a log that may go in one operation."""


class Retiring:
    """The great removals of one folder.

    Args:
        projection: the index and the file engine.
        writing: changes files.
        ids: names the intents.
    """

    def __init__(self, projection: Projection, writing: Writer, ids: Ids) -> None:
        self._projection = projection
        self._engine = projection.engine
        self._writing = writing
        self._ids = ids
        self._mine = _Due()

    def takes(self, kind: str, key: str, *, force: bool) -> bool:
        """Tell whether a removal is too much for one operation of the ordinary kind."""
        with self._projection.reading() as db:
            if hiding.inherits(db, key):
                return True
            if not reach.spread(db, kind, key, force=force, most=AT_ONCE) or reach.touches(db, AT_ONCE) > AT_ONCE:
                return True
            logs = [home for each in CATALOG.values() if isinstance(home := each.home, LinesPerParent)]
            return any(reach.events(db, home.path("%")) > LOG_AT_ONCE for home in logs)

    def commit(self, removal: Removal, expect: Expectation) -> str:
        """Decide a removal and return its intent; the gate is held exclusively, and it is carried out after that.

        Raises:
            NotFoundError, StaleError, ConflictError: see `Documents.retire`; nothing was done.
            BusyError, FullError: nothing was done.
            UnreadableError: the disk refused; whether it happens shows when the disk can be used again.
        """
        return self._projection.ballast.spared(lambda: self._commit(removal, expect))

    def _commit(self, removal: Removal, expect: Expectation) -> str:
        evaluate(Change(removal.kind, removal.key, lambda _: None, expect), self._writing.view())
        path = f"{FOLDER}/{self._ids.new()}.json"
        try:
            self._projection.answer(lambda: self._decide(path, removal))
            self._engine.epochs.tell_all()
            self._take_out(removal)
        except (BusyError, FullError, ConflictError):
            self._close(path)
            raise
        self._mine.paths.append(path)
        return path

    def adopt(self, path: str, removal: Removal) -> None:
        """Make a removal that another process decided true in the index too; the gate is held exclusively."""

        def write() -> None:
            with self._projection.database.writing() as db:
                hide(db, path, removal)

        self._projection.answer(write)
        self._engine.epochs.tell_all()
        self._take_out(removal)

    def carry_out_due(self, guard: Guard, hand_over: Callable[[], None] | None) -> None:
        """Carry out what this thread decided: to the end, or a good part before it is handed over to somebody else."""
        due, self._mine.paths = self._mine.paths, []
        for path in due:
            complete = self.attempt(path, guard, most=None if hand_over is None else AWAITED)
            if not complete and hand_over is not None:
                hand_over()

    def attempt_all(self, removals: Callable[[], list[str]], guard: Guard, stop: Stop) -> None:
        """Carry out these removals, as long as one of them gets complete: others may have waited for it."""
        while any(self.attempt(path, guard, stop=stop) for path in removals()) and not stop():
            pass

    def attempt(self, path: str, guard: Guard, *, most: int | None = None, stop: Stop = lambda: False) -> bool:
        """Do as `carry_out`; a chunk that cannot be done now is left to a later round: the removal is decided."""
        try:
            return self.carry_out(path, guard, most=most, stop=stop)
        except CalotypeError as error:
            _log.warning("%s is left to be carried out: %s", path, error.message)
            return False

    def carry_out(self, path: str, guard: Guard, *, most: int | None = None, stop: Stop = lambda: False) -> bool:
        """Go on with a removal until it is complete, or so many records are done, or stopped; tell if it is complete.

        Another process that is at it already is left alone, and so is, once in a while, one at another removal.

        Args:
            path: the intent.
            guard: holds the gate shared for one chunk.
            most: records to change before it is left to somebody else; None for all.
            stop: asked before every chunk.

        Raises:
            CalotypeError: a chunk could not be done; the rest is left for later.
        """
        with ExitStack() as held:
            try:
                held.enter_context(self._engine.locks.lock_of(lock_name(path)).hold(0))
            except BusyError:
                return False
            if path.removeprefix(f"{FOLDER}/") not in self._engine.list(FOLDER):
                return True
            run = Cleaning(self._projection, self._writing, path)
            while not stop() and (most is None or run.done < most):
                with guard():
                    if not run.step():
                        return self._end(path) if not run.failed else False
        return False

    def _decide(self, path: str, removal: Removal) -> None:
        with self._projection.database.writing() as db:
            reach.spread(db, removal.kind, removal.key, force=removal.force)
            found = [Referrer(*row) for row in reach.blockers(db, force=removal.force)]
            if found:
                raise refusal(removal.kind, found)
            self._engine.write_document(path, removal.written(), stamp=True)
            hide(db, path, removal)

    def _take_out(self, removal: Removal) -> None:
        self._writing.apply([Change(removal.kind, removal.key, lambda _: None, trusting=True, removes=True, bare=True)])

    def _end(self, path: str) -> bool:
        with self._projection.reading() as db:
            if hiding.inherits_yet(db, path):
                return False
        self._close(path)
        return True

    def _close(self, path: str) -> None:
        """Take the intent and what it hides away together: whoever opens the folder meanwhile waits for the index."""

        def write() -> None:
            with self._projection.database.writing() as db:
                hiding.show(db, path)
                self._engine.remove(path)

        self._projection.answer(write)


def lock_name(path: str) -> str:
    """Return what an intent's lock is named after: its first two digits, for lock files stay and intents do not."""
    return f"{FOLDER}/{path.removeprefix(f'{FOLDER}/')[:2]}"


class _Due(threading.local):
    """The removals that a thread decided while it held the gate."""

    def __init__(self) -> None:
        self.paths: list[str] = []
