"""How far a removal reaches: what goes along with a record, what has to be edited, and what forbids it.

The rules are the schemas' (`RefField.rule`), here as questions of whole sets, so that a user's hundred thousand records
are found in a second. `spread` fills a temporary table of the connection; the other questions are about it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..schemas.catalog import CATALOG, Kind, RefField
from ..schemas.fields import OnDelete
from .tables import column_of, field_name, table_of

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

    from .gone import Target


def spread(db: sqlite3.Connection, kind: str, key: str, *, force: bool, most: int | None = None) -> bool:
    """Collect a record and all that goes along with it; False when that is more than so many.

    What other removals hide already is left to them.
    """
    db.execute(
        "CREATE TEMP TABLE IF NOT EXISTS reach("
        "kind TEXT, key TEXT, level INTEGER, PRIMARY KEY(kind, key)) WITHOUT ROWID"
    )
    db.execute("DELETE FROM temp.reach")
    db.execute("INSERT INTO temp.reach VALUES(?, ?, 0)", (kind, key))
    level, frontier = 0, {kind}
    while frontier:
        found: set[str] = set()
        for source, sql in _sources(frontier, (OnDelete.CASCADE,), force=force):
            hidden = f"AND NOT EXISTS(SELECT 1 FROM gone g WHERE g.kind = '{source.name}' AND g.key = t.key)"
            added = db.execute(
                f"INSERT OR IGNORE INTO temp.reach SELECT '{source.name}', t.key, ? {sql} AND w.level = ? {hidden}",
                (level + 1, level),
            ).rowcount
            if added:
                found.add(source.name)
            if most is not None and added and _count(db) > most:
                return False
        level, frontier = level + 1, found
    return True


def reached(db: sqlite3.Connection) -> list[Target]:
    """Return what `spread` collected."""
    return [(str(kind), str(key)) for kind, key in db.execute("SELECT kind, key FROM temp.reach")]


def touches(db: sqlite3.Connection, most: int) -> int:
    """Return how many references there are to what `spread` collected, or one more than `most`."""
    sql = "SELECT 1 FROM temp.reach w CROSS JOIN refs r ON r.dst_key = w.key LIMIT ?"
    return len(db.execute(sql, (most + 1,)).fetchall()) + _count(db)


def events(db: sqlite3.Connection, log: str) -> int:
    """Return how many rows lie in the logs of what `spread` collected; `log` is `folder/%.jsonl`."""
    head, tail = log.split("%")
    sql = "SELECT coalesce(sum(c.events), 0) FROM temp.reach w JOIN children c ON c.path = ? || w.key || ?"
    return int(db.execute(sql, (head, tail)).fetchone()[0])


def blockers(db: sqlite3.Connection, *, force: bool) -> list[tuple[str, str, str, str]]:
    """Return (kind, key, field, owner) of what forbids the removal and does not go itself."""
    kinds = {str(kind) for (kind,) in db.execute("SELECT DISTINCT kind FROM temp.reach")}
    found: list[tuple[str, str, str, str]] = []
    for (source, sql), field in zip(
        _sources(kinds, (OnDelete.REFUSE,), force=force), _fields(kinds, (OnDelete.REFUSE,), force=force), strict=True
    ):
        stays = _stays(source)
        found += db.execute(f"SELECT '{source.name}', t.key, '{field}', t.owner {sql} AND {stays}").fetchall()
    if not force and "asset" in kinds:
        found += _mentions(db)
    return sorted(set(found))


def stale(db: sqlite3.Connection, intent: str, limit: int) -> list[Target]:
    """Return records that stay and whose files still refer to what an unfinished removal hides."""
    hidden = "NOT EXISTS(SELECT 1 FROM gone o WHERE o.kind = r.src_kind AND o.key = r.src_key)"
    rows = db.execute(
        "SELECT DISTINCT r.src_kind, r.src_key FROM gone g CROSS JOIN refs r"
        f" ON r.dst_key = g.key AND r.dst_kind IN (g.kind, '') WHERE g.intent = ? AND {hidden} LIMIT ?",
        (intent, limit),
    )
    return [(str(kind), str(key)) for kind, key in rows]


def doomed(db: sqlite3.Connection, intent: str, limit: int) -> list[Target]:
    """Return records that an unfinished removal takes along and that are still there, what refers to others first."""
    kinds = [str(kind) for (kind,) in db.execute("SELECT DISTINCT kind FROM gone WHERE intent = ?", (intent,))]
    found: list[tuple[int, str, str]] = []
    for name in kinds:
        rows = db.execute(
            f"SELECT g.place, g.kind, g.key FROM gone g CROSS JOIN {table_of(CATALOG[name])} t ON t.key = g.key"
            " WHERE g.intent = ? AND g.kind = ? ORDER BY g.place LIMIT ?",
            (intent, name, limit),
        ).fetchall()
        found += rows
    first = min((place for place, _, _ in found), default=0)
    return [(kind, key) for place, kind, key in found if place == first][:limit]


def _count(db: sqlite3.Connection) -> int:
    return int(db.execute("SELECT count(*) FROM temp.reach").fetchone()[0])


def _stays(source: Kind) -> str:
    stays = f"NOT EXISTS(SELECT 1 FROM temp.reach x WHERE x.kind = '{source.name}' AND x.key = t.key)"
    if source.parent is None:
        return stays
    return f"{stays} AND NOT EXISTS(SELECT 1 FROM temp.reach x WHERE x.key = substr(t.key, 1, instr(t.key, '/') - 1))"


def _mentions(db: sqlite3.Connection) -> list[tuple[str, str, str, str]]:
    asset = CATALOG["asset"]
    # What another user writes does not keep this user from deleting a record of their own.
    rows = db.execute(
        f"SELECT m.src_kind, m.src_key, 'mention', m.owner FROM temp.reach w CROSS JOIN {table_of(asset)} a ON"
        f" a.key = w.key CROSS JOIN mentions m ON m.sha256 = a.{column_of('sha256')} WHERE w.kind = 'asset'"
        " AND m.owner IN ('', a.owner)"
        " AND NOT EXISTS(SELECT 1 FROM temp.reach x WHERE x.kind = m.src_kind AND x.key = m.src_key)"
        " AND NOT EXISTS(SELECT 1 FROM temp.reach x WHERE x.key = substr(m.src_key, 1, instr(m.src_key, '/') - 1))"
    )
    return [(str(kind), str(key), str(field), str(owner)) for kind, key, field, owner in rows]


def _sources(kinds: set[str], rules: tuple[OnDelete, ...], *, force: bool) -> Iterator[tuple[Kind, str]]:
    """Yield, for every field through which a rule applies to these kinds, the kind that has it and the FROM and WHERE.

    In it `t` is the referring row and `w` the collected one.
    """
    for source, ref, target, condition in _rules(kinds, rules, force=force):
        rows, named = table_of(source), f"WHERE w.kind = '{target}'{condition}"
        if ref.path == (source.owner,):
            yield source, f"FROM temp.reach w CROSS JOIN {rows} t ON t.owner = w.key {named}"
            continue
        refs = f"r.dst_key = w.key AND r.src_kind = '{source.name}' AND r.field = '{field_name(ref)}'"
        joined = f"{refs} AND r.dst_kind IN ('{target}', '') CROSS JOIN {rows} t ON t.key = r.src_key"
        yield source, f"FROM temp.reach w CROSS JOIN refs r ON {joined} {named}"


def _fields(kinds: set[str], rules: tuple[OnDelete, ...], *, force: bool) -> Iterator[str]:
    return (field_name(ref) for _, ref, _, _ in _rules(kinds, rules, force=force))


def _rules(kinds: set[str], rules: tuple[OnDelete, ...], *, force: bool) -> Iterator[tuple[Kind, RefField, str, str]]:
    for source in CATALOG.values():
        for ref in source.refs:
            if ref.path == (source.parent,):
                continue  # what lies in a log goes with the log
            for target in kinds & set(ref.targets):
                for condition, rule in _cases(ref, force=force):
                    if rule in rules:
                        yield source, ref, target, condition


def _cases(ref: RefField, *, force: bool) -> Iterator[tuple[str, OnDelete]]:
    """Yield the rules that a field may follow, each with the SQL condition under which it does."""
    if ref.cascade_if is None:
        yield "", ref.rule({}, force=force)
        return
    member, value = ref.cascade_if
    yield f" AND t.{column_of(member)} = '{value}'", ref.rule({member: value}, force=force)
    yield f" AND t.{column_of(member)} <> '{value}'", ref.rule({}, force=force)
