"""The index against a fresh one made from the same files, while others go on writing.

The old index is read in one transaction, so it stands still; what it remembers of each file says which version of it,
or which part of a journal, it speaks of. A fresh one is filled from exactly that. A file that was written anew
meanwhile has no such version any more: its rows are left out and its path is told.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING

from ..errors import InvalidError, UnreadableError
from ..index.database import IndexLostError, create
from ..index.difference import Difference, differences
from ..index.graph import Edge, dangling, one_sided, ownerless, parentless
from ..index.projector import Projector
from ..index.state import FileState, Problem, load_files, load_pending, load_problems, replace_problems
from ..index.tables import statements, table_of
from ..schemas.catalog import CATALOG
from .opening import NAME
from .places import is_journal
from .tails import Tails
from .whole import WholeFiles, note_unreadable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from collections.abc import Set as AbstractSet

    from ..files.engine import FileEngine
    from .projection import Projection

_LISTED = 1000
"""Differences that are listed; more of them say nothing new."""


@dataclass(slots=True)
class Compared:
    """What the files say, and where the index says something else.

    Attributes:
        problems: what is wrong with the files.
        differences: where the index is not as one made from the files.
        dangling, one_sided, ownerless, parentless: suspicions about references, see `metadata.index.graph`.
        restless: files that were written meanwhile, whose rows were left out.
        records: how many records the files hold.
        files: how many files there are.
    """

    problems: list[Problem] = field(default_factory=list)
    differences: list[Difference] = field(default_factory=list)
    dangling: list[Edge] = field(default_factory=list)
    one_sided: list[tuple[Edge, str]] = field(default_factory=list)
    ownerless: list[tuple[str, str, str]] = field(default_factory=list)
    parentless: list[tuple[str, str, int]] = field(default_factory=list)
    restless: list[str] = field(default_factory=list)
    records: int = 0
    files: int = 0


def compare(projection: Projection, engine: FileEngine) -> Compared:
    """Compare the index with the files, and let it know of damage that it could not have noticed.

    Args:
        projection: the index.
        engine: reads the files; it keeps no documents in memory, so that what is on the disk is what is seen.
    """
    projection.answer(projection.sweep)
    found = Compared()
    unknown: list[str] = []
    with closing(sqlite3.connect("", isolation_level=None)) as fresh:  # a file without a name, gone with its connection
        try:
            with projection.database.reading() as live:
                live.execute("BEGIN")
                try:
                    unknown = _compare(projection, engine, live, fresh, found)
                finally:
                    live.execute("ROLLBACK")
        except IndexLostError as error:
            found.differences.append(Difference("index", NAME, error.message))
    for path in unknown:
        _teach(projection, path, [problem for problem in found.problems if problem.path == path])
    return found


def _compare(
    projection: Projection, engine: FileEngine, live: sqlite3.Connection, fresh: sqlite3.Connection, found: Compared
) -> list[str]:
    """Fill in what was found; return the files of whose damage the index knew nothing."""
    known = load_files(live)
    filling = _Filling(engine, fresh, known, load_pending(live).keys())
    paths = dict.fromkeys([*projection.paths(), *known])  # users come before what refers to them
    found.restless = filling.fill(paths)
    found.files, found.problems = len(paths), load_problems(fresh)
    for kind in CATALOG.values():
        found.records += fresh.execute(f"SELECT count(*) FROM {table_of(kind)}").fetchone()[0]
    found.dangling, found.one_sided = list(dangling(fresh)), list(one_sided(fresh))
    found.ownerless, found.parentless = list(ownerless(fresh)), list(parentless(fresh))
    said = [str(row[0]) for row in live.execute("PRAGMA quick_check(5)")]
    found.differences += [Difference("index", NAME, text) for text in said if text != "ok"]
    # The rows of a file that is damaged unbeknown differ for that reason, which is told already.
    unknown = sorted({problem.path for problem in set(found.problems) - set(load_problems(live))} - {*found.restless})
    left = differences(live, fresh, {*found.restless, *unknown})
    found.differences += islice(left, _LISTED)
    return unknown


def _teach(projection: Projection, path: str, problems: list[Problem]) -> None:
    projection.attempt(path, lambda db: replace_problems(db, path, problems))


class _Filling:
    """Fills a fresh index with what the old one should hold.

    Args:
        engine: reads the files.
        fresh: an empty database.
        known: what the old index remembers of the files.
        pending: files that it is about to look at again.
    """

    def __init__(
        self, engine: FileEngine, fresh: sqlite3.Connection, known: Mapping[str, FileState], pending: AbstractSet[str]
    ) -> None:
        projector = Projector()
        self._fresh = fresh
        self._known = known
        self._pending = pending
        self._tails = Tails(engine, projector)
        self._whole = WholeFiles(engine, projector, engine.clock)

    def fill(self, paths: Iterable[str]) -> list[str]:
        """Project these files; return those that are not as the old index saw them."""
        for pragma in ("cache_size=-65536", "journal_mode=OFF", "synchronous=OFF"):
            self._fresh.execute(f"PRAGMA {pragma}")
        every = statements(CATALOG)
        late = [statement for statement in every if statement.startswith("CREATE INDEX")]
        create(self._fresh, [statement for statement in every if statement not in late], {})
        self._fresh.execute("BEGIN")
        restless = [path for path in paths if not self._filled(path)]
        for statement in late:
            self._fresh.execute(statement)
        self._fresh.execute("COMMIT")
        return restless

    def _filled(self, path: str) -> bool:
        known = self._known.get(path)
        same = self._same(path, known)
        try:
            if is_journal(path):
                limit = known.offset if known is not None and same else None
                self._tails.project(self._fresh, path, recovered=True, limit=limit)
            else:
                self._whole.project(self._fresh, path)
        except (UnreadableError, InvalidError) as error:
            note_unreadable(self._fresh, path, error.message)
        return same and self._same(path, known)

    def _same(self, path: str, known: FileState | None) -> bool:
        """Tell whether a file is still the one, or a journal still begins with that, which the old index speaks of."""
        try:
            identity = self._tails.identity(path)
        except InvalidError:
            return known is None  # a link, which is refused
        if known is None or identity is None or path in self._pending:
            return known is None and identity is None
        if is_journal(path):
            return identity.file == known.identity.file and identity.size >= known.offset
        return identity == known.identity
