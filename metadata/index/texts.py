"""The full text of records: what is put into the text table of a kind, and taken out again.

A row has the owner as one term, the words of all fields of one weight in a column each, and the grams of headings
(names and titles) apart from those of the rest. Where the row of the record keeps its body the text table keeps no
text, only terms; SQLite then has to be told what was there to remove it, so the same text is made again from the body.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from ..schemas.fields import HEADING
from . import folding
from .tables import stores_body, table_of, text_columns_of, text_table_of, weights_of

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping

    from ..schemas.catalog import Kind

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
    columns = text_columns_of(kind)
    marks = ", ".join("?" * len(columns))
    sql = f"INSERT INTO {text_table_of(kind)}(rowid, {', '.join(columns)}) VALUES(?, {marks})"
    db.execute(sql, (seq, *_terms(kind, texts)))


def remove(db: sqlite3.Connection, kind: Kind, seq: int, texts: Said | None) -> None:
    """Let a record no more be found; `texts` is what `remembered` said while its row was there."""
    table = text_table_of(kind)
    if texts is None:
        db.execute(f"DELETE FROM {table} WHERE rowid = ?", (seq,))
        return
    columns = text_columns_of(kind)
    marks = ", ".join("?" * len(columns))
    sql = f"INSERT INTO {table}({table}, rowid, {', '.join(columns)}) VALUES('delete', ?, {marks})"
    db.execute(sql, (seq, *_terms(kind, texts)))


def remove_file(db: sqlite3.Connection, kind: Kind, path: str) -> None:
    """Let no record of a file be found; their rows have to be there still."""
    rows = f"SELECT seq FROM {table_of(kind)} WHERE path = ?"
    if not stores_body(kind):
        db.execute(f"DELETE FROM {text_table_of(kind)} WHERE rowid IN ({rows})", (path,))
        return
    for (seq,) in db.execute(rows, (path,)).fetchall():
        remove(db, kind, seq, remembered(db, kind, seq))


def owner_term(owner: str) -> str:
    """Return the term that stands for an owner, whatever characters the id has."""
    return "u" + owner.encode("utf-8", "replace").hex()


def _terms(kind: Kind, texts: Said) -> list[str]:
    found: dict[int, list[str]] = {weight: [] for weight in weights_of(kind)}
    for (_, weight), text in zip(kind.searched, texts[1:], strict=True):
        found[weight] += folding.tokens(text)
    heads = [token for weight, tokens in found.items() if weight >= HEADING for token in tokens]
    rest = [token for weight, tokens in found.items() if weight < HEADING for token in tokens]
    columns = [folding.words(tokens) for tokens in found.values()]
    return [owner_term(texts[0]), *columns, folding.in_heading(folding.grams(heads)), folding.grams(rest)]
