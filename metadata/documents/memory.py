"""The documents contract in memory: the same projection on an SQLite without files.

For tests and for stores that need not outlive their process.
"""

from __future__ import annotations

from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING

from ..clock import Clock, SystemClock, timestamp
from ..errors import CalotypeError
from ..files.codec import canonical
from ..index.database import Database, create
from ..index.projector import Projector, Source
from ..index.tables import statements
from ..schemas.catalog import CATALOG
from .contract import ANY, Change, Expectation, Found, Health, Record, Referrer, Stored
from .evaluate import Effect, View, evaluate
from .logs import KEEPS_LAST_BODY
from .places import fixed_path
from .reading import (
    find_rows,
    load_buried,
    load_current,
    load_holder,
    load_live,
    load_many,
    load_mentions,
    load_referrers,
    load_total,
    no_file,
    scan_rows,
)

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterator, Sequence

    from ..index.query import Query
    from .reading import Scanned

_PATH = "memory"


class MemoryDocuments:
    """Records in memory; all methods are thread-safe, and a change is one SQLite transaction."""

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._projector = Projector(all_bodies=True)
        self._database = Database(None, nullcontext)
        with self._database.reading() as db:
            create(db, statements(CATALOG), {})

    def get(self, kind: str, key: str) -> Stored | None:
        """Return a record, or None when there is none."""
        with self._database.reading() as db:
            current = load_current(db, CATALOG[kind], key, no_file)
        return None if current is None else Stored(kind, key, current.body, current.seq)

    def many(self, kind: str, keys: Sequence[str]) -> dict[str, Stored]:
        """Return the records with these keys, by key, in one question."""
        with self._database.reading() as db:
            return load_many(db, CATALOG[kind], keys)

    def first(self, kind: str) -> Stored | None:
        """Return the record that was put first."""
        return next(iter(self.scan(kind)), None)

    def find(self, kind: str, query: Query) -> Found:
        """Return a page of records; see the contract."""
        with self._database.reading() as db:
            return find_rows(db, CATALOG[kind], query, no_file)

    def scan(self, kind: str, after: int = 0) -> Iterator[Stored]:
        """Yield every record of a kind in sequence."""
        return scan_rows(self._ask, CATALOG[kind], after, no_file)

    def apply(self, changes: Sequence[Change]) -> list[Stored | None]:
        """Make all changes, or none; see the contract."""
        with self._database.writing() as db:
            view = View(
                self._database.reading, lambda db, kind, key, bare: load_current(db, kind, key, no_file, bare=bare)
            )
            effects = [evaluate(change, view) for change in changes]
            return [effect.stored(self._write(db, effect)) for effect in effects]

    def retire(
        self, kind: str, key: str, *, expect: Expectation = ANY, force: bool = False, heir: str | None = None
    ) -> bool:
        """Leave it to `apply`, whatever the number: it is one transaction in memory."""
        del kind, key, expect, force, heir
        return False

    def each(self, changes: Sequence[Change]) -> list[Stored | CalotypeError | None]:
        """Make every change that can be made, each for itself; see the contract."""
        with self._database.writing():
            return [self._tried(change) for change in changes]

    def lookup(self, kind: str, fields: Sequence[str], values: Sequence[str]) -> Stored | None:
        """Return the record that holds these values of a unique rule, None when there is none."""
        with self._database.reading() as db:
            key = load_holder(db, CATALOG[kind], fields, values)
            return None if key is None else self.get(kind, key)

    def total(self, kind: str, field: str) -> int:
        """Return the sum of a numeric filter field over all records of a kind."""
        with self._database.reading() as db:
            return load_total(db, CATALOG[kind], field)

    def is_live(self, sha256: str) -> bool:
        """Tell whether a record names this payload or a record's text mentions it."""
        with self._database.reading() as db:
            return load_live(db, sha256)

    def referrers(self, kind: str, key: str) -> list[Referrer]:
        """Return every declared reference to a record."""
        with self._database.reading() as db:
            return load_referrers(db, kind, key)

    def mentions(self, sha256: str, *, owner: str | None = None) -> list[Referrer]:
        """Return every record (of this owner, if given) that mentions a hash in its text."""
        with self._database.reading() as db:
            return load_mentions(db, sha256, owner)

    def buried(self, kind: str, key: str) -> Record | None:
        """Return the last body of a removed record."""
        with self._database.reading() as db:
            return load_buried(db, kind, key)

    @contextmanager
    def guard(self, *, exclusive: bool = False) -> Iterator[None]:
        """Hold the one lock; in memory every hold is exclusive."""
        del exclusive
        with self._database.reading():
            yield

    def compact(self) -> int:
        """Do nothing: there are no logs."""
        return 0

    def health(self) -> Health:
        """Report nothing: there are no files to be wrong."""
        return Health()

    def close(self) -> None:
        """Forget everything."""
        self._database.close()

    def _ask(self, question: Callable[[sqlite3.Connection], Scanned]) -> Scanned:
        with self._database.reading() as db:
            return question(db)

    def _tried(self, change: Change) -> Stored | CalotypeError | None:
        try:
            return self.apply([change])[0]
        except CalotypeError as error:
            return error

    def _write(self, db: sqlite3.Connection, effect: Effect) -> int:
        kind, key = effect.kind, effect.key
        # A log's records are found by its path, so they need one though there is no file.
        path = (fixed_path(kind, key) if kind.parent else None) or _PATH
        if effect.idle:
            return effect.seq
        if effect.drops:
            self._projector.forget_path(db, [kind], path)
            return 0
        if effect.after is None:
            source = Source(path, rev=effect.rev)
            was = effect.before if kind.name in KEEPS_LAST_BODY else None
            self._projector.bury(db, kind, key, source, timestamp(self._clock.now()), was)
            self._projector.settle(db, kind, path)
            return 0
        canonical(effect.after)  # what no file could hold is refused here too
        seq = self._projector.upsert(db, kind, key, effect.after, Source(path, rev=effect.rev))
        self._projector.settle(db, kind, path)
        return seq
