"""Journals and the index: projecting the lines that came since it last looked.

A journal needs no note of pending work: the bytes past the recorded offset are the note, and any reader projects them.
Before the offset is believed, the last line it counted is compared again, so a journal that was compacted or replaced
(inode numbers come back) is read anew from its start.
"""

from __future__ import annotations

import time
import zlib
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ..errors import InvalidError
from ..files.identity import FileIdentity, identity_of
from ..files.journal import Damage, Line
from ..index.moving import drop_tombstones, live_rows, move, place_of
from ..index.projector import Projector, Source
from ..index.state import FileState, Problem, drop_file, load_file, save_file, save_problem
from ..index.tables import table_of
from .places import kinds_in, line_key, revision, with_parent, without_bookkeeping

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from ..files.engine import FileEngine
    from ..files.journal import Moves
    from ..schemas.catalog import Kind
    from .contract import Record


class DamagedTailError(Exception):
    """A damaged line was met by a reader; its owner recovers the journal under the lock and reads again."""


@dataclass(frozen=True, slots=True)
class Moved:
    """What a compaction did beside moving lines.

    Attributes:
        buried: the tombstones that were left out, by key and revision.
        changed: the records that were written otherwise than they stood there, by old offset and key.
    """

    buried: list[tuple[str, int]] = field(default_factory=list)
    changed: list[tuple[int, str, Record]] = field(default_factory=list)


class Tails:
    """Projects journals into the index, inside the caller's write transaction."""

    def __init__(self, engine: FileEngine, projector: Projector) -> None:
        self._engine = engine
        self._projector = projector

    def identity(self, path: str) -> FileIdentity | None:
        """Return a file's identity, None when it is absent."""
        return identity_of(self._engine.fs, self._engine.paths.resolve(path))

    def project(
        self, db: sqlite3.Connection, path: str, *, recovered: bool, limit: int | None = None
    ) -> FileIdentity | None:
        """Project what came since the recorded offset; return the identity up to which the index now speaks.

        Args:
            db: a connection inside a write transaction.
            path: the journal.
            recovered: damage was looked at under the lock, so what is still damaged is rot and is passed over.
            limit: leave out the lines from this offset on; None: none.

        Raises:
            DamagedTailError: a damaged line was met and `recovered` is false.
        """
        identity = self.identity(path)
        kinds = kinds_in(path)
        if identity is None:
            self.forget(db, path)
            return None
        state = self._begin(db, path, kinds, identity)
        tally = _Tally(state.offset)
        for item in self._engine.journal(path).read(state.offset):
            if limit is not None and item.offset >= limit:
                break
            if isinstance(item, Damage):
                if not recovered:
                    raise DamagedTailError(path)
                _unreadable(db, kinds[0], path, item.offset, "", item.reason)
                tally.passed(item.offset, item.offset + item.length, (0, 1))
            else:
                tally.passed(item.offset, item.end, self._line(db, kinds[0], path, item))
        self._save(db, state, tally, identity)
        self._projector.settle(db, kinds[0], path)
        return identity

    def forget(self, db: sqlite3.Connection, path: str) -> None:
        """Remove everything that came from a journal."""
        self._projector.forget_path(db, kinds_in(path), path)
        drop_file(db, path)

    def forget_some(self, db: sqlite3.Connection, path: str, most: int) -> int:
        """Remove at most so many of the rows that came from a journal that is about to go; return how many."""
        kind = kinds_in(path)[0]
        keys = [row[0] for row in db.execute(f"SELECT key FROM {table_of(kind)} WHERE path = ? LIMIT ?", (path, most))]
        for key in keys:
            self._projector.remove(db, kind, key)
        return len(keys)

    def project_lines(self, db: sqlite3.Connection, path: str, lines: Sequence[Line], end: FileIdentity) -> bool:
        """Project lines just written under the lock; False when the index has read the journal to another place."""
        state = load_file(db, path)
        if state is None or not lines or state.offset != lines[0].offset:
            return False
        kind = kinds_in(path)[0]
        tally = _Tally(state.offset)
        for line in lines:
            tally.passed(line.offset, line.end, self._line(db, kind, path, line))
        self._save(db, state, tally, end)
        self._projector.settle(db, kind, path)
        return True

    def in_step(self, db: sqlite3.Connection, path: str) -> bool:
        """Tell whether the index has read all of a journal as it now is; its lock is held."""
        identity, state = self.identity(path), load_file(db, path)
        return (
            identity is not None
            and state is not None
            and (state.identity.file, state.offset) == (identity.file, identity.size)
        )

    def moved(self, db: sqlite3.Connection, path: str, moves: Moves, what: Moved) -> None:
        """Bring the index from the journal it was in step with to the compacted one that just took its place."""
        kind, identity, state = kinds_in(path)[0], self.identity(path), load_file(db, path)
        last = moves.last
        if identity is None or state is None or last is None or not move(db, kind, path, moves):
            self.project(db, path, recovered=True)
            return
        drop_tombstones(db, kind, what.buried)
        for old, key, record in what.changed:
            place = place_of(db, kind, key, old)
            if place is not None:
                self._projector.upsert(db, kind, key, with_parent(kind, path, record), Source(path, *place))
        start, length = last
        live = live_rows(db, kind, path)
        crc = self._crc(path, start, length)
        save_file(db, FileState(path, identity, time.time_ns(), start, crc, start + length, live, len(moves) - live))

    def _save(self, db: sqlite3.Connection, state: FileState, tally: _Tally, identity: FileIdentity) -> None:
        if tally.end > state.offset:
            crc = self._crc(state.path, tally.start, tally.end - tally.start)
            state = replace(state, last_start=tally.start, last_crc=crc, offset=tally.end)
        save_file(db, replace(state, live=state.live + tally.live, dead=state.dead + tally.dead).at(identity))

    def _begin(self, db: sqlite3.Connection, path: str, kinds: list[Kind], identity: FileIdentity) -> FileState:
        state = load_file(db, path)
        if state is not None and self._continues(state, identity):
            return state
        if state is not None:
            self._projector.forget_path(db, kinds, path)
        return FileState(path, identity, time.time_ns())

    def _continues(self, state: FileState, identity: FileIdentity) -> bool:
        seen = state.identity
        if (seen.dev, seen.ino) != (identity.dev, identity.ino) or identity.size < state.offset:
            return False
        if seen.size == identity.size and seen.mtime_ns != identity.mtime_ns:
            return False  # written to, and yet not longer: somebody edited it in place
        return state.last_crc == self._crc(state.path, state.last_start, state.offset - state.last_start)

    def _crc(self, path: str, offset: int, length: int) -> int:
        return zlib.crc32(self._engine.read_bytes(path, offset, length))

    def _line(self, db: sqlite3.Connection, kind: Kind, path: str, line: Line) -> tuple[int, int]:
        """Project one line; return how the counts of live and dead lines change."""
        record = line.record
        key = line_key(kind, path, record, line.offset)
        if key is None:
            _unreadable(db, kind, path, line.offset, "", f"it has no {' and '.join(kind.key)}")
            return 0, 1
        rev = revision(record)
        known, was_live = _known_rev(db, kind, key)
        if known is not None and rev <= known:
            reason = f"another line of {key} stands before it"
            save_problem(db, Problem(path, line.offset, kind.name, key, "duplicate", reason))
            return 0, 1
        source = Source(path, line.offset, line.end - line.offset, rev)
        if isinstance(record.get("_deleted"), str):
            was = record.get("_was")
            if line.check == "altered":
                _altered(db, kind, path, line, key)
            self._projector.bury(db, kind, key, source, str(record["_deleted"]), was if isinstance(was, dict) else None)
            return -was_live, 1 + was_live
        body = with_parent(kind, path, without_bookkeeping(record))
        if line.check != "sound" and not _valid(db, kind, path, line, key, body):
            # The newest version is the record; an older one in its place would be a silent lie.
            self._projector.remove(db, kind, key)
            return -was_live, 1 + was_live
        self._projector.upsert(db, kind, key, body, source)
        return 1 - was_live, was_live


@dataclass(slots=True)
class _Tally:
    """How far a projection has come: where the last line begins and ends, and how the counts of lines changed."""

    end: int
    start: int = 0
    live: int = 0
    dead: int = 0

    def passed(self, start: int, end: int, counts: tuple[int, int]) -> None:
        self.start, self.end = start, end
        self.live += counts[0]
        self.dead += counts[1]


def _valid(db: sqlite3.Connection, kind: Kind, path: str, line: Line, key: str, body: Record) -> bool:
    """Check a line that we did not write, or that was changed since; note what is wrong with it."""
    try:
        kind.model.from_record(body)
    except InvalidError as error:
        _unreadable(db, kind, path, line.offset, key, error.message)
        return False
    if line.check == "altered":
        _altered(db, kind, path, line, key)
    return True


def _altered(db: sqlite3.Connection, kind: Kind, path: str, line: Line, key: str) -> None:
    reason = "its check value does not fit: it was edited by hand, or damaged"
    save_problem(db, Problem(path, line.offset, kind.name, key, "altered", reason))


def _unreadable(db: sqlite3.Connection, kind: Kind, path: str, offset: int, key: str, reason: str) -> None:
    save_problem(db, Problem(path, offset, kind.name, key, "unreadable", reason))


def _known_rev(db: sqlite3.Connection, kind: Kind, key: str) -> tuple[int | None, int]:
    """Return the revision of a record or its tombstone (None: neither), and 1 when it is live, else 0."""
    row = db.execute(f"SELECT rev FROM {table_of(kind)} WHERE key = ?", (key,)).fetchone()
    if row is not None:
        return int(row[0]), 1
    row = db.execute("SELECT rev FROM tombstones WHERE kind = ? AND key = ?", (kind.name, key)).fetchone()
    return (None, 0) if row is None else (int(row[0]), 0)


def record_at(engine: FileEngine, path: str, offset: int, length: int) -> Record:
    """Return the record on the line at this place, without bookkeeping."""
    record = without_bookkeeping(engine.journal(path).read_at(offset, length).record)
    return with_parent(kinds_in(path)[0], path, record)
