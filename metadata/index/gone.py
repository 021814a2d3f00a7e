"""Records that are removed though files still hold them: the roots of great removals and what goes with them.

A removal that touches many files is decided at once and carried out bit by bit. Until it is, these rows say what must
not be seen any more; they repeat what `intents/` says, as every row of the index repeats a file. Mostly there are none,
and a question costs one look at an empty table.
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..schemas.catalog import CATALOG, Kind
from .children import children_of, log_of, parent_of
from .tables import table_of

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection, Iterable, Iterator, Mapping

Target = tuple[str, str]
"""A kind's name and a record's key."""


@dataclass(frozen=True, slots=True)
class Gone:
    """What is said of one record that is gone.

    Attributes:
        forced: the removal was insisted on, so references give way that would have forbidden it.
        heir: the record that references shall name instead; empty for none.
    """

    forced: bool
    heir: str = ""


def any_gone(db: sqlite3.Connection) -> bool:
    """Tell whether anything is hidden at all."""
    return db.execute("SELECT 1 FROM gone LIMIT 1").fetchone() is not None


@contextmanager
def seeing(db: sqlite3.Connection) -> Iterator[bool]:
    """Tell whether anything is hidden; if so, all questions of the block see the index as it is at one moment.

    Otherwise rows could be read before they are cleaned, and what hides them after that is over.
    """
    if db.in_transaction or not any_gone(db):
        yield db.in_transaction and any_gone(db)
        return
    db.execute("BEGIN")
    try:
        yield True
    finally:
        db.execute("COMMIT")


def is_gone(db: sqlite3.Connection, kind: Kind, key: str) -> bool:
    """Tell whether a record is hidden, by itself or with its parent's log."""
    parent = parent_of(kind)
    asked = (kind.name, key) if parent is None else (parent, key.partition("/")[0])
    return db.execute("SELECT 1 FROM gone WHERE kind = ? AND key = ?", asked).fetchone() is not None


def targets(db: sqlite3.Connection, keys: Collection[str]) -> dict[Target, Gone]:
    """Return which of these keys are hidden, of whatever kind; heirs are looked up as well."""
    found: dict[Target, Gone] = {}
    wanted = set(keys)
    while wanted:
        rows = db.execute(
            "SELECT kind, key, forced, heir FROM gone WHERE key IN (SELECT value FROM json_each(?))",
            (json.dumps(sorted(wanted)),),
        ).fetchall()
        new = {(kind, key): Gone(bool(forced), heir) for kind, key, forced, heir in rows if (kind, key) not in found}
        found |= new
        wanted = {gone.heir for gone in new.values() if gone.heir}
    return found


def heir_of(found: Mapping[Target, Gone], kind: str, key: str) -> str | None:
    """Return who stands for a hidden record in the end; None for nobody."""
    seen = set()
    while (gone := found.get((kind, key))) is not None:
        if not gone.heir or key in seen:
            return None
        seen.add(key)
        key = gone.heir
    return key


def aliases(db: sqlite3.Connection, key: str) -> list[str]:
    """Return the keys that mean this record in rows that were not cleaned yet; none when it is hidden itself."""
    if db.execute("SELECT 1 FROM gone WHERE key = ?", (key,)).fetchone() is not None:
        return []
    rows = db.execute(
        "WITH RECURSIVE meant(key) AS (VALUES(?) UNION SELECT g.key FROM gone g JOIN meant m ON g.heir = m.key)"
        " SELECT key FROM meant",
        (key,),
    )
    return [str(row[0]) for row in rows]


def visible(kind: Kind, row: str = "t") -> str:
    """Return the SQL condition that a kind's row, by this name in the statement, is not hidden."""
    if kind.parent is not None:
        return f"{row}.path NOT IN (SELECT log FROM gone WHERE log <> '')"
    return f"NOT EXISTS(SELECT 1 FROM gone g WHERE g.kind = '{kind.name}' AND g.key = {row}.key)"


def source_visible(row: str) -> str:
    """Return the SQL condition that the record that a row of `refs` or `mentions` speaks of is not hidden."""
    within = " ".join(
        f"AND NOT ({row}.src_kind = '{kind.name}' AND EXISTS(SELECT 1 FROM {table_of(kind)} c WHERE"
        f" c.key = {row}.src_key AND c.path IN (SELECT log FROM gone WHERE log <> '')))"
        for kind in CATALOG.values()
        if kind.parent is not None
    )
    return f"NOT EXISTS(SELECT 1 FROM gone g WHERE g.kind = {row}.src_kind AND g.key = {row}.src_key) {within}"


def hidden_rows(db: sqlite3.Connection, kind: Kind, owner: str | None) -> int:
    """Return how many of a kind's rows (of this owner, if given) are hidden."""
    whose, values = ("", ()) if owner is None or kind.owner is None else (" AND t.owner = ?", (owner,))
    if kind.parent is not None:
        sql = "SELECT coalesce(sum(events), 0) FROM children WHERE path IN (SELECT log FROM gone WHERE log <> '')"
        return int(db.execute(sql).fetchone()[0])
    sql = f"SELECT count(*) FROM gone g CROSS JOIN {table_of(kind)} t ON t.key = g.key WHERE g.kind = ?{whose}"
    return int(db.execute(sql, (kind.name, *values)).fetchone()[0])


def hide(db: sqlite3.Connection, intent: str, rows: Iterable[Target], root: Target, gone: Gone) -> None:
    """Hide records for an unfinished removal; those that another one hides already are left to it."""
    db.executemany(
        "INSERT OR IGNORE INTO gone(intent, kind, key, log, place, forced, heir) VALUES(?, ?, ?, ?, ?, ?, ?)",
        (
            (intent, kind, key, _log(kind, key), 0 if (kind, key) == root else rank(kind), gone.forced, gone.heir)
            for kind, key in rows
        ),
    )


def logs(db: sqlite3.Connection, intent: str) -> tuple[str, str] | None:
    """Return (parent's key, path) of a log that a removal takes along and that was not dropped yet."""
    row = db.execute("SELECT key, log FROM gone WHERE intent = ? AND log <> '' LIMIT 1", (intent,)).fetchone()
    return None if row is None else (str(row[0]), str(row[1]))


def log_gone(db: sqlite3.Connection, intent: str, log: str) -> None:
    """Note that a log was dropped: there is nothing left in it to hide."""
    db.execute("UPDATE gone SET log = '' WHERE intent = ? AND log = ?", (intent, log))


def inherits(db: sqlite3.Connection, key: str) -> bool:
    """Tell whether a removal that is not carried out names this record as the heir."""
    return db.execute("SELECT 1 FROM gone WHERE heir = ?", (key,)).fetchone() is not None


def inherits_yet(db: sqlite3.Connection, intent: str) -> bool:
    """Tell whether another removal still puts in place what this one hides; so this one is not over before that."""
    sql = "SELECT 1 FROM gone g JOIN gone h ON h.heir = g.key WHERE g.intent = ? AND h.intent <> g.intent"
    return db.execute(sql, (intent,)).fetchone() is not None


def show(db: sqlite3.Connection, intent: str) -> None:
    """End the hiding: the removal is carried out."""
    db.execute("DELETE FROM gone WHERE intent = ?", (intent,))


def intents_in(db: sqlite3.Connection) -> set[str]:
    """Return the removals that hide something."""
    return {str(row[0]) for row in db.execute("SELECT DISTINCT intent FROM gone")}


def rank(kind: str) -> int:
    """Return a number that is greater than that of every kind whose records go along with this kind's, from 1."""
    sources = {
        source.name for source in CATALOG.values() for ref in source.refs if kind in ref.targets and ref.may_cascade
    }
    return 1 + max((rank(source) for source in sources if source != kind), default=0)


def _log(kind: str, key: str) -> str:
    children = children_of(CATALOG, kind)
    return log_of(children[0], key) if children else ""
