"""Questions of many records: filters, order, pages and full text, as one SQL statement each.

A page is cut by the last row's (sort value, key), never by a count of rows, so rows that come or go between two pages
make no row appear twice and none disappear. Field names are checked against the catalog before they reach SQL.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..errors import InvalidError
from ..schemas.catalog import TAG_TYPES, Kind
from .children import events_in, log_of
from .folding import match_expression
from .projector import column_value
from .tables import column_of, columns_of, field_name, stores_body, table_of, text_table_of

if TYPE_CHECKING:
    import sqlite3

TOTAL_CAP = 10_000
RANKED_CAP = 500
MAX_LIMIT = 500

Scalar = str | int | float | bool


@dataclass(frozen=True, slots=True)
class Query:
    """What to find.

    Attributes:
        filter: field → value; a field of references may give several values, and all of them must be there.
        owner: only records of this user; None for all.
        sort: a field, `-` before it for descending; None is creation order, or rank when `q` is given. `seq` is the
            order in which the records came to be, which in a log is the order of their first lines.
        q: full text over the kind's searched fields.
        limit: at most this many records (1 to 500).
        cursor: where the page before ended.
        tag_type: with a filter on `tags`, the kind of thing the tag must be (THEME, CHARACTER, PERSONA, CHAT).
        meta: member of `_meta` → its value as text. No index helps here: every record that fits otherwise is looked at.
    """

    filter: Mapping[str, Scalar | Sequence[str]] = field(default_factory=dict)
    owner: str | None = None
    sort: str | None = None
    q: str | None = None
    limit: int = 50
    cursor: str | None = None
    tag_type: str | None = None
    meta: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Selection:
    """A page of rows: their (seq, key, path, offset, length, body text), and how many there are in all."""

    rows: list[tuple[int, str, str, int, int, str | None]]
    next_cursor: str | None
    total: int
    total_capped: bool


def select(db: sqlite3.Connection, kind: Kind, query: Query) -> Selection:
    """Answer a query.

    Raises:
        InvalidError: an unknown filter or sort field, a bad limit or cursor.
    """
    if not 1 <= query.limit <= MAX_LIMIT:
        raise InvalidError(f"limit must be from 1 to {MAX_LIMIT}.", field="limit", limit=MAX_LIMIT, actual=query.limit)
    clauses = _Clauses(kind, query)
    total = _total(db, kind, query, clauses)
    order = _Order(db, kind, query)
    if clauses.text is not None and query.sort is None:
        return _ranked(db, kind, query, clauses, total)
    after, values = order.after(query.cursor)
    sql = (
        f"SELECT t.seq, t.key, t.path, t.offset, t.length, t.body, {order.column} FROM {clauses.source()}"
        f" WHERE {clauses.where()}{after} ORDER BY {order.terms} LIMIT ?"
    )
    rows = db.execute(sql, (*clauses.values, *values, query.limit + 1)).fetchall()
    page = rows[: query.limit]
    more = len(rows) > query.limit
    cursor = _encode([order.name, page[-1][6], page[-1][1]]) if more else None
    return Selection([row[:6] for row in page], cursor, *total)


class _Clauses:
    """The FROM and WHERE of a query, with the values they bind."""

    def __init__(self, kind: Kind, query: Query) -> None:
        self.kind = kind
        self.parts: list[str] = []
        self.values: list[object] = []
        self.first = self.last = ""
        self.text = self._text(query)
        self._references = {field_name(ref) for ref in kind.refs if ref.path != (kind.owner,)}
        self._filtered = bool(query.filter or query.meta)
        for name, wanted in query.filter.items():
            self._filter(name, wanted, query)
        for name, text in query.meta.items():
            self._meta(name, text)
        if query.owner is not None and kind.owner is not None:
            self.parts.append("t.owner = ?")
            self.values.append(query.owner)

    @property
    def plain(self) -> bool:
        """Whether nothing but the asking owner narrows the question."""
        return not self.first and not self._filtered

    def source(self) -> str:
        return f"{self.first}{table_of(self.kind)} t{self.last}"

    def where(self) -> str:
        return " AND ".join(self.parts) or "1"

    def _text(self, query: Query) -> str | None:
        if query.q is None or not query.q.strip():
            return None
        if not self.kind.searched:
            raise InvalidError("These records have no text to search; leave q out.", field="q")
        expression = match_expression(query.q)
        table = text_table_of(self.kind)
        # The text comes first: led by the owner's index SQLite would look every one of the records up in the text.
        self.first = f"{table} CROSS JOIN "
        self.last = f" ON {table}.rowid = t.seq"
        self.parts.append(f"{table} MATCH ?" if expression else "0 AND ? IS NULL")
        self.values.append(expression)
        return expression or ""

    def _filter(self, name: str, wanted: Scalar | Sequence[str], query: Query) -> None:
        if name == self.kind.parent:
            self.parts.append("t.path = ?")
            self.values.append(_log(self.kind, wanted))
        elif name in self._references:
            values = [wanted] if isinstance(wanted, str) else wanted if isinstance(wanted, Sequence) else [str(wanted)]
            for value in values:
                self._reference(name, value, query)
        elif name in columns_of(self.kind) or name == self.kind.owner:
            column = "t.owner" if name == self.kind.owner else f"t.{column_of(name)}"
            self.parts.append(f"{column} = ?")
            self.values.append(column_value(wanted))
        else:
            known = ", ".join(sorted({*columns_of(self.kind), *self._references}))
            raise InvalidError(f"{name!r} is not a filter here; there are: {known}.", field=name)

    def _meta(self, name: str, text: str) -> None:
        if not stores_body(self.kind):
            raise InvalidError("These records cannot be filtered by meta.", field=f"meta.{name}")
        self.parts.append(
            "EXISTS(SELECT 1 FROM json_each(t.body, '$._meta') m WHERE m.key = ? AND"
            " CASE WHEN m.type IN ('true', 'false', 'null') THEN m.type ELSE CAST(m.atom AS TEXT) END = ?)"
        )
        self.values.extend([column_value(name), column_value(text)])

    def _reference(self, name: str, value: str, query: Query) -> None:
        condition = "r.dst_key = ? AND r.src_kind = ? AND r.field = ?"
        self.values.extend([column_value(value), self.kind.name, name])
        if query.owner is not None:
            condition += " AND r.owner = ?"
            self.values.append(query.owner)
        if name == "tags" and query.tag_type is not None:
            wanted = TAG_TYPES.get(query.tag_type)
            if wanted is None:
                raise InvalidError(f"tagType is one of {', '.join(TAG_TYPES)}.", field="tagType")
            untyped = f"r.dst_kind = '' AND EXISTS(SELECT 1 FROM \"k_{wanted}\" w WHERE w.key = r.dst_key)"
            condition += f" AND (r.dst_kind = ? OR {untyped})"
            self.values.append(wanted)
        self.parts.append(f"t.key IN (SELECT r.src_key FROM refs r WHERE {condition})")


class _Order:
    """The ORDER BY of a query and the condition that begins a page after its cursor."""

    def __init__(self, db: sqlite3.Connection, kind: Kind, query: Query) -> None:
        self._db = db
        self._kind = kind
        wanted = "createdAt" if query.sort is None else query.sort
        descending = wanted.startswith("-")
        self.name = wanted
        self.direction = "DESC" if descending else "ASC"
        self._compare = "<" if descending else ">"
        self.column = _sort_column(kind, wanted.removeprefix("-"))

    def after(self, cursor: str | None) -> tuple[str, list[object]]:
        if cursor is None:
            return "", []
        name, value, key = _decode(cursor, 3)
        if name != self.name or not _bindable(value) or not isinstance(key, str) or not _bindable(key):
            raise InvalidError("This cursor belongs to another sort order; start again without it.", field="cursor")
        if self.column == "t.seq":
            return f" AND t.seq {self._compare} ?", [self._position(key, value)]
        return f" AND ({self.column}, t.key) {self._compare} (?, ?)", [value, key]

    @property
    def terms(self) -> str:
        """The terms of the ORDER BY; positions are unique, and a second term would make SQLite sort."""
        last = "" if self.column == "t.seq" else f", t.key {self.direction}"
        return f"{self.column} {self.direction}{last}"

    def _position(self, key: str, given: object) -> object:
        """Return where a record stands now: a rebuild numbers anew, so a cursor's own number is a last resort."""
        sql = f"SELECT seq FROM {table_of(self._kind)} WHERE key = :key UNION ALL SELECT seq FROM tombstones"
        row = self._db.execute(f"{sql} WHERE kind = :kind AND key = :key", {"kind": self._kind.name, "key": key})
        found = row.fetchone()
        return given if found is None or not found[0] else found[0]


def _sort_column(kind: Kind, name: str) -> str:
    fixed = {"createdAt": "t.created", "updatedAt": "t.updated", kind.created: "t.created", kind.updated: "t.updated"}
    if name in fixed:
        return fixed[name]
    if name == "seq":
        return "t.seq"
    if name in columns_of(kind):
        return f"t.{column_of(name)}"
    known = ", ".join(sorted({"createdAt", "updatedAt", *columns_of(kind)}))
    raise InvalidError(f"Cannot sort by {name!r}; there are: {known}.", field="sort")


def _ranked(db: sqlite3.Connection, kind: Kind, query: Query, clauses: _Clauses, total: tuple[int, bool]) -> Selection:
    start = 0
    if query.cursor is not None:
        name, position = _decode(query.cursor, 2)
        if name != "rank" or not isinstance(position, int) or not 0 <= position <= RANKED_CAP:
            raise InvalidError("This cursor belongs to another sort order; start again without it.", field="cursor")
        start = position
    take = min(query.limit, RANKED_CAP - start)
    # Every match is ranked, so the bodies are fetched for the page alone: sorting them along is ten times slower.
    best = (
        f"SELECT t.seq AS seq, bm25({text_table_of(kind)}, 4.0, 1.0) AS rank, t.created AS created, t.key AS key"
        f" FROM {clauses.source()} WHERE {clauses.where()} ORDER BY rank, created, key LIMIT ? OFFSET ?"
    )
    sql = (
        f"SELECT t.seq, t.key, t.path, t.offset, t.length, t.body FROM ({best}) best"
        f" JOIN {table_of(kind)} t ON t.seq = best.seq ORDER BY best.rank, best.created, best.key"
    )
    rows = db.execute(sql, (*clauses.values, take + 1, start)).fetchall()
    more = len(rows) > take and start + take < RANKED_CAP
    return Selection(rows[:take], _encode(["rank", start + take]) if more else None, *total)


def _total(db: sqlite3.Connection, kind: Kind, query: Query, clauses: _Clauses) -> tuple[int, bool]:
    if clauses.plain:
        where, values = ("", ()) if query.owner is None or kind.owner is None else (" AND owner = ?", (query.owner,))
        row = db.execute(f"SELECT coalesce(sum(n), 0) FROM counts WHERE kind = ?{where}", (kind.name, *values))
        return int(row.fetchone()[0]), False
    if kind.parent is not None and list(query.filter) == [kind.parent] and not query.q:
        return events_in(db, _log(kind, query.filter[kind.parent])), False
    cap = RANKED_CAP if clauses.text is not None and query.sort is None else TOTAL_CAP
    inner = f"SELECT 1 FROM {clauses.source()} WHERE {clauses.where()} LIMIT {cap + 1}"
    (count,) = db.execute(f"SELECT count(*) FROM ({inner})", clauses.values).fetchone()
    return min(int(count), cap), int(count) > cap


def _bindable(value: object) -> bool:
    """Tell whether a value out of a cursor is one that a column may hold, and so one that a list gave out."""
    return isinstance(value, (str, int, float)) and column_value(value) == value


def _log(kind: Kind, parent: object) -> str:
    """Return the path of a parent's log, as text that SQLite takes whatever was asked for."""
    return log_of(kind, str(column_value(str(parent))))


def _encode(parts: list[object]) -> str:
    return base64.urlsafe_b64encode(json.dumps(parts, separators=(",", ":")).encode()).decode().rstrip("=")


def _decode(cursor: str, count: int) -> list[object]:
    try:
        parts = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, binascii.Error, RecursionError):
        parts = None
    if not isinstance(parts, list) or len(parts) != count:
        raise InvalidError("This cursor is not one a list gave out; start again without it.", field="cursor")
    return parts
