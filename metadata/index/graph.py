"""References that lead nowhere or only one way, asked of the index in a few statements.

What comes from here are suspicions: the index may be between two files of one operation. Whoever tells a person about
them looks again with the gate held exclusively.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..schemas.catalog import CATALOG, TAG_TYPES, Kind
from ..schemas.homes import LinesPerParent
from .children import parent_of
from .tables import table_of

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

_MESSAGE = "message"
TWO_SIDED = (
    ("character", "personaLinks.personaId", "persona", "characterLinks"),
    ("asset", "_imageProfileId", "imageProfile", "_imageIds"),
)
"""Pairs of fields that say the same from both ends: kind and field here, kind and field there."""


@dataclass(frozen=True, slots=True)
class Edge:
    """A declared reference: from a record, through a field, to a key of a kind (empty: any that a tag may name)."""

    kind: str
    key: str
    field: str
    to: str
    target: str


def dangling(db: sqlite3.Connection) -> Iterator[Edge]:
    """Yield the references to records that are not there; owners are left to `ownerless`."""
    for (to,) in db.execute("SELECT DISTINCT dst_kind FROM refs").fetchall():
        targets = [CATALOG[name] for name in (TAG_TYPES.values() if to == "" else [to])]
        here = " AND ".join(f"NOT EXISTS (SELECT 1 FROM {table_of(kind)} WHERE key = r.dst_key)" for kind in targets)
        if to == _MESSAGE:  # an id alone names no message: its chat is in the record that refers to it
            here = (
                f"NOT EXISTS (SELECT 1 FROM {table_of(CATALOG['asset'])} a JOIN {table_of(CATALOG[_MESSAGE])} m"
                " ON m.key = json_extract(a.body, '$.chatId') || '/' || r.dst_key WHERE a.key = r.src_key)"
            )
        sql = f"SELECT src_kind, src_key, field, dst_kind, dst_key FROM refs r WHERE dst_kind = ? AND {here}"
        yield from (Edge(*row) for row in db.execute(sql, (to,)))


def ownerless(db: sqlite3.Connection) -> Iterator[tuple[str, str, str]]:
    """Yield (kind, key, owner) of records that belong to a user who is not there."""
    users = table_of(CATALOG["user"])
    for kind in CATALOG.values():
        if kind.owner is not None:
            sql = (
                f"SELECT key, owner FROM {table_of(kind)} WHERE owner <> '' AND owner NOT IN (SELECT key FROM {users})"
            )
            yield from ((kind.name, key, owner) for key, owner in db.execute(sql))


def parentless(db: sqlite3.Connection) -> Iterator[tuple[str, str, int]]:
    """Yield (path, parent's kind, number of events) of logs whose parent is not there."""
    for kind in CATALOG.values():
        home, parent = kind.home, parent_of(kind)
        if isinstance(home, LinesPerParent) and parent is not None:
            for path, events in db.execute("SELECT path, events FROM children WHERE events > 0").fetchall():
                key = home.match(path)
                if key is not None and not _there(db, CATALOG[parent], key):
                    yield path, parent, events


def one_sided(db: sqlite3.Connection) -> Iterator[tuple[Edge, str]]:
    """Yield each reference that is not said from its other end too, with the field there; both records exist."""
    for kind, field, other, back in TWO_SIDED:
        for source, name, target, opposite in ((kind, field, other, back), (other, back, kind, field)):
            sql = (
                "SELECT src_kind, src_key, field, dst_kind, dst_key FROM refs r WHERE src_kind = ? AND field = ?"
                f" AND EXISTS (SELECT 1 FROM {table_of(CATALOG[target])} WHERE key = r.dst_key)"
                " AND NOT EXISTS (SELECT 1 FROM refs b WHERE b.src_kind = ? AND b.src_key = r.dst_key"
                " AND b.field = ? AND b.dst_key = r.src_key)"
            )
            for row in db.execute(sql, (source, name, target, opposite)):
                yield Edge(*row), opposite


def _there(db: sqlite3.Connection, kind: Kind, key: str) -> bool:
    return db.execute(f"SELECT 1 FROM {table_of(kind)} WHERE key = ?", (key,)).fetchone() is not None
