"""Rewriting a journal to its canonical form: one line a live record, in order of first appearance.

Superseded lines and old tombstones go. What we did not write ourselves and cannot judge (damage, lines edited by hand,
a foreign second line of one id) stays as it is, where it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..files.journal import Damage, Journal, Line
from .places import kinds_in, line_key, revision

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .contract import Record
    from .projection import Projection


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
    journal.compact(lambda lines: _rewritten(journal, _Plan(path, lines), since))
    projection.answer(lambda: projection.follow(path))
    after = journal.stat()
    return before.size - (0 if after is None else after.size)


class _Plan:
    """What is to stand in the new journal, in order: damage as it is, and of each record its newest line's place."""

    def __init__(self, path: str, lines: Iterator[Line | Damage]) -> None:
        self.entries: list[Damage | tuple[int, int]] = []
        self._kind = kinds_in(path)[0]
        self._path = path
        self._newest: dict[str, tuple[int, int]] = {}
        for item in lines:
            self._take(item)

    def _take(self, item: Line | Damage) -> None:
        if isinstance(item, Damage):
            self.entries.append(item)
            return
        place = (item.offset, item.end - item.offset)
        key = line_key(self._kind, self._path, item.record, item.offset)
        rev = revision(item.record)
        if key is None or key not in self._newest:
            if key is not None:
                self._newest[key] = (len(self.entries), rev)
            self.entries.append(place)
        elif rev > self._newest[key][1]:
            position = self._newest[key][0]
            self.entries[position] = place
            self._newest[key] = (position, rev)
        else:
            self.entries.append(place)


def _rewritten(journal: Journal, plan: _Plan, since: str) -> Iterator[Record | Line | Damage]:
    for entry in plan.entries:
        if isinstance(entry, Damage):
            yield entry
            continue
        line = journal.read_at(*entry)
        deleted = line.record.get("_deleted")
        if line.check != "sound":
            yield line
        elif deleted is None:
            yield {name: value for name, value in line.record.items() if name != "_rev"}
        elif "_was" in line.record and str(deleted) >= since:
            yield line.record
