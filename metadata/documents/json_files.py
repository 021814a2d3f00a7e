"""The documents contract over plain files: the truth on disk, the index beside it.

Reads go through the index after a check that it is in step with the files they depend on. A change to one file is one
durable write of that file; a change to several is an intent. Everything is under the gate: shared, or exclusive where
a removal must not race a new reference.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import asdict
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, cast

from ..clock import Clock, SystemClock, timestamp
from ..errors import NotFoundError, UnreadableError
from ..ids import Ids, RandomIds
from ..index.state import Problem, load_problems, unreadable_record
from ..schemas.catalog import CATALOG, Kind
from ..schemas.homes import InMember, Lines
from .compaction import compact
from .contract import Change, Found, Health, Record, Referrer, Stored
from .evaluate import Effect, View, evaluate
from .intents import Intents, Step, steps_of
from .logs import Log
from .places import checked_id, fixed_path, is_journal
from .projection import Projection
from .reading import (
    find_rows,
    key_at,
    load_buried,
    load_current,
    load_holder,
    load_live,
    load_mentions,
    load_referrers,
    load_total,
    path_of,
    scan_rows,
)
from .tails import record_at

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from ..files.engine import FileEngine
    from ..index.query import Query


class JsonFiles:
    """Records in plain files; see the contract for every method.

    Args:
        engine: the file engine of an opened data folder.
        cache_dir: the folder of the index; None is the data folder's `cache/`.
        clock: sets tombstones' and documents' times.
        ids: names unfinished operations.
        trash_s: seconds for which a removed asset's record is kept, so that it can be restored.
    """

    def __init__(
        self,
        engine: FileEngine,
        *,
        cache_dir: Path | None = None,
        clock: Clock | None = None,
        ids: Ids | None = None,
        trash_s: float = 604_800,
    ) -> None:
        self._engine = engine
        self._clock = clock or SystemClock()
        self._trash_s = trash_s
        self._fetch = partial(record_at, engine)
        self._intents = Intents(engine, ids or RandomIds(), self._redo)
        self._logs: dict[str, Log] = {}
        self._mutex = threading.Lock()
        self._projection = Projection(engine, self._clock, cache_dir or engine.paths.resolve("cache"))
        with self.guard():
            pass  # what a dead process left is finished before anything is answered

    def get(self, kind: str, key: str) -> Stored | None:
        """Return a record, or None when there is none."""
        return self._projection.answer(lambda: self._get(CATALOG[kind], key))

    def find(self, kind: str, query: Query) -> Found:
        """Return a page of records."""

        def answer() -> Found:
            self._projection.refresh(CATALOG[kind])
            with self._projection.database.reading() as db:
                return find_rows(db, CATALOG[kind], query, self._fetch)

        return self._projection.answer(answer)

    def scan(self, kind: str, after: int = 0) -> Iterator[Stored]:
        """Yield every readable record of a kind in sequence."""
        self._projection.answer(lambda: self._projection.refresh(CATALOG[kind]))
        return scan_rows(self._projection.database, CATALOG[kind], after, self._fetch)

    def apply(self, changes: Sequence[Change]) -> list[Stored | None]:
        """Make all changes durable, or none."""
        exclusive = len(changes) > 1 or any(change.removes or change.kind == "user" for change in changes)
        with self.guard(exclusive=exclusive):
            effects = self._projection.answer(lambda: self._apply(changes))
        return [effect.stored() for effect in effects]

    def lookup(self, kind: str, fields: Sequence[str], values: Sequence[str]) -> Stored | None:
        """Return the record that holds these values of a unique rule, None when there is none."""

        def answer() -> str | None:
            self._projection.refresh(CATALOG[kind])
            with self._projection.database.reading() as db:
                return load_holder(db, CATALOG[kind], fields, values)

        key = self._projection.answer(answer)
        return None if key is None else self.get(kind, key)

    def total(self, kind: str, field: str) -> int:
        """Return the sum of a numeric filter field over all records of a kind."""

        def answer() -> int:
            self._projection.refresh(CATALOG[kind])
            with self._projection.database.reading() as db:
                return load_total(db, CATALOG[kind], field)

        return self._projection.answer(answer)

    def is_live(self, sha256: str) -> bool:
        """Tell whether a record names this payload or a record's text mentions it."""

        def answer() -> bool:
            self._projection.refresh(CATALOG["asset"])
            with self._projection.database.reading() as db:
                return load_live(db, sha256)

        return self._projection.answer(answer)

    def referrers(self, kind: str, key: str) -> list[Referrer]:
        """Return every declared reference to a record."""
        return self._linked(lambda db: load_referrers(db, kind, key))

    def mentions(self, sha256: str) -> list[Referrer]:
        """Return every record that mentions a hash in its text."""
        return self._linked(lambda db: load_mentions(db, sha256))

    def buried(self, kind: str, key: str) -> Record | None:
        """Return the last body of a removed record whose kind keeps it."""

        def answer() -> Record | None:
            self._projection.refresh(CATALOG[kind], key)
            with self._projection.database.reading() as db:
                return load_buried(db, kind, key)

        return self._projection.answer(answer)

    @contextmanager
    def guard(self, *, exclusive: bool = False) -> Iterator[None]:
        """Hold the gate; what a dead process left unfinished is finished first."""
        gate = self._engine.locks.gate
        while True:
            with gate.exclusive() if exclusive else gate.shared():
                if not self._intents.waiting():
                    yield
                    return
            with gate.exclusive():
                self._intents.finish()

    def compact(self) -> int:
        """Rewrite every log to one line per live record; return the bytes saved."""
        paths = [kind.home.path for kind in CATALOG.values() if isinstance(kind.home, Lines)]
        since = timestamp(self._clock.now() - timedelta(seconds=self._trash_s))
        with self.guard(exclusive=True):
            return sum(compact(self._projection, path, since) for path in paths)

    def health(self) -> Health:
        """Return what is known to be wrong with the files."""

        def answer() -> list[Problem]:
            for kind in CATALOG.values():
                if isinstance(kind.home, Lines):
                    self._projection.follow(kind.home.path)
            with self._projection.database.reading() as db:
                return load_problems(db)

        findings = self._projection.answer(answer)
        return Health([asdict(found) for found in findings], len(self._intents.waiting()))

    def sweep(self) -> None:
        """Compare every file with the index and take over what was changed by hand."""
        self._projection.answer(self._projection.sweep)

    def rebuild(self) -> None:
        """Make the index anew from the files."""
        self._projection.rebuild()

    def close(self) -> None:
        """Let go of the index and of the files."""
        self._projection.close()
        self._engine.close()

    def _get(self, kind: Kind, key: str) -> Stored | None:
        try:
            self._projection.refresh(kind, key)
        except NotFoundError:
            return None
        with self._projection.database.reading() as db:
            problem = unreadable_record(db, kind.name, key)
            if problem is not None:
                raise UnreadableError(f"{problem.path} cannot be read: {problem.reason}", path=problem.path, id=key)
            current = load_current(db, kind, key, self._fetch)
        return None if current is None else Stored(kind.name, key, current.body, current.seq)

    def _linked(self, load: Callable[[sqlite3.Connection], list[Referrer]]) -> list[Referrer]:
        def answer() -> list[Referrer]:
            for kind in CATALOG.values():
                if kind.refs or kind.mentions:
                    self._projection.refresh(kind)
            with self._projection.database.reading() as db:
                return load(db)

        return self._projection.answer(answer)

    def _apply(self, changes: Sequence[Change]) -> list[Effect]:
        paths = [self._path_of(change, changes) for change in changes]
        for path in dict.fromkeys(paths):
            self._projection.follow(path)
        one_write = len(set(paths)) == 1 and (len(changes) == 1 or not is_journal(paths[0]))
        if one_write:
            return self._write(paths[0], changes)
        view = self._view()
        effects = [evaluate(change, view) for change in changes]
        self._intents.run(steps_of(paths, effects))
        return effects

    def _redo(self, path: str, steps: Sequence[Step]) -> None:
        self._projection.answer(lambda: self._write(path, [step.change() for step in steps]))

    def _write(self, path: str, changes: Sequence[Change]) -> list[Effect]:
        if is_journal(path):
            return self._log(path).apply(changes)
        return self._projection.write_whole(path, changes, self._view())

    def _log(self, path: str) -> Log:
        with self._mutex:
            if path not in self._logs:
                self._logs[path] = Log(path, self._projection, self._clock, self._fetch)
            return self._logs[path]

    def _view(self) -> View:
        return View(self._projection.reading, lambda db, kind, key: load_current(db, kind, key, self._fetch))

    def _path_of(self, change: Change, changes: Sequence[Change]) -> str:
        kind = CATALOG[change.kind]
        path = fixed_path(kind, change.key)
        if path is not None:
            return path
        home = cast("InMember", kind.home)
        self._projection.refresh(kind, change.key)
        with self._projection.database.reading() as db:
            known = path_of(db, kind, change.key)
            first = key_at(db, CATALOG["user"], home.path)
        if known is not None:
            return known
        user = change.key if kind.name == "user" else str((change.edit(None) or {}).get("userId"))
        others = [other.key for other in changes if other.kind == "user" and other.key != user]
        return home.path if first in (None, user) and not others else home.path_of(checked_id(kind, user))
