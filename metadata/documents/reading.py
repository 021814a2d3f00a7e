"""Reading records through the index: one, a page, all, and who refers to what.

Most rows carry the record's body. A message's row carries only the place of its line, and `Fetch` reads it there.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

from ..errors import InternalError, NotFoundError, UnreadableError
from ..index.gone import Gone, Target, aliases, any_gone, is_gone, seeing, source_visible, targets, visible
from ..index.query import Query, select
from ..index.state import count_unreadable
from ..index.tables import column_of, table_of
from ..schemas.catalog import CATALOG, Kind
from .contract import Found, Record, Referrer, Stored
from .evaluate import Current
from .places import line_key
from .settling import overlaid, settled

if TYPE_CHECKING:
    import sqlite3

Fetch = Callable[[str, int, int], Record]
"""From a path, an offset and a length in bytes to the record on that line."""

Row = tuple[int, str, str, int, int, str | None]
"""A record's position, key, path, offset, length and, if the row keeps it, body."""

Scanned = tuple[list[Row], dict[Target, Gone]]
"""Rows, and what is gone of all that they refer to."""

Ask = Callable[[Callable[["sqlite3.Connection"], Scanned]], Scanned]
"""Asks a question of the index as it now is."""

_SCAN_PAGE = 500


class MovedError(Exception):
    """A line is not where the index says: the log was rewritten since it was asked. Ask again."""


def no_file(path: str, offset: int, length: int) -> Record:
    """Refuse to fetch: every row carries its body here.

    Raises:
        InternalError: always.
    """
    raise InternalError(f"A row without a body names {path} at {offset} (+{length}), but there are no files.")


def load_current(db: sqlite3.Connection, kind: Kind, key: str, fetch: Fetch, *, bare: bool = False) -> Current | None:
    """Return a record with its revision and position, None when there is none.

    Bare, it is as its file has it, whatever removal is under way.
    """
    with seeing(db) as going:
        row = db.execute(
            f"SELECT seq, rev, path, offset, length, body FROM {table_of(kind)} WHERE key = ?",
            (key,),
        ).fetchone()
        if row is None or (going and not bare and is_gone(db, kind, key)):
            return None
        seq, rev, path, offset, length, text = row
        body = _body(kind, key, (path, offset, length), text, fetch)
        return Current(overlaid(db, kind, [body])[0] if going and not bare else body, rev, seq)


def load_many(db: sqlite3.Connection, kind: Kind, keys: Sequence[str]) -> dict[str, Stored]:
    """Return the records with these keys whose rows keep their bodies, by key; absent ones are left out."""
    sql = (
        f"SELECT t.seq, t.key, t.body FROM json_each(?) wanted JOIN {table_of(kind)} t ON t.key = wanted.value"
        " WHERE t.body IS NOT NULL"
    )
    with seeing(db) as going:
        shown = f" AND {visible(kind)}" if going else ""
        rows = db.execute(sql + shown, (json.dumps(sorted(set(keys))),)).fetchall()
        found = [Stored(kind.name, key, _parse(text), seq) for seq, key, text in rows]
        return {one.key: one for one in (_settled(db, kind, found) if going else found)}


def find_rows(db: sqlite3.Connection, kind: Kind, query: Query, fetch: Fetch, *, final: bool = True) -> Found:
    """Return a page of records.

    Args:
        db: the index.
        kind: what to find.
        query: which of it.
        fetch: reads a line of a log.
        final: leave out a line that cannot be read, and count it; otherwise `MovedError` asks for another try.
    """
    with seeing(db) as going:
        selection = select(db, kind, query)
        unreadable = count_unreadable(db, kind.name)
        items = []
        for seq, key, path, offset, length, text in selection.rows:
            try:
                items.append(Stored(kind.name, key, _body(kind, key, (path, offset, length), text, fetch), seq))
            except MovedError:
                if not final:
                    raise
                unreadable += 1
        if going:
            items = _settled(db, kind, items)
    return Found(items, selection.next_cursor, selection.total, selection.total_capped, unreadable)


def scan_rows(ask: Ask, kind: Kind, after: int, fetch: Fetch) -> Iterator[Stored]:
    """Yield every record in sequence, a page of rows in memory at a time."""
    missed, last = 0, ""
    while True:
        rows, gone = ask(partial(_scan_page, kind=kind, after=after, last=last))
        for seq, key, path, offset, length, text in rows:
            try:
                body = _body(kind, key, (path, offset, length), text, fetch)
                stored = Stored(kind.name, key, settled(kind, body, gone) if gone else body, seq)
            except MovedError:
                if seq != missed:  # the first time: look its line up again; the second time it cannot be read
                    missed = seq
                    break
            else:
                yield stored
            after, last = seq, key
        else:
            if len(rows) < _SCAN_PAGE:
                return


def _scan_page(db: sqlite3.Connection, kind: Kind, after: int, last: str) -> Scanned:
    # The last record's position is looked up again: an index built meanwhile numbers anew.
    row = db.execute(f"SELECT seq FROM {table_of(kind)} WHERE key = ?", (last,)).fetchone()
    with seeing(db) as going:
        shown = f" AND {visible(kind)}" if going else ""
        sql = (
            f"SELECT seq, key, path, offset, length, body FROM {table_of(kind)} t"
            f" WHERE seq > ?{shown} ORDER BY seq LIMIT {_SCAN_PAGE}"
        )
        rows = db.execute(sql, (after if row is None else row[0],)).fetchall()
        return rows, _referred(db, kind, [row[1] for row in rows]) if going else {}


def _referred(db: sqlite3.Connection, kind: Kind, keys: Sequence[str]) -> dict[Target, Gone]:
    sql = "SELECT DISTINCT dst_key FROM refs WHERE src_kind = ? AND src_key IN (SELECT value FROM json_each(?))"
    return targets(db, [str(row[0]) for row in db.execute(sql, (kind.name, json.dumps(list(keys))))])


def load_referrers(db: sqlite3.Connection, kind: str, key: str) -> list[Referrer]:
    """Return the declared references to a record; those that name only an id count for every kind it could be."""
    name = key.rpartition("/")[2]
    with seeing(db) as going:
        meant = aliases(db, name) if going else [name]
        shown = f" AND {source_visible('r')}" if going else ""
        rows = db.execute(
            "SELECT DISTINCT src_kind, src_key, field, owner FROM refs r"
            f" WHERE dst_key IN (SELECT value FROM json_each(?)) AND dst_kind IN (?, ''){shown}"
            " ORDER BY src_kind, created, src_key, field",
            (json.dumps(meant), kind),
        )
        return [Referrer(*row) for row in rows]


def load_mentions(db: sqlite3.Connection, sha256: str, owner: str | None) -> list[Referrer]:
    """Return the records that mention a hash: everybody's, or one owner's."""
    which, values = ("", [sha256]) if owner is None else (" AND owner = ?", [sha256, owner])
    with seeing(db) as going:
        shown = f" AND {source_visible('m')}" if going else ""
        rows = db.execute(
            f"SELECT src_kind, src_key, owner FROM mentions m WHERE sha256 = ?{which}{shown}"
            " ORDER BY src_kind, src_key",
            values,
        )
        return [Referrer(kind, key, "mention", owner) for kind, key, owner in rows]


def load_holder(db: sqlite3.Connection, kind: Kind, fields: Sequence[str], values: Sequence[str]) -> str | None:
    """Return the key of the record that holds a unique value, None when it is free."""
    with seeing(db) as going:
        shown = f" AND {visible(kind, 'u')}" if going and kind.parent is None else ""
        row = db.execute(
            f"SELECT key FROM uniques u WHERE kind = ? AND rule = ? AND value = ?{shown}",
            (kind.name, "+".join(fields), json.dumps(list(values))),
        ).fetchone()
    return None if row is None else str(row[0])


def load_total(db: sqlite3.Connection, kind: Kind, field: str) -> int:
    """Return the sum of a numeric filter field."""
    (total,) = db.execute(f"SELECT coalesce(sum({column_of(field)}), 0) FROM {table_of(kind)}").fetchone()
    return int(total)


def load_live(db: sqlite3.Connection, sha256: str) -> bool:
    """Tell whether an asset names a payload or any record mentions it."""
    named, mentioned = "", ""
    if any_gone(db):
        named, mentioned = f" AND {visible(CATALOG['asset'])}", f" AND {source_visible('m')}"
    sql = (
        f"SELECT EXISTS(SELECT 1 FROM {table_of(CATALOG['asset'])} t WHERE {column_of('sha256')} = :hash{named})"
        f" OR EXISTS(SELECT 1 FROM mentions m WHERE sha256 = :hash{mentioned})"
    )
    return bool(db.execute(sql, {"hash": sha256}).fetchone()[0])


def load_buried(db: sqlite3.Connection, kind: str, key: str, since: str = "") -> Record | None:
    """Return the last body of a record removed since then, None when its tombstone keeps none or there is none."""
    sql = "SELECT body FROM tombstones WHERE kind = ? AND key = ? AND deleted >= ?"
    row = db.execute(sql, (kind, key, since)).fetchone()
    return None if row is None or row[0] is None else _parse(row[0])


def path_of(db: sqlite3.Connection, kind: Kind, key: str) -> str | None:
    """Return the file a record is in, None when there is no such record."""
    row = db.execute(f"SELECT path FROM {table_of(kind)} WHERE key = ?", (key,)).fetchone()
    return None if row is None else str(row[0])


def key_at(db: sqlite3.Connection, kind: Kind, path: str) -> str | None:
    """Return the key of a kind's first record in a file, None when it holds none."""
    row = db.execute(f"SELECT key FROM {table_of(kind)} WHERE path = ? LIMIT 1", (path,)).fetchone()
    return None if row is None else str(row[0])


def _settled(db: sqlite3.Connection, kind: Kind, found: Sequence[Stored]) -> list[Stored]:
    bodies = overlaid(db, kind, [one.body for one in found])
    return [Stored(one.kind, one.key, body, one.seq) for one, body in zip(found, bodies, strict=True)]


def _body(kind: Kind, key: str, place: tuple[str, int, int], text: str | None, fetch: Fetch) -> Record:
    if text is not None:
        return _parse(text)
    path, offset, _ = place
    try:
        record = fetch(*place)
    except (NotFoundError, UnreadableError) as error:
        raise MovedError(path) from error
    if line_key(kind, path, record, offset) != key:
        raise MovedError(path)
    return record


def _parse(text: str) -> Record:
    body = json.loads(text)
    if not isinstance(body, dict):
        raise InternalError("A row of the index holds no object.")
    return body
