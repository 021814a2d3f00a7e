"""The full text of records: what is put into the text tables of a kind, and taken out again.

The table of words has the owner as one term and the words of all fields of one weight in a column each. Two others
find parts of words: one in all the texts, one in headings (names and titles) alone. Where the row of the record keeps
its body the text tables keep no text, only terms; SQLite then has to be told what was there to remove it, so the same
text is made again from the body.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from ..schemas.fields import HEADING
from . import folding
from .tables import (
    heads_table_of,
    parts_table_of,
    stores_body,
    table_of,
    text_columns_of,
    text_table_of,
    weights_of,
)

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Mapping

    from ..schemas.catalog import Kind

_GATHERED = 16 * 1024 * 1024
"""Bytes of terms that SQLite gathers of a table before it writes them, while a whole index is made."""
_USUALLY_GATHERED = 1024 * 1024
_USUALLY_MERGED = 4
"""SQLite's own settings."""
_PRIVATE = 0xF0000
_BITS = 15
_MARK = 5

Said = tuple[str, ...]
"""What is searched of a record: its owner, and the texts of the searched fields in their order."""


def said(kind: Kind, owner: str, body: Mapping[str, object]) -> Said:
    """Return what is searched of a record."""
    texts = (body.get(name) for name, _ in kind.searched)
    return (owner, *(text if isinstance(text, str) else "" for text in texts))


def remembered(db: sqlite3.Connection, kind: Kind, seq: int) -> Said | None:
    """Return what is searched of a record whose row keeps its body; None for a kind whose text table keeps the text."""
    if not stores_body(kind):
        return None
    owner, body = db.execute(f"SELECT owner, body FROM {table_of(kind)} WHERE seq = ?", (seq,)).fetchone()
    return said(kind, owner, json.loads(body))


def write(db: sqlite3.Connection, kind: Kind, seq: int, texts: Said) -> None:
    """Make a record be found by its text."""
    for table, columns, values in _rows(kind, texts):
        marks = ", ".join("?" * len(columns))
        db.execute(f"INSERT INTO {table}(rowid, {', '.join(columns)}) VALUES(?, {marks})", (seq, *values))


def remove(db: sqlite3.Connection, kind: Kind, seq: int, texts: Said | None) -> None:
    """Let a record no more be found; `texts` is what `remembered` said while its row was there."""
    if texts is None:
        for table in tables_of(kind):
            db.execute(f"DELETE FROM {table} WHERE rowid = ?", (seq,))
        return
    for table, columns, values in _rows(kind, texts):
        marks = ", ".join("?" * len(columns))
        sql = f"INSERT INTO {table}({table}, rowid, {', '.join(columns)}) VALUES('delete', ?, {marks})"
        db.execute(sql, (seq, *values))


def remove_file(db: sqlite3.Connection, kind: Kind, path: str) -> None:
    """Let no record of a file be found; their rows have to be there still."""
    rows = f"SELECT seq FROM {table_of(kind)} WHERE path = ?"
    if not stores_body(kind):
        for table in tables_of(kind):
            db.execute(f"DELETE FROM {table} WHERE rowid IN ({rows})", (path,))
        return
    for (seq,) in db.execute(rows, (path,)).fetchall():
        remove(db, kind, seq, remembered(db, kind, seq))


def expect_many(db: sqlite3.Connection, kinds: Iterable[Kind]) -> None:
    """Prepare empty text tables for many records in one transaction: gathered in memory, and not merged on the way."""
    _configure(db, kinds, {"hashsize": _GATHERED, "automerge": 0})


def all_came(db: sqlite3.Connection, kinds: Iterable[Kind]) -> None:
    """Merge what came, which makes questions quicker, and let the tables be ready for one record at a time."""
    for kind in kinds:
        for table in tables_of(kind) if kind.searched else ():
            db.execute(f"INSERT INTO {table}({table}) VALUES('optimize')")
    _configure(db, kinds, {"hashsize": _USUALLY_GATHERED, "automerge": _USUALLY_MERGED})


def _configure(db: sqlite3.Connection, kinds: Iterable[Kind], settings: Mapping[str, int]) -> None:
    for kind in kinds:
        for table in tables_of(kind) if kind.searched else ():
            sql = f"INSERT INTO {table}({table}, rank) VALUES(?, ?)"
            db.executemany(sql, settings.items())


def tables_of(kind: Kind) -> list[str]:
    """Return the quoted names of all the text tables of a kind."""
    return [name for name in (text_table_of(kind), parts_table_of(kind), heads_table_of(kind)) if name is not None]


def owner_term(owner: str) -> str:
    """Return the term that stands for an owner among words, whatever characters the id has."""
    return "u" + owner.encode("utf-8", "replace").hex()


def owner_mark(owner: str) -> str:
    """Return what stands for an owner among parts: bits of a hash as letters for private use, which no word has."""
    number = int.from_bytes(hashlib.sha256(owner.encode("utf-8", "replace")).digest())
    return "".join(chr(_PRIVATE + (number >> _BITS * place) % (1 << _BITS)) for place in range(_MARK))


def _rows(kind: Kind, texts: Said) -> list[tuple[str, list[str], list[str]]]:
    """Return table, columns and their values."""
    found: dict[int, list[str]] = {weight: [] for weight in weights_of(kind)}
    for (_, weight), text in zip(kind.searched, texts[1:], strict=True):
        found[weight] += folding.tokens(text)
    columns = [folding.words(tokens) for tokens in found.values()]
    mark = owner_mark(texts[0])
    rows = [(text_table_of(kind), text_columns_of(kind), [owner_term(texts[0]), *columns])]
    every = [token for tokens in found.values() for token in tokens]
    rows.append((parts_table_of(kind), ["words"], [mark + folding.parts(every)]))
    heads = heads_table_of(kind)
    if heads is not None:
        said = [token for weight, tokens in found.items() if weight >= HEADING for token in tokens]
        rows.append((heads, ["words"], [mark + folding.parts(said)]))
    return rows
