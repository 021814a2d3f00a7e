"""Questions of many records: filters, order, pages and full text, as one SQL statement each.

A page is cut by the last row's (sort value, key), never by a count of rows, so rows that come or go between two pages
make no row appear twice and none disappear. Field names are checked against the catalog before they reach SQL.
"""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..errors import InvalidError
from .children import events_in
from .clauses import Clauses, log_of_parent
from .gone import any_gone, hidden_rows
from .ranking import RANKED_CAP, Narrowing, Search
from .tables import column_of, columns_of, table_of
from .values import column_value

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping, Sequence

    from ..schemas.catalog import Kind
    from .clauses import Scalar

TOTAL_CAP = 10_000
MAX_LIMIT = 500


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
        InvalidError: an unknown filter or sort field, a bad limit, cursor or question.
    """
    if not 1 <= query.limit <= MAX_LIMIT:
        raise InvalidError(f"limit must be from 1 to {MAX_LIMIT}.", field="limit", limit=MAX_LIMIT, actual=query.limit)
    search = Search(kind, query.q, query.owner) if query.q is not None and query.q.strip() else None
    clauses = Clauses(kind, query, db if any_gone(db) else None)
    if search is not None and query.sort is None:
        return _ranked(db, kind, query, search, clauses.narrowing())
    order = _Order(db, kind, query)
    source, where, values = clauses.led() if order.by_creation and clauses.may_lead else clauses.plain()
    column, key = order.columns(led=source.startswith("refs"))
    after, position = order.after(query.cursor, column, key)
    total = _total(db, kind, query, search, clauses)
    if search is not None:
        where += f" AND +t.seq IN (SELECT rowid FROM {search.table} WHERE {search.table} MATCH ?)"
        values = [*values, search.expression]
    # The bodies are fetched for the page alone: sorting them along is ten times slower.
    page = (
        f"SELECT t.seq AS seq, {column} AS place, {key} AS key FROM {source} WHERE {where}{after}"
        f" ORDER BY {order.terms(column, key)} LIMIT ?"
    )
    sql = (
        f"SELECT t.seq, t.key, t.path, t.offset, t.length, t.body, p.place FROM ({page}) p"
        f" CROSS JOIN {table_of(kind)} t ON t.seq = p.seq ORDER BY {order.terms('p.place', 'p.key')}"
    )
    rows = db.execute(sql, (*values, *position, query.limit + 1)).fetchall()
    shown = rows[: query.limit]
    cursor = _encode([order.name, shown[-1][6], shown[-1][1]]) if len(rows) > query.limit else None
    return Selection([row[:6] for row in shown], cursor, *total)


class _Order:
    """The ORDER BY of a query and the condition that begins a page after its cursor."""

    def __init__(self, db: sqlite3.Connection, kind: Kind, query: Query) -> None:
        self._db = db
        self._kind = kind
        wanted = "createdAt" if query.sort is None else query.sort
        descending = wanted.startswith("-")
        self.name = wanted
        self._direction = "DESC" if descending else "ASC"
        self._compare = "<" if descending else ">"
        self._column = _sort_column(kind, wanted.removeprefix("-"))

    @property
    def by_creation(self) -> bool:
        """Whether the order is one that the table of references has too."""
        return self._column == "t.created"

    def columns(self, *, led: bool) -> tuple[str, str]:
        """Return what is sorted by, and the keys that tell equal ones apart."""
        return ("l.created", "l.src_key") if led else (self._column, "t.key")

    def after(self, cursor: str | None, column: str, key_column: str) -> tuple[str, list[object]]:
        """Return the condition of rows after a cursor, with its values."""
        if cursor is None:
            return "", []
        name, value, key = _decode(cursor, 3)
        if name != self.name or not _bindable(value) or not isinstance(key, str) or not _bindable(key):
            raise InvalidError("This cursor belongs to another sort order; start again without it.", field="cursor")
        if column == "t.seq":
            return f" AND t.seq {self._compare} ?", [self._position(key, value)]
        return f" AND ({column}, {key_column}) {self._compare} (?, ?)", [value, key]

    def terms(self, column: str, key: str) -> str:
        """Return the terms of the ORDER BY; positions are unique, and a second term would make SQLite sort."""
        last = "" if column == "t.seq" else f", {key} {self._direction}"
        return f"{column} {self._direction}{last}"

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


def _ranked(db: sqlite3.Connection, kind: Kind, query: Query, search: Search, narrowing: Narrowing) -> Selection:
    start = 0
    if query.cursor is not None:
        name, position = _decode(query.cursor, 2)
        if name != "rank" or not isinstance(position, int) or not 0 <= position <= RANKED_CAP:
            raise InvalidError("This cursor belongs to another sort order; start again without it.", field="cursor")
        start = position
    ranked = search.ranked(db, narrowing)
    shown = ranked.best[start : start + query.limit]
    sql = (
        f"SELECT t.seq, t.key, t.path, t.offset, t.length, t.body FROM json_each(?) best"
        f" CROSS JOIN {table_of(kind)} t ON t.seq = best.value ORDER BY best.key"
    )
    rows = db.execute(sql, (json.dumps(shown),)).fetchall()
    end = start + query.limit
    cursor = _encode(["rank", end]) if end < len(ranked.best) else None
    return Selection(rows, cursor, min(ranked.count, RANKED_CAP), ranked.count > RANKED_CAP)


def _total(
    db: sqlite3.Connection, kind: Kind, query: Query, search: Search | None, clauses: Clauses
) -> tuple[int, bool]:
    if search is not None:
        count = search.count(db, clauses.narrowing(), TOTAL_CAP + 1)
    elif clauses.unfiltered:
        where, values = ("", ()) if query.owner is None or kind.owner is None else (" AND owner = ?", (query.owner,))
        row = db.execute(f"SELECT coalesce(sum(n), 0) FROM counts WHERE kind = ?{where}", (kind.name, *values))
        return int(row.fetchone()[0]) - (hidden_rows(db, kind, query.owner) if clauses.hides else 0), False
    elif kind.parent is not None and list(query.filter) == [kind.parent] and not clauses.hides:
        return events_in(db, log_of_parent(kind, query.filter[kind.parent])), False
    else:
        source, where, bound = clauses.led(rows=False) if clauses.may_lead else clauses.plain()
        sql = f"SELECT count(*) FROM (SELECT 1 FROM {source} WHERE {where} LIMIT {TOTAL_CAP + 1})"
        count = int(db.execute(sql, bound).fetchone()[0])
    return min(count, TOTAL_CAP), count > TOTAL_CAP


def _bindable(value: object) -> bool:
    """Tell whether a value out of a cursor is one that a column may hold, and so one that a list gave out."""
    return isinstance(value, (str, int, float)) and column_value(value) == value


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
