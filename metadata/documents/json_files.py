"""The documents contract over plain files: the truth on disk, the index beside it.

Reads go through the index after a check that it is in step with the files they depend on. A change to one file is one
durable write of that file; a change to several is an intent. Everything is under the gate: shared, or exclusive where
a removal must not race a new reference.
"""

from __future__ import annotations

from contextlib import contextmanager, suppress
from dataclasses import asdict
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from ..clock import Clock, SystemClock, timestamp
from ..errors import CalotypeError, NotFoundError, UnreadableError
from ..ids import Ids, RandomIds
from ..index.state import unreadable_record
from ..schemas.catalog import CATALOG, Kind
from ..schemas.homes import InMember, Lines
from .compaction import compact, overdue, worn
from .contract import ANY, Change, Expectation, Found, Health, Record, Referrer, Stored
from .evaluate import Effect
from .findings import findings
from .projection import Projection
from .reading import (
    MovedError,
    find_rows,
    key_at,
    load_buried,
    load_current,
    load_holder,
    load_live,
    load_many,
    load_mentions,
    load_referrers,
    load_total,
    scan_rows,
)
from .removals import Removal
from .tails import record_at
from .usage import Usage
from .writing import Writing

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from ..files.engine import FileEngine
    from ..index.query import Query


T = TypeVar("T")

_ATTEMPTS = 3


class JsonFiles:
    """Records in plain files; see the contract for every method.

    Args:
        engine: the file engine of an opened data folder.
        cache_dir: the folder of the index; None is the data folder's `cache/`.
        clock: sets tombstones' and documents' times.
        ids: names unfinished operations.
        trash_s: seconds for which a removed asset's record is kept, so that it can be restored.
        hand_over: told that there is work for `work_off`, where somebody does it in the background; None: whoever
            removes something great carries it out to its end, and whoever opens the folder what others left.

    Attributes:
        usage: which payloads are used, for what removes those that are not.
    """

    def __init__(
        self,
        engine: FileEngine,
        *,
        cache_dir: Path | None = None,
        clock: Clock | None = None,
        ids: Ids | None = None,
        trash_s: float = 604_800,
        hand_over: Callable[[], None] | None = None,
    ) -> None:
        self._engine = engine
        self._clock = clock or SystemClock()
        self._trash_s = trash_s
        self._fetch = partial(record_at, engine)
        self._projection = Projection(engine, self._clock, cache_dir or engine.paths.resolve("cache"))
        self._writing = Writing(self._projection, self._clock, ids or RandomIds(), self._fetch)
        self.usage = Usage(self._projection, self._writing.intents.hindered, self.guard)
        self._hand_over = hand_over
        self.work_off(lambda: hand_over is not None)  # first of all, what a dead process left

    @property
    def projection(self) -> Projection:
        """The index, for those who check it against the files."""
        return self._projection

    def get(self, kind: str, key: str) -> Stored | None:
        """Return a record, or None when there is none."""
        return self._steadily(lambda _: self._get(CATALOG[kind], key))

    def many(self, kind: str, keys: Sequence[str]) -> dict[str, Stored]:
        """Return the records with these keys, by key, in one question."""
        return self._of(CATALOG[kind], lambda db: load_many(db, CATALOG[kind], keys)) if keys else {}

    def first(self, kind: str) -> Stored | None:
        """Return the record in the kind's own file where further ones have files of theirs."""
        home = CATALOG[kind].home
        path = home.path if isinstance(home, InMember) else ""
        key = self._of(CATALOG[kind], lambda db: key_at(db, CATALOG[kind], path))
        return None if key is None else self.get(kind, key)

    def find(self, kind: str, query: Query) -> Found:
        """Return a page of records."""

        def answer(final: bool) -> Found:  # noqa: FBT001 - the one argument of `_steadily`'s questions
            found = CATALOG[kind]
            parent = query.filter.get(found.parent) if found.parent else None
            self._projection.refresh(found, None if parent is None else f"{parent}/")
            with self._projection.database.reading() as db:
                return find_rows(db, found, query, self._fetch, final=final)

        try:
            return self._steadily(answer)
        except NotFoundError:  # the parent's id can name no log
            return Found([], None, 0)

    def scan(self, kind: str, after: int = 0) -> Iterator[Stored]:
        """Yield every readable record of a kind in sequence."""
        self._projection.answer(lambda: self._projection.refresh(CATALOG[kind]))
        return scan_rows(self._ask, CATALOG[kind], after, self._fetch)

    def apply(self, changes: Sequence[Change]) -> list[Stored | None]:
        """Make all changes durable, or none."""
        exclusive = len(changes) > 1 or any(change.removes or change.kind == "user" for change in changes)
        with self.guard(exclusive=exclusive):
            effects = self._writing.apply(changes)
        return [effect.stored() for effect in effects]

    def each(self, changes: Sequence[Change]) -> list[Stored | CalotypeError | None]:
        """Make every change that can be made, each for itself, in as few writes as the files allow."""
        with self.guard(exclusive=any(change.removes or change.kind == "user" for change in changes)):
            made = self._writing.each(changes)
        return [effect.stored() if isinstance(effect, Effect) else effect for effect in made]

    def lookup(self, kind: str, fields: Sequence[str], values: Sequence[str]) -> Stored | None:
        """Return the record that holds these values of a unique rule, None when there is none."""
        key = self._of(CATALOG[kind], lambda db: load_holder(db, CATALOG[kind], fields, values))
        return None if key is None else self.get(kind, key)

    def total(self, kind: str, field: str) -> int:
        """Return the sum of a numeric filter field over all records of a kind."""
        return self._of(CATALOG[kind], lambda db: load_total(db, CATALOG[kind], field))

    def is_live(self, sha256: str) -> bool:
        """Tell whether a record names this payload or a record's text mentions it."""
        return self._of(CATALOG["asset"], lambda db: load_live(db, sha256))

    def referrers(self, kind: str, key: str) -> list[Referrer]:
        """Return every declared reference to a record."""
        return self._linked(lambda db: load_referrers(db, kind, key))

    def mentions(self, sha256: str, *, owner: str | None = None) -> list[Referrer]:
        """Return every record (of this owner, if given) that mentions a hash in its text."""
        return self._linked(lambda db: load_mentions(db, sha256, owner))

    def buried(self, kind: str, key: str) -> Record | None:
        """Return the last body of a record removed within the trash window, if its kind keeps it."""
        since = self._since()
        return self._of(CATALOG[kind], lambda db: load_buried(db, kind, key, since), key)

    @contextmanager
    def guard(self, *, exclusive: bool = False) -> Iterator[None]:
        """Hold the gate; what a dead process left unfinished is finished first.

        A great removal that was decided inside is carried out after the gate is let go.
        """
        outermost = not self._engine.locks.gate.held
        with self._gated(exclusive=exclusive):
            yield
        if outermost:
            self._writing.retiring.carry_out_due(self.guard, self._hand_over)

    def retire(
        self, kind: str, key: str, *, expect: Expectation = ANY, force: bool = False, heir: str | None = None
    ) -> bool:
        """Remove a record together with all that its removal brings with it, if that is too much for one `apply`."""
        retiring = self._writing.retiring
        if CATALOG[kind].parent is not None:
            return False
        with self.guard(exclusive=True):
            self._projection.answer(self._projection.refresh_sources)
            if not self._projection.answer(lambda: retiring.takes(kind, key, force=force)):
                return False
            self._writing.intents.decided(retiring.commit(Removal(kind, key, force, heir or ""), expect))
        return True

    def work_off(self, stop: Callable[[], bool] = lambda: False) -> None:
        """Carry out the great removals that nobody is at; `stop` is asked before every chunk."""
        with self.guard():
            pass  # so that this process knows of them all
        self._writing.retiring.attempt_all(self._writing.intents.removals, self.guard, stop)

    def compact(self) -> int:
        """Rewrite every log to one line per live record; return the bytes saved."""
        paths = [kind.home.path for kind in CATALOG.values() if isinstance(kind.home, Lines)]
        logs = self._projection.answer(lambda: worn(self._projection))
        return sum(compact(self._projection, path, self._since()) for path in [*paths, *logs])

    def health(self) -> Health:
        """Return what is known to be wrong with the files."""
        found = self._projection.answer(lambda: findings(self._projection))
        return Health([asdict(one) for one in found], len(self._writing.intents.waiting()))

    def tidy(self) -> int:
        """Compact the logs that are large and mostly dead, beside their writers; return the bytes saved."""
        paths = self._projection.answer(lambda: overdue(self._projection))
        return sum(compact(self._projection, path, self._since()) for path in paths)

    def retry(self) -> None:
        """Let operations over several files that could not be finished be tried again at the next write."""
        self._writing.intents.retry()

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

    @contextmanager
    def _gated(self, *, exclusive: bool) -> Iterator[None]:
        gate = self._engine.locks.gate
        while True:
            with gate.exclusive() if exclusive else gate.shared():
                if not self._writing.intents.unfinished():
                    yield
                    return
            with gate.exclusive():
                self._writing.intents.finish()

    def _steadily(self, question: Callable[[bool], T]) -> T:
        """Ask again when a log was rewritten between looking its lines up and reading them; tell the last try so."""
        for _ in range(_ATTEMPTS - 1):
            with suppress(MovedError):
                return self._projection.answer(lambda: question(False))  # noqa: FBT003 - not final
        try:
            return self._projection.answer(lambda: question(True))  # noqa: FBT003 - final
        except MovedError as error:
            raise UnreadableError(f"{error} holds a line that cannot be read.", path=str(error)) from error

    def _ask(self, question: Callable[[sqlite3.Connection], T]) -> T:
        def answer() -> T:
            with self._projection.database.reading() as db:
                return question(db)

        return self._projection.answer(answer)

    def _of(self, kind: Kind, question: Callable[[sqlite3.Connection], T], key: str | None = None) -> T:
        """Ask the index, once it is fit to answer for a kind."""

        def answer() -> T:
            self._projection.refresh(kind, key)
            with self._projection.database.reading() as db:
                return question(db)

        return self._projection.answer(answer)

    def _since(self) -> str:
        """Return the time since when what was removed can be restored."""
        return timestamp(self._clock.now() - timedelta(seconds=self._trash_s))

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
            self._projection.refresh_sources()
            with self._projection.database.reading() as db:
                return load(db)

        return self._projection.answer(answer)
