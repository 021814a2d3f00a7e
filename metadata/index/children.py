"""What a record says of the log that belongs to it: how many messages a chat has, and when the last one was written.

The members are derived: a chat's line on disk may say something older, the projection says what its log says now. They
are counted as lines are projected, so an append costs the same in a long log as in a short one.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, cast

from ..schemas.homes import LinesPerParent
from .tables import column_of, table_of

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping

    from ..schemas.catalog import Kind

COUNT = "messageCount"
LAST = "lastMessageAt"
_COUNTED = "message"
"""The type of event that counts; summaries and unknown events do not."""


def parent_of(kind: Kind) -> str | None:
    """Return the kind of the records that a kind's logs belong to; None for a kind without such logs."""
    return next((ref.to for ref in kind.refs if ref.path == (kind.parent,)), None)


def children_of(catalog: Mapping[str, Kind], name: str) -> list[Kind]:
    """Return the kinds whose logs belong to records of the named kind."""
    return [kind for kind in catalog.values() if parent_of(kind) == name]


def log_of(kind: Kind, parent: str) -> str:
    """Return the path of a parent's log."""
    return cast("LinesPerParent", kind.home).path(parent)


def counted(kind: Kind) -> str:
    """Return the SQL that is 1 for a row that counts, 0 for another."""
    return f"{column_of('type')} = '{_COUNTED}'" if kind.parent else "0"


def counts(body: Mapping[str, object]) -> bool:
    """Tell whether an event counts."""
    return body.get("type") == _COUNTED


def count(db: sqlite3.Connection, kind: Kind, path: str, events: int, messages: int) -> None:
    """Add to the counts of a log; a kind without such logs is passed over."""
    if kind.parent and (events or messages):
        db.execute(
            "INSERT INTO children(path, events, messages) VALUES(?, ?, ?) ON CONFLICT(path) DO UPDATE SET"
            " events = events + excluded.events, messages = messages + excluded.messages",
            (path, events, messages),
        )


def events_in(db: sqlite3.Connection, path: str) -> int:
    """Return how many events a log holds."""
    row = db.execute("SELECT events FROM children WHERE path = ?", (path,)).fetchone()
    return 0 if row is None else int(row[0])


def overlaid(db: sqlite3.Connection, child: Kind, key: str, body: Mapping[str, object]) -> dict[str, object]:
    """Return a parent's body with its derived members as its log says."""
    path = log_of(child, key)
    row = db.execute("SELECT messages FROM children WHERE path = ?", (path,)).fetchone()
    messages = 0 if row is None else int(row[0])
    found = dict(body)
    if messages or COUNT in found:
        found[COUNT] = messages
    last = _last(db, child, path) if messages else None
    found.pop(LAST, None)  # whatever was read first, the log or its parent, the member stands at the end
    if last is not None:
        found[LAST] = last
    return found


def settle(db: sqlite3.Connection, catalog: Mapping[str, Kind], child: Kind, path: str) -> None:
    """Bring the row of a log's parent in step, after lines of the log were projected."""
    home, parent = child.home, parent_of(child)
    if not isinstance(home, LinesPerParent) or parent is None:
        return
    key = home.match(path)
    table = table_of(catalog[parent])
    row = db.execute(f"SELECT seq, body FROM {table} WHERE key = ?", (key,)).fetchone()
    if row is None or key is None:
        return
    body = overlaid(db, child, key, json.loads(row[1]))
    db.execute(
        f"UPDATE {table} SET body = ?, {column_of(COUNT)} = ?, {column_of(LAST)} = ? WHERE seq = ?",
        (json.dumps(body, separators=(",", ":")), body.get(COUNT, ""), body.get(LAST, ""), row[0]),
    )


def _last(db: sqlite3.Connection, child: Kind, path: str) -> str | None:
    row = db.execute(
        f"SELECT created FROM {table_of(child)} WHERE path = ? AND {column_of('type')} = '{_COUNTED}'"
        " ORDER BY seq DESC LIMIT 1",
        (path,),
    ).fetchone()
    return str(row[0]) if row is not None and row[0] else None
