"""What two indexes say differently, table by table, in constant memory.

Both are read in the order of their keys and merged. Positions, which a rebuild gives out anew, are not compared, nor
the sentences of problems; members that follow from a log count as absent when they are empty.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..schemas.catalog import CATALOG, Kind, kinds_of_path
from .children import parent_of
from .tables import column_of, table_of, text_table_of

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Sequence
    from collections.abc import Set as AbstractSet

Row = tuple[Any, ...]

_SHARED = {
    "refs": "src_kind, src_key, field, dst_key, dst_kind, owner, created",
    "mentions": "src_kind, src_key, sha256, owner",
    "uniques": "kind, key, rule, value",
    "tombstones": "kind, key, path, rev, owner, deleted, coalesce(body, '')",
    "problems": "kind, key, path, problem",
}
"""The tables whose first two columns name a record, and what of them is compared."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A row that one index has and the other has not, or has otherwise: its table, its key, and what is different."""

    table: str
    key: str
    what: str


def differences(
    old: sqlite3.Connection, new: sqlite3.Connection, left_out: AbstractSet[str] = frozenset()
) -> Iterator[Difference]:
    """Yield where the old index is not as the new one.

    Args:
        old: a connection of the index in question.
        new: one of an index made from the files.
        left_out: files whose rows are not compared.
    """
    comparison = _Comparison(old, new, left_out)
    for kind in CATALOG.values():
        yield from comparison.records(kind)
        if kind.searched:
            yield from comparison.texts(kind)
    for table, columns in _SHARED.items():
        yield from comparison.shared(table, columns)
    yield from comparison.children()
    if not left_out:
        yield from comparison.counts()


class _Comparison:
    def __init__(self, old: sqlite3.Connection, new: sqlite3.Connection, left_out: AbstractSet[str]) -> None:
        self._sides = (old, new)
        self._paths = left_out
        self._keys = {pair for path in left_out for pair in self._affected(path)}

    def records(self, kind: Kind) -> Iterator[Difference]:
        table = table_of(kind)
        names = [column[0] for column in self._sides[0].execute(f"SELECT * FROM {table} LIMIT 0").description]
        names = ["key", *(name for name in names if name not in {"seq", "key"})]
        quoted = ", ".join(f'"{name}"' for name in names)
        derived = {"body", *(column_of(member).strip('"') for member in kind.derived)}
        for old, new in self._apart(f"SELECT {quoted} FROM {table} ORDER BY key", 1):
            key = str((old or new or ("",))[0])
            if (kind.name, key) in self._keys:
                continue
            what = _told(old, new)
            if old is not None and new is not None:
                apart = [
                    name for name, a, b in zip(names, old, new, strict=True) if not _same(kind, name, a, b, derived)
                ]
                if not apart:
                    continue
                what = f"{', '.join(apart)} differ"
            yield Difference(kind.name, key, what)

    def texts(self, kind: Kind) -> Iterator[Difference]:
        sql = (
            f"SELECT k.key, f.* FROM {table_of(kind)} k JOIN {text_table_of(kind)} f ON f.rowid = k.seq ORDER BY k.key"
        )
        for old, new in self._apart(sql, 1):
            key = str((old or new or ("",))[0])
            if (kind.name, key) not in self._keys:
                yield Difference(f"text of {kind.name}", key, _told(old, new))

    def shared(self, table: str, columns: str) -> Iterator[Difference]:
        order = ", ".join(str(n + 1) for n in range(columns.count(",") + 1 - columns.count("(")))
        width = order.count(",") + 1
        for old, new in self._apart(f"SELECT DISTINCT {columns} FROM {table} ORDER BY {order}", width):
            row = old or new or ()
            if (row[0], row[1]) not in self._keys and self._paths.isdisjoint(map(str, row)):
                yield Difference(table, " ".join(map(str, row[:4])), _told(old, new))

    def children(self) -> Iterator[Difference]:
        sql = "SELECT path, events, messages FROM children WHERE events <> 0 OR messages <> 0 ORDER BY path"
        for old, new in self._apart(sql, 1):
            path = str((old or new or ("",))[0])
            if path not in self._paths:
                yield Difference("children", path, _told(old, new))

    def counts(self) -> Iterator[Difference]:
        for old, new in self._apart("SELECT kind, owner, n FROM counts WHERE n <> 0 ORDER BY kind, owner", 2):
            row = old or new or ()
            yield Difference("counts", f"{row[0]} {row[1]}", _told(old, new))

    def _apart(self, sql: str, width: int) -> Iterator[tuple[Row | None, Row | None]]:
        """Merge both sides by their first `width` columns; yield the pairs that are not equal."""
        left, right = (iter(side.execute(sql)) for side in self._sides)
        old, new = next(left, None), next(right, None)
        while old is not None or new is not None:
            if new is None or (old is not None and old[:width] < new[:width]):
                yield old, None
                old = next(left, None)
            elif old is None or new[:width] < old[:width]:
                yield None, new
                new = next(right, None)
            else:
                if old != new:
                    yield old, new
                old, new = next(left, None), next(right, None)

    def _affected(self, path: str) -> Iterator[tuple[str, str]]:
        """Yield the records of a file, as either side has them, and the one that says something of it."""
        for located in kinds_of_path(path):
            kind = located.kind
            for side in self._sides:
                rows = side.execute(f"SELECT key FROM {table_of(kind)} WHERE path = ?", (path,))
                yield from ((kind.name, key) for (key,) in rows)
            parent = parent_of(kind)
            if kind.parent is not None and parent is not None:
                yield parent, located.variable


def _told(old: Row | None, new: Row | None) -> str:
    if old is None:
        return "the index lacks it"
    return "no file has it" if new is None else "it differs"


def _same(kind: Kind, name: str, old: object, new: object, derived: AbstractSet[str]) -> bool:
    if old == new:
        return True
    if name not in derived:
        return False
    if name != "body":
        return (old or "") == (new or "")
    return old is not None and new is not None and _settled(kind.derived, str(old)) == _settled(kind.derived, str(new))


def _settled(derived: Sequence[str], text: str) -> str:
    body = json.loads(text)
    kept = {name: value for name, value in body.items() if name not in derived or value}
    return json.dumps(kept, sort_keys=True)
