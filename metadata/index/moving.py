"""Rows after their log was written anew: their lines lie elsewhere now, and say the same.

Reading a log of two hundred thousand lines into the index again takes half a minute; telling its rows where their
lines went takes a second.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .tables import table_of

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable

    from ..schemas.catalog import Kind

Move = tuple[int, int, int, bool]
"""A line's old offset, its new one, its new length in bytes, and whether it lost its revision."""


def move(db: sqlite3.Connection, kind: Kind, path: str, moves: Iterable[Move]) -> bool:
    """Tell a log's rows and findings where their lines are now.

    False when that is not possible (a record is named by the place of its line, or a row's line is not among the
    moved ones); the rows are in disorder then, and the log has to be read again in the same transaction.
    """
    table = table_of(kind)
    named = f"SELECT EXISTS(SELECT 1 FROM {table} WHERE path = ? AND instr(key, '/@'))"
    if kind.parent is not None and db.execute(named, (path,)).fetchone()[0]:
        return False
    db.execute(
        "CREATE TEMP TABLE IF NOT EXISTS moved("
        "old INTEGER PRIMARY KEY, new INTEGER NOT NULL, length INTEGER NOT NULL, anew INTEGER NOT NULL)"
    )
    db.execute("DELETE FROM temp.moved")
    db.executemany("INSERT INTO temp.moved VALUES(?, ?, ?, ?)", moves)
    moved = db.execute(
        f"UPDATE {table} AS t SET offset = m.new, length = m.length, rev = CASE m.anew WHEN 1 THEN 0 ELSE t.rev END"
        " FROM temp.moved m WHERE t.path = ? AND m.old = t.offset",
        (path,),
    ).rowcount
    return moved == live_rows(db, kind, path) and _move_problems(db, path)


def live_rows(db: sqlite3.Connection, kind: Kind, path: str) -> int:
    """Return how many records the index has from a log."""
    return int(db.execute(f"SELECT count(*) FROM {table_of(kind)} WHERE path = ?", (path,)).fetchone()[0])


def drop_tombstones(db: sqlite3.Connection, kind: Kind, buried: Iterable[tuple[str, int]]) -> None:
    """Forget tombstones, by key and revision, whose lines were left out."""
    db.executemany(
        "DELETE FROM tombstones WHERE kind = ? AND key = ? AND rev = ?", ((kind.name, key, rev) for key, rev in buried)
    )


def place_of(db: sqlite3.Connection, kind: Kind, key: str, old: int) -> tuple[int, int] | None:
    """Return the new offset and length of a record's line; None when a newer line is the record by now."""
    row = db.execute(
        f"SELECT t.offset, t.length FROM {table_of(kind)} t JOIN temp.moved m ON m.new = t.offset"
        " WHERE t.key = ? AND m.old = ?",
        (key, old),
    ).fetchone()
    return None if row is None else (int(row[0]), int(row[1]))


def _move_problems(db: sqlite3.Connection, path: str) -> bool:
    rows = db.execute(
        "SELECT p.path, m.new, p.kind, p.key, p.problem, p.reason FROM problems p"
        " JOIN temp.moved m ON m.old = p.place WHERE p.path = ?",
        (path,),
    ).fetchall()
    # One by one they would collide on their way.
    db.execute("DELETE FROM problems WHERE path = ? AND place >= 0", (path,))
    db.executemany("INSERT INTO problems(path, place, kind, key, problem, reason) VALUES(?, ?, ?, ?, ?, ?)", rows)
    return True
