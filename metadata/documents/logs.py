"""Writing journals: changes become lines under the group commit, then rows.

The leader of a group brings the index up to date under the lock; each caller's changes are judged against it and
against the group's earlier ones; all lines are written and synced at once; then the index takes them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import ref

from ..clock import Clock, timestamp
from ..errors import CalotypeError, UnreadableError
from .evaluate import Effect, View, evaluate
from .reading import Fetch, MovedError, load_current

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from ..files.journal import Batch, Journal
    from ..schemas.catalog import Kind
    from .contract import Change, Record
    from .evaluate import Current
    from .projection import Projection

KEEPS_LAST_BODY = frozenset({"asset"})
"""Kinds whose tombstone keeps the record, so that a delete can be undone within the trash window."""


class _Hooks:
    """Lets a journal call its log without keeping it alive: see `Journal` for what that would cost."""

    def __init__(self, log: Log) -> None:
        self._log = ref(log)

    def locked(self, batch: Batch) -> None:
        log = self._log()
        if log is not None:
            log.locked(batch)

    def durable(self, batch: Batch) -> None:
        log = self._log()
        if log is not None:
            log.durable(batch)


class Log:
    """One journal as records: the hooks of its group commit and the writes through it."""

    def __init__(self, path: str, projection: Projection, clock: Clock, fetch: Fetch) -> None:
        self._path = path
        self._projection = projection
        self._clock = clock
        self._fetch = fetch
        self._journal: Journal = projection.engine.journal(path, hooks=_Hooks(self))
        self._view = self._fresh_view()

    def apply(self, changes: Sequence[Change]) -> list[Effect]:
        """Make the changes durable as lines of one write; see the contract for what is raised."""
        return self._journal.commit(lambda batch: self._stage(batch, changes))

    def each(self, changes: Sequence[Change]) -> list[Effect | CalotypeError]:
        """Make those changes durable that can be made, as lines of one write."""
        return self._journal.commit(lambda batch: [self._tried(batch, change) for change in changes])

    def drop(self) -> None:
        """Remove the journal with all that is in it; absent is no error."""
        engine = self._projection.engine
        with engine.locks.lock_of(self._path).hold():
            engine.remove(self._path)
            self._projection.attempt(self._path, self._forget, reopen=False)
        self._journal.close()

    def locked(self, batch: Batch) -> None:
        """Bring the index up to date; called by the group's leader with the journal's lock held."""
        del batch
        self._projection.follow_locked(self._path)
        self._view = self._fresh_view()

    def durable(self, batch: Batch) -> None:
        """Let the index take the group's lines; called by the leader before it unlocks."""
        self._projection.attempt(self._path, lambda db: self._project(db, batch), reopen=False)

    def _project(self, db: sqlite3.Connection, batch: Batch) -> None:
        identity = self._projection.tails.identity(self._path)
        if identity is None:
            return
        if self._projection.tails.project_lines(db, self._path, batch.lines, identity):
            self._projection.saw(self._path, identity)
        else:
            self._projection.saw(self._path, self._projection.tails.project(db, self._path, recovered=True))

    def _forget(self, db: sqlite3.Connection) -> None:
        self._projection.saw(self._path, self._projection.tails.project(db, self._path, recovered=True))

    def _tried(self, batch: Batch, change: Change) -> Effect | CalotypeError:
        try:
            return self._stage(batch, [change])[0]
        except CalotypeError as error:
            return error

    def _stage(self, batch: Batch, changes: Sequence[Change]) -> list[Effect]:
        fork = self._view.fork()
        effects = [evaluate(change, fork) for change in changes]
        for effect in effects:
            if not effect.idle:
                batch.stage(self._line(effect))
        self._view.adopt(fork)
        return effects

    def _line(self, effect: Effect) -> Record:
        rev: Record = {"_rev": effect.rev} if effect.rev else {}
        parent = effect.kind.parent
        if effect.after is not None:
            return {name: value for name, value in effect.after.items() if name != parent} | rev
        before = effect.before or {}
        named: Record = {name: before[name] for name in effect.kind.key}
        kept: Record = {"_was": before} if effect.kind.name in KEEPS_LAST_BODY else {}
        return {**named, "_deleted": timestamp(self._clock.now()), **kept, **rev}

    def _fresh_view(self) -> View:
        fetch = self._fetch  # not by `self`, which keeps the view: it would keep itself

        def load(db: sqlite3.Connection, kind: Kind, key: str, bare: bool) -> Current | None:  # noqa: FBT001 - as `View` calls it
            try:
                return load_current(db, kind, key, fetch, bare=bare)
            except MovedError as error:  # with the lock held nothing moves
                raise UnreadableError(f"{error} holds a line that cannot be read.", path=str(error)) from error

        return View(self._projection.reading, load)
