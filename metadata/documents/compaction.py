"""Rewriting a journal to its canonical form: one line a live record, in order of first appearance.

Superseded lines and old tombstones go. What we did not write ourselves and cannot judge (damage, lines edited by hand,
a foreign second line of one id) stays as it is, where it is. What a chat says of its log is written as the log now is.
No gate is held: lines are copied beside the writers, and what they add meanwhile, the rename and the index's offsets
follow under the journal's lock.
"""

from __future__ import annotations

import logging
import sqlite3
from functools import partial
from typing import TYPE_CHECKING

from ..errors import CalotypeError
from ..files.journal import Damage, Line, Recall
from ..index.children import children_of, overlaid
from ..index.state import load_files
from ..schemas.catalog import CATALOG
from .places import kinds_in, line_key, record_key, revision
from .tails import Moved

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ..files.journal import Moves
    from ..schemas.catalog import Kind
    from .contract import Record
    from .projection import Projection

_log = logging.getLogger("calotype.documents")

OVERDUE_BYTES = 1024 * 1024
"""A smaller journal is not worth rewriting by itself (protocols.md, "Lines and documents")."""


def compact(projection: Projection, path: str, since: str) -> int:
    """Compact one journal and bring the index in step; return the bytes saved.

    Args:
        projection: the index and the file engine.
        path: the journal.
        since: a timestamp; tombstones that hold their record and are younger stay, so that it can be restored.

    Raises:
        BusyError, FullError, UnreadableError: as `Journal.compact`; the journal is as it was then.
    """
    journal = projection.engine.journal(path)
    before = journal.stat()
    if before is None:
        return 0
    rewriting = _Rewriting(projection, path, since)
    journal.compact(rewriting.lines, rewriting.replace)
    projection.answer(lambda: projection.follow(path))
    after = journal.stat()
    return before.size - (0 if after is None else after.size)


def worn(projection: Projection) -> list[str]:
    """Return the logs of single parents that hold lines which are no longer current; the others are left alone."""
    with projection.database.reading() as db:
        known = load_files(db)
    return [path for path, state in known.items() if state.dead and any(kind.parent for kind in kinds_in(path))]


def overdue(projection: Projection) -> list[str]:
    """Return the journals that are large and hold more dead lines than live ones."""
    with projection.database.reading() as db:
        known = load_files(db)
    return [path for path, state in known.items() if state.dead > state.live and state.identity.size > OVERDUE_BYTES]


class _Rewriting:
    """One journal being rewritten: what becomes of its lines, and of their rows in the index."""

    def __init__(self, projection: Projection, path: str, since: str) -> None:
        self._projection = projection
        self._path = path
        self._since = since
        self._kind = kinds_in(path)[0]
        self._plan = _Plan(path, iter(()))
        self._moved = Moved()

    def lines(self, lines: Iterator[Line | Damage]) -> Iterator[Damage | Recall]:
        """Yield what shall stand in the new journal; see `Rewrite`."""
        self._plan = _Plan(self._path, lines)
        self._moved = Moved()
        for entry in self._plan.entries:
            if isinstance(entry, Damage):
                yield entry
            else:
                offset, length, key = entry
                yield Recall(offset, length, partial(self._decided, key))

    def replace(self, moves: Moves, publish: Callable[[], None]) -> None:
        """Publish the new journal within the transaction that tells the index where its lines are; see `Replace`.

        The index is let down rather than the journal: what it could not take, the next reader reads again.
        """
        done: list[bool] = []
        try:
            self._projection.follow_locked(self._path)
            with self._projection.database.writing() as db:
                in_step = self._projection.tails.in_step(db, self._path)
                publish()
                done.append(True)
                if in_step:
                    self._projection.tails.moved(db, self._path, moves, self._moved)
        except (CalotypeError, sqlite3.Error) as error:
            _log.warning("The index could not follow the compaction of %s: %s", self._path, error)
            if not done:
                publish()

    def _decided(self, key: str | None, line: Line) -> Record | Line | None:
        deleted = line.record.get("_deleted")
        if line.check != "sound" or key is None or key in self._plan.contested:
            return line
        if deleted is None:
            record = {name: value for name, value in line.record.items() if name != "_rev"}
            settled = self._settled(record)
            if list(settled.items()) != list(record.items()):
                self._moved.changed.append((line.offset, key, settled))
            return settled
        if "_was" in line.record and str(deleted) >= self._since:
            return line.record
        self._moved.buried.append((key, revision(line.record)))
        return None

    def _settled(self, record: Record) -> Record:
        """Return a record with its derived members as the index has them."""
        for child in children_of(CATALOG, self._kind.name):
            found = self._projection.answer(partial(self._overlaid, child, record))
            record = {name: found[name] for name in self._kind.members if name in found} | found
        return record

    def _overlaid(self, child: Kind, record: Record) -> Record:
        with self._projection.reading() as db:
            return overlaid(db, child, str(record_key(self._kind, record)), record)


class _Plan:
    """What is to stand in the new journal, in order: damage as it is, and of each record its newest line's place.

    A record is contested when a line of it stays that is not its newest: then its revisions and its tombstone stay
    too, or that line would take the record over.
    """

    def __init__(self, path: str, lines: Iterator[Line | Damage]) -> None:
        self.entries: list[Damage | tuple[int, int, str | None]] = []
        self.contested: set[str] = set()
        self._kind = kinds_in(path)[0]
        self._path = path
        self._newest: dict[str, tuple[int, int]] = {}
        for item in lines:
            self._take(item)

    def _take(self, item: Line | Damage) -> None:
        if isinstance(item, Damage):
            self.entries.append(item)
            return
        key = line_key(self._kind, self._path, item.record, item.offset)
        entry = (item.offset, item.end - item.offset, key)
        if key is None or key not in self._newest:
            if key is not None:
                self._newest[key] = (len(self.entries), revision(item.record))
            self.entries.append(entry)
            return
        position, newest = self._newest[key]
        rev = revision(item.record)
        self._newest[key] = (position, max(rev, newest))
        if rev > newest and item.check == "sound":
            self.entries[position] = entry
        else:  # whether it makes sense is not for us to say, so what it would supersede stays as well
            self.contested.add(key)
            self.entries.append(entry)
