"""Carrying out one great removal, a chunk at a time; `retiring` says what may be relied on meanwhile."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Protocol

from ..errors import CalotypeError
from ..index import gone as hiding
from ..index import reach
from ..schemas.catalog import CATALOG
from .contract import Change, Record, drop
from .settling import overlaid

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Sequence

    from .evaluate import Effect, View
    from .projection import Projection

_log = logging.getLogger("calotype.documents")

CHUNK = 100
"""Records that are changed under one hold of the gate."""
ROWS = 500
"""Rows of a log that leave the index in one transaction."""


class Writer(Protocol):
    """What changes files; see `Writing`."""

    def view(self) -> View:
        """Return the state as the index has it."""

    def apply(self, changes: Sequence[Change]) -> list[Effect]:
        """Make all changes, or none."""

    def each(self, changes: Sequence[Change]) -> list[Effect | CalotypeError]:
        """Make every change that can be made."""


class Cleaning:
    """One process at work on one removal.

    Attributes:
        done: how many records were changed, or left the index with their log.
        failed: how many could not be, for now.
    """

    def __init__(self, projection: Projection, writing: Writer, path: str) -> None:
        self._projection = projection
        self._writing = writing
        self._path = path
        self._passed: set[hiding.Target] = set()
        self.done = 0
        self.failed = 0

    def step(self) -> bool:
        """Do one chunk; False when nothing is left that could be done."""
        return self._projection.answer(self._logs) or self._clean() or self._remove()

    def _logs(self) -> bool:
        with self._projection.reading() as db:
            logs = hiding.logs(db, self._path)
        if not logs:
            return False
        parent, log = logs
        with self._projection.database.writing() as db:
            taken = self._projection.tails.forget_some(db, log, ROWS)
        self.done += taken
        if not taken:
            (kind,) = (kind for kind in CATALOG.values() if kind.parent is not None and kind.home.match(log))
            self._writing.apply([drop(kind.name, parent)])
            with self._projection.database.writing() as db:
                hiding.log_gone(db, self._path, log)
        return True

    def _clean(self) -> bool:
        def clean(target: hiding.Target) -> Change:
            kind = CATALOG[target[0]]

            def edit(body: Record | None) -> Record | None:
                if body is None:
                    return None
                with self._projection.reading() as db:
                    return overlaid(db, kind, [body])[0]

            return Change(*target, edit, trusting=True, bare=True)

        return self._made(reach.stale, clean)

    def _remove(self) -> bool:
        def remove(target: hiding.Target) -> Change:
            return Change(*target, lambda _: None, trusting=True, removes=True, bare=True)

        return self._made(reach.doomed, remove)

    def _made(
        self,
        find: Callable[[sqlite3.Connection, str, int], list[hiding.Target]],
        change: Callable[[hiding.Target], Change],
    ) -> bool:
        def ask() -> list[hiding.Target]:
            with self._projection.reading() as db:
                return find(db, self._path, CHUNK + len(self._passed))

        found = [target for target in self._projection.answer(ask) if target not in self._passed][:CHUNK]
        if not found:
            return False
        for target, made in zip(found, self._writing.each([change(target) for target in found]), strict=True):
            self._note(target, made)
        return True

    def _note(self, target: hiding.Target, made: Effect | CalotypeError) -> None:
        self.done += 1
        if isinstance(made, CalotypeError):
            _log.warning("%s: %s %s is left for later: %s", self._path, *target, made.message)
            self.failed += 1
            self._passed.add(target)
        elif made.idle:  # what an importer let refer to nothing on purpose
            self._passed.add(target)
