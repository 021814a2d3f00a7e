"""What the index remembers of the files themselves: their identity, how far they were read, what was wrong.

`files` says what was projected from where; `pending` notes a whole-file document whose write may have been cut short;
`problems` lists damage and other findings, so that lists can say how many records they had to leave out.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ..files.identity import FileIdentity

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True)
class FileState:
    """What was projected from one file.

    Attributes:
        identity: the file's identity when it was read.
        indexed_ns: when that was, in nanoseconds since the epoch.
        offset: for a journal, the byte up to which it was read; `last_start` and `last_crc` name the last line before
            it (its first byte, and the CRC-32 of its bytes), which is compared again before the index is believed.
        live, dead: for a journal, how many lines are current and how many are superseded, tombstones or damage.
    """

    path: str
    identity: FileIdentity
    indexed_ns: int
    last_start: int = 0
    last_crc: int = 0
    offset: int = 0
    live: int = 0
    dead: int = 0

    def at(self, identity: FileIdentity) -> FileState:
        """Return this state for a file seen now with another identity."""
        return replace(self, identity=identity, indexed_ns=time.time_ns())


@dataclass(frozen=True, slots=True)
class Problem:
    """A finding about a file or a place in it.

    Attributes:
        path: the file, relative to the data folder.
        place: the byte offset of a line, -1 for the whole file.
        kind: the kind of record concerned, empty when unknown.
        key: its key, empty when unknown.
        problem: `unreadable`, `altered`, `duplicate` or `tail`.
        reason: a sentence.
    """

    path: str
    place: int
    kind: str
    key: str
    problem: str
    reason: str


_FILE_COLUMNS = "path, dev, ino, size, mtime_ns, ctime_ns, indexed_ns, last_start, last_crc, offset, live, dead"


def load_file(db: sqlite3.Connection, path: str) -> FileState | None:
    """Return what is remembered of a file; None when nothing is."""
    row = db.execute(f"SELECT {_FILE_COLUMNS} FROM files WHERE path = ?", (path,)).fetchone()
    return None if row is None else _file_state(row)


def load_files(db: sqlite3.Connection) -> dict[str, FileState]:
    """Return what is remembered of every file, by path."""
    return {row[0]: _file_state(row) for row in db.execute(f"SELECT {_FILE_COLUMNS} FROM files")}


def save_file(db: sqlite3.Connection, state: FileState) -> None:
    """Remember a file's state, in place of what was remembered before."""
    found = state.identity
    db.execute(
        f"INSERT OR REPLACE INTO files({_FILE_COLUMNS}) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            *(state.path, found.dev, found.ino, found.size, found.mtime_ns, found.ctime_ns, state.indexed_ns),
            *(state.last_start, state.last_crc, state.offset, state.live, state.dead),
        ),
    )


def drop_file(db: sqlite3.Connection, path: str) -> None:
    """Forget a file that is gone."""
    db.execute("DELETE FROM files WHERE path = ?", (path,))


def note_pending(db: sqlite3.Connection, paths: Iterable[str]) -> None:
    """Note that these documents are about to be written."""
    now = time.time_ns()
    db.executemany("INSERT OR REPLACE INTO pending(path, noted_ns) VALUES(?, ?)", [(path, now) for path in paths])


def clear_pending(db: sqlite3.Connection, path: str) -> None:
    """Clear a note: the index has what the file says."""
    db.execute("DELETE FROM pending WHERE path = ?", (path,))


def load_pending(db: sqlite3.Connection) -> dict[str, int]:
    """Return every pending note: path and when it was made, in nanoseconds since the epoch."""
    return {str(path): int(noted) for path, noted in db.execute("SELECT path, noted_ns FROM pending")}


def save_problem(db: sqlite3.Connection, problem: Problem) -> None:
    """Remember a finding; the same place and key is remembered once."""
    db.execute(
        "INSERT OR REPLACE INTO problems(path, place, kind, key, problem, reason) VALUES(?, ?, ?, ?, ?, ?)",
        (problem.path, problem.place, problem.kind, problem.key, problem.problem, problem.reason),
    )


def clear_problems(db: sqlite3.Connection, path: str, problem: str | None = None) -> None:
    """Forget the findings about a file, before it is read anew; or those of one sort."""
    where, values = ("", (path,)) if problem is None else (" AND problem = ?", (path, problem))
    db.execute(f"DELETE FROM problems WHERE path = ?{where}", values)


def replace_problems(db: sqlite3.Connection, path: str, problems: Iterable[Problem]) -> None:
    """Remember these findings about a file, and no others."""
    clear_problems(db, path)
    for problem in problems:
        save_problem(db, problem)


def load_problems(db: sqlite3.Connection, path: str | None = None) -> list[Problem]:
    """Return the findings about one file, or about all."""
    where, values = ("", ()) if path is None else (" WHERE path = ?", (path,))
    rows = db.execute(f"SELECT path, place, kind, key, problem, reason FROM problems{where}", values)
    return [Problem(*row) for row in rows]


def unreadable_record(db: sqlite3.Connection, kind: str, key: str) -> Problem | None:
    """Return why a record cannot be read; None when nothing is known against it."""
    row = db.execute(
        "SELECT path, place, kind, key, problem, reason FROM problems"
        " WHERE kind = ? AND key = ? AND problem = 'unreadable'",
        (kind, key),
    ).fetchone()
    return None if row is None else Problem(*row)


def count_unreadable(db: sqlite3.Connection, kind: str) -> int:
    """Return how many records of a kind lists leave out because they cannot be read."""
    row = db.execute("SELECT count(*) FROM problems WHERE kind = ? AND problem = 'unreadable'", (kind,)).fetchone()
    return int(row[0])


def _file_state(row: tuple[str, int, int, int, int, int, int, int, int, int, int, int]) -> FileState:
    path, dev, ino, size, mtime_ns, ctime_ns, indexed_ns, last_start, last_crc, offset, live, dead = row
    identity = FileIdentity(dev=dev, ino=ino, size=size, mtime_ns=mtime_ns, ctime_ns=ctime_ns)
    return FileState(path, identity, indexed_ns, last_start, last_crc, offset, live, dead)
