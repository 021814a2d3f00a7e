"""Rewriting a journal to its canonical form: one line a live record, in order of first appearance.

Superseded lines and old tombstones go. What we did not write ourselves and cannot judge (damage, lines edited by hand,
a foreign second line of one id) stays as it is, where it is. What a chat says of its log is written as the log now is.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from ..files.journal import Damage, Journal, Line
from ..index.children import children_of, overlaid
from ..index.state import load_files
from ..schemas.catalog import CATALOG
from .places import kinds_in, line_key, record_key, revision

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .contract import Record
    from .projection import Projection


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
    journal.compact(lambda lines: _rewritten(journal, _Plan(path, lines), since, partial(_settled, projection, path)))
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


def _settled(projection: Projection, path: str, record: Record) -> Record:
    """Return a record with its derived members as the index has them."""
    kind = kinds_in(path)[0]
    key = record_key(kind, record)
    for child in children_of(CATALOG, kind.name):
        with projection.reading() as db:
            found = overlaid(db, child, str(key), record)
        record = {name: found[name] for name in kind.members if name in found} | found
    return record


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


def _rewritten(
    journal: Journal, plan: _Plan, since: str, settled: Callable[[Record], Record]
) -> Iterator[Record | Line | Damage]:
    for entry in plan.entries:
        if isinstance(entry, Damage):
            yield entry
            continue
        offset, length, key = entry
        line = journal.read_at(offset, length)
        deleted = line.record.get("_deleted")
        if line.check != "sound" or key in plan.contested:
            yield line
        elif deleted is None:
            yield settled({name: value for name, value in line.record.items() if name != "_rev"})
        elif "_was" in line.record and str(deleted) >= since:
            yield line.record
