"""From a record to its rows: the one place that writes what the index knows of records.

Every function takes a connection inside a write transaction. The index is derived, so nothing here decides anything:
it repeats what the files say, and the files win.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..schemas.catalog import CATALOG, Kind
from ..schemas.homes import InMember
from . import children, texts
from .tables import FIXED, column_of, columns_of, field_name, stores_body, table_of
from .values import column_value, moment_value

if TYPE_CHECKING:
    import sqlite3

Body = Mapping[str, object]

_ESCAPE = re.compile(r"\\(?:u[0-9a-f]{4}|.)")
_PERCENT = re.compile("%[0-9A-Fa-f]{2}")
_HASH_RUN = re.compile(r"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")


@dataclass(frozen=True, slots=True)
class Source:
    """Where a record was read: its file, and for a line its offset and length in bytes and its revision."""

    path: str
    offset: int = 0
    length: int = 0
    rev: int = 0


@dataclass(frozen=True, slots=True)
class Reference:
    """One declared reference of a record: through which field, to what (kind empty when only the id is known)."""

    field: str
    kind: str
    key: str


def references_of(kind: Kind, body: Body) -> list[Reference]:
    """Return the record's references, each target once per field, in order; its owner is a column of its own."""
    found: dict[Reference, None] = {}
    for ref in kind.refs:
        if ref.path == (kind.owner,):
            continue
        for key in ref.values(body):
            found[Reference(field_name(ref), ref.target_kind(body, key) or "", key)] = None
    return list(found)


def mentions_of(kind: Kind, body: Body) -> set[str]:
    """Return the hashes the record mentions in any text, beside the one it names as its own payload."""
    return _mentions(kind, body, json.dumps(body)) if kind.mentions else set()


def _mentions(kind: Kind, body: Body, text: str) -> set[str]:
    if not kind.mentions:
        return set()
    # Escapes end in hexadecimal digits or letters, which would pass for a part of the run beside them.
    text = _ESCAPE.sub(" ", text) if "\\" in text else text
    found = set(_HASH_RUN.findall(text))
    if "%" in text:  # the same in addresses: `?image=%2fblobs%2f…`; but a mere per cent sign is no escape
        found |= set(_HASH_RUN.findall(_PERCENT.sub(" ", text)))
    found.discard(str(body.get("sha256")))
    return found


def unique_values(kind: Kind, body: Body) -> Iterator[tuple[str, str]]:
    """Yield (rule, value) for every unique rule whose fields are all there."""
    for fields in kind.uniques:
        values = [body.get(field) for field in fields]
        if all(value is not None for value in values):
            yield "+".join(fields), json.dumps(values)


def owner_of(kind: Kind, body: Body) -> str:
    """Return the id of the user a record belongs to; empty where the kind has no owner."""
    return str(body.get(kind.owner) or "") if kind.owner else ""


class Projector:
    """Writes and removes the rows of records.

    Args:
        catalog: the kinds there are.
        all_bodies: keep the body of every record, of those in long logs too (there are no files to read them from).
    """

    def __init__(self, catalog: Mapping[str, Kind] = CATALOG, *, all_bodies: bool = False) -> None:
        self.catalog = catalog
        self._all_bodies = all_bodies
        self._children = {parent: kind for kind in catalog.values() if (parent := children.parent_of(kind)) is not None}
        self._columns = {name: columns_of(kind) for name, kind in catalog.items()}
        self._insert = {name: _insert_statement(kind) for name, kind in catalog.items()}
        self._update = {name: _update_statement(kind) for name, kind in catalog.items()}

    def upsert(self, db: sqlite3.Connection, kind: Kind, key: str, body: Body, source: Source) -> int:
        """Write a record's rows, in place of those it had; return its position, which it keeps from the first."""
        owner = owner_of(kind, body) or _standing_in(db, kind)
        created = moment_value(body.get(kind.created) if kind.created else None)
        if kind.name in self._children:
            body = children.overlaid(db, self._children[kind.name], key, body)
        # Escaped to ASCII: SQLite refuses a lone surrogate, which JSON from elsewhere may hold.
        text = json.dumps(body, separators=(",", ":"))
        row = self._row(kind, key, body, source, owner, created, text)
        known = _known(db, kind, key)
        children.count(db, kind, source.path, known is None, children.counts(body) - (0 if known is None else known[2]))
        if known is None:
            seq = self._insert_row(db, kind, key, row)
            self._say(db, kind, seq, texts.said(kind, owner, body), known=False)
            _count(db, kind, owner, 1)
        else:
            seq = int(known[0])
            self._say(db, kind, seq, texts.said(kind, owner, body), known=True)
            db.execute(self._update[kind.name], (*row, seq))
            if known[1] != owner:
                _count(db, kind, known[1], -1)
                _count(db, kind, owner, 1)
            self._clear_satellites(db, kind, key)
        self._write_satellites(db, kind, key, body, owner, created, text)
        return seq

    def remove(self, db: sqlite3.Connection, kind: Kind, key: str) -> int:
        """Remove a record's rows; return the sequence number it had, 0 when it was not there."""
        known = _known(db, kind, key)
        if known is None:
            return 0
        seq = int(known[0])
        if kind.searched:
            texts.remove(db, kind, seq, texts.remembered(db, kind, seq))
        db.execute(f"DELETE FROM {table_of(kind)} WHERE seq = ?", (seq,))
        _count(db, kind, known[1], -1)
        children.count(db, kind, known[3], -1, -known[2])
        self._clear_satellites(db, kind, key)
        return seq

    def bury(
        self, db: sqlite3.Connection, kind: Kind, key: str, source: Source, deleted: str, was: Body | None
    ) -> None:
        """Turn a record into its tombstone, which keeps its revision, position and, if given, its last body."""
        seq = self.remove(db, kind, key) or _buried_seq(db, kind, key) or 0
        text = None if was is None else json.dumps(was)
        owner = "" if was is None else owner_of(kind, was)
        db.execute(
            "INSERT OR REPLACE INTO tombstones(kind, key, path, rev, seq, owner, deleted, body)"
            " VALUES(?, ?, ?, ?, ?, ?, ?, ?)",
            (kind.name, key, source.path, source.rev, seq, owner, deleted, text),
        )

    def forget_path(self, db: sqlite3.Connection, kinds: list[Kind], path: str) -> None:
        """Remove everything the index holds from one file."""
        for kind in kinds:
            self._forget_rows(db, kind, path)
            if kind.parent is not None:
                db.execute("DELETE FROM children WHERE path = ?", (path,))
                self.settle(db, kind, path)
        db.execute("DELETE FROM tombstones WHERE path = ?", (path,))
        db.execute("DELETE FROM problems WHERE path = ?", (path,))

    def settle(self, db: sqlite3.Connection, kind: Kind, path: str) -> None:
        """Bring what a parent's record says of its log in step, after lines of the log were projected."""
        children.settle(db, self.catalog, kind, path)

    def _forget_rows(self, db: sqlite3.Connection, kind: Kind, path: str) -> None:
        table = table_of(kind)
        owned = db.execute(f"SELECT owner, count(*) FROM {table} WHERE path = ? GROUP BY owner", (path,)).fetchall()
        for owner, n in owned:
            _count(db, kind, owner, -n)
        rows = f"FROM {table} WHERE path = ?"
        for satellite in ("refs", "mentions"):
            sql = f"DELETE FROM {satellite} WHERE src_kind = ? AND src_key IN (SELECT key {rows})"
            db.execute(sql, (kind.name, path))
        db.execute(f"DELETE FROM uniques WHERE kind = ? AND key IN (SELECT key {rows})", (kind.name, path))
        if kind.searched:
            texts.remove_file(db, kind, path)
        db.execute(f"DELETE {rows}", (path,))

    def _row(
        self, kind: Kind, key: str, body: Body, source: Source, owner: str, created: str, text: str
    ) -> list[object]:
        updated = moment_value(body.get(kind.updated) if kind.updated else None)
        kept = text if self._all_bodies or stores_body(kind) else None
        fixed = [key, source.path, source.rev, owner, created, updated, source.offset, source.length, kept]
        return [*fixed, *(column_value(body.get(field)) for field in self._columns[kind.name])]

    def _insert_row(self, db: sqlite3.Connection, kind: Kind, key: str, row: list[object]) -> int:
        buried = _buried_seq(db, kind, key)
        if buried is not None:
            db.execute("DELETE FROM tombstones WHERE kind = ? AND key = ?", (kind.name, key))
        cursor = db.execute(self._insert[kind.name], (buried or None, *row))
        return int(cursor.lastrowid or 0)

    def _say(self, db: sqlite3.Connection, kind: Kind, seq: int, said: texts.Said, *, known: bool) -> None:
        """Make a record be found by its text, which most changes leave as it was; its row must be the old one still."""
        if not kind.searched:
            return
        if known:
            before = texts.remembered(db, kind, seq)
            if before == said:
                return
            texts.remove(db, kind, seq, before)
        texts.write(db, kind, seq, said)

    def _clear_satellites(self, db: sqlite3.Connection, kind: Kind, key: str) -> None:
        if kind.refs:
            db.execute("DELETE FROM refs WHERE src_kind = ? AND src_key = ?", (kind.name, key))
        if kind.mentions:
            db.execute("DELETE FROM mentions WHERE src_kind = ? AND src_key = ?", (kind.name, key))
        if kind.uniques:
            db.execute("DELETE FROM uniques WHERE kind = ? AND key = ?", (kind.name, key))

    def _write_satellites(
        self, db: sqlite3.Connection, kind: Kind, key: str, body: Body, owner: str, created: str, text: str
    ) -> None:
        for ref in references_of(kind, body):
            if ref.field == kind.parent:
                continue  # the path says it, and a chat's two hundred thousand messages need no row each to say it too
            db.execute(
                "INSERT OR IGNORE INTO refs VALUES(?, ?, ?, ?, ?, ?, ?)",
                (kind.name, key, ref.field, ref.kind, ref.key, owner, created),
            )
        for sha256 in _mentions(kind, body, text):
            db.execute("INSERT OR IGNORE INTO mentions VALUES(?, ?, ?, ?)", (sha256, kind.name, key, owner))
        for rule, value in unique_values(kind, body):
            db.execute("INSERT OR IGNORE INTO uniques VALUES(?, ?, ?, ?)", (kind.name, rule, value, key))


def _buried_seq(db: sqlite3.Connection, kind: Kind, key: str) -> int | None:
    row = db.execute("SELECT seq FROM tombstones WHERE kind = ? AND key = ?", (kind.name, key)).fetchone()
    return None if row is None else int(row[0])


def _standing_in(db: sqlite3.Connection, kind: Kind) -> str:
    """Return the owner of a record that names none: where the member is ours, older data has it not, the first user."""
    if kind.owner is None or not kind.owner.startswith("_"):
        return ""
    home = CATALOG["user"].home
    first = home.path if isinstance(home, InMember) else ""
    users = table_of(CATALOG["user"])
    row = db.execute(f"SELECT key FROM {users} ORDER BY path = ? DESC, seq LIMIT 1", (first,)).fetchone()
    return "" if row is None else str(row[0])


def _known(db: sqlite3.Connection, kind: Kind, key: str) -> tuple[int, str, int, str] | None:
    """Return a record's position, owner, whether it counts among its parent's children, and its file."""
    sql = f"SELECT seq, owner, {children.counted(kind)}, path FROM {table_of(kind)} WHERE key = ?"
    row: tuple[int, str, int, str] | None = db.execute(sql, (key,)).fetchone()
    return row


def _count(db: sqlite3.Connection, kind: Kind, owner: str, step: int) -> None:
    db.execute(
        "INSERT INTO counts(kind, owner, n) VALUES(?, ?, ?) ON CONFLICT(kind, owner) DO UPDATE SET n = n + excluded.n",
        (kind.name, owner, step),
    )


def _columns(kind: Kind) -> list[str]:
    return [*FIXED, *(column_of(field) for field in columns_of(kind))]


def _insert_statement(kind: Kind) -> str:
    columns = ["seq", *_columns(kind)]
    marks = ", ".join("?" * len(columns))
    return f"INSERT INTO {table_of(kind)}({', '.join(columns)}) VALUES({marks})"


def _update_statement(kind: Kind) -> str:
    settings = ", ".join(f"{column} = ?" for column in _columns(kind))
    return f"UPDATE {table_of(kind)} SET {settings} WHERE seq = ?"
