"""The index's tables, derived from the catalog: one per kind, and the few that all kinds share.

A kind `asset` has the table `k_asset`: a row per live record with its JSON body (or, for logs that are long, only the
place of its line), the fixed columns every list needs, and one column `c_<field>` per declared filter. `f_asset` is
its full-text table; `f_asset_parts` and `f_asset_heads` find parts of words, in all texts and in names and titles.
Names come from the catalog alone, never from a request.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from typing import TYPE_CHECKING

from ..schemas.fields import HEADING
from ..schemas.homes import LinesPerParent

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ..schemas.catalog import Kind, RefField

FORMAT = 6
"""Raise this when the meaning of a table changes: an index of another format is rebuilt."""

SHARED = """
CREATE TABLE meta(name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE files(
  path TEXT PRIMARY KEY, dev INTEGER NOT NULL, ino INTEGER NOT NULL, size INTEGER NOT NULL,
  mtime_ns INTEGER NOT NULL, ctime_ns INTEGER NOT NULL, indexed_ns INTEGER NOT NULL,
  last_start INTEGER NOT NULL DEFAULT 0, last_crc INTEGER NOT NULL DEFAULT 0, offset INTEGER NOT NULL DEFAULT 0,
  live INTEGER NOT NULL DEFAULT 0, dead INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;
CREATE TABLE pending(path TEXT PRIMARY KEY, noted_ns INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE problems(
  path TEXT NOT NULL, place INTEGER NOT NULL, kind TEXT NOT NULL, key TEXT NOT NULL, problem TEXT NOT NULL,
  reason TEXT NOT NULL, PRIMARY KEY(path, place, key)) WITHOUT ROWID;
CREATE INDEX problems_key ON problems(kind, key);
CREATE TABLE refs(
  src_kind TEXT NOT NULL, src_key TEXT NOT NULL, field TEXT NOT NULL, dst_kind TEXT NOT NULL, dst_key TEXT NOT NULL,
  owner TEXT NOT NULL, created TEXT NOT NULL, PRIMARY KEY(src_kind, src_key, field, dst_key)) WITHOUT ROWID;
CREATE INDEX refs_owned ON refs(dst_key, src_kind, field, owner, created, src_key);
CREATE INDEX refs_all ON refs(dst_key, src_kind, field, created, src_key);
CREATE TABLE mentions(
  sha256 TEXT NOT NULL, src_kind TEXT NOT NULL, src_key TEXT NOT NULL, owner TEXT NOT NULL,
  PRIMARY KEY(sha256, src_kind, src_key)) WITHOUT ROWID;
CREATE INDEX mentions_source ON mentions(src_kind, src_key);
CREATE INDEX mentions_owner ON mentions(sha256, owner);
CREATE TABLE uniques(
  kind TEXT NOT NULL, rule TEXT NOT NULL, value TEXT NOT NULL, key TEXT NOT NULL,
  PRIMARY KEY(kind, rule, value, key)) WITHOUT ROWID;
CREATE INDEX uniques_key ON uniques(kind, key);
CREATE TABLE counts(
  kind TEXT NOT NULL, owner TEXT NOT NULL, n INTEGER NOT NULL, PRIMARY KEY(kind, owner)) WITHOUT ROWID;
CREATE TABLE gone(
  intent TEXT NOT NULL, kind TEXT NOT NULL, key TEXT NOT NULL, log TEXT NOT NULL, place INTEGER NOT NULL,
  forced INTEGER NOT NULL, heir TEXT NOT NULL, PRIMARY KEY(kind, key)) WITHOUT ROWID;
CREATE INDEX gone_key ON gone(key);
CREATE INDEX gone_intent ON gone(intent, place);
CREATE INDEX gone_log ON gone(log);
CREATE INDEX gone_heir ON gone(heir);
CREATE TABLE children(
  path TEXT PRIMARY KEY, events INTEGER NOT NULL, messages INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE tombstones(
  kind TEXT NOT NULL, key TEXT NOT NULL, path TEXT NOT NULL, rev INTEGER NOT NULL, seq INTEGER NOT NULL,
  owner TEXT NOT NULL, deleted TEXT NOT NULL, body TEXT, PRIMARY KEY(kind, key)) WITHOUT ROWID;
CREATE INDEX tombstones_path ON tombstones(path);
CREATE INDEX tombstones_payload ON tombstones(json_extract(body, '$.sha256')) WHERE kind = 'asset';
"""

_ASKED = re.compile(r'(_path|mentions_source|uniques_key)"? ON ')
"""What a file, or a record, had before is asked for every one that is projected: without these, of every row."""

FIXED = ("key", "path", "rev", "owner", "created", "updated", "offset", "length", "body")
"""The columns every kind's table has, beside `seq`, in the order the projector binds them."""


def table_of(kind: Kind) -> str:
    """Return the quoted name of a kind's table."""
    return f'"k_{kind.name}"'


def text_table_of(kind: Kind) -> str:
    """Return the quoted name of a kind's full-text table."""
    return f'"f_{kind.name}"'


def weights_of(kind: Kind) -> list[int]:
    """Return the distinct weights of a kind's searched fields, the highest first."""
    return sorted({weight for _, weight in kind.searched}, reverse=True)


def text_columns_of(kind: Kind) -> list[str]:
    """Return the columns of a kind's full text: its owner, and words by weight."""
    return ["owner", *(f"w{weight}" for weight in weights_of(kind))]


def parts_table_of(kind: Kind) -> str:
    """Return the quoted name of the table that finds parts of words."""
    return f'"f_{kind.name}_parts"'


def heads_table_of(kind: Kind) -> str | None:
    """Return the same for headings alone, found at once for they are short; None for a kind without headings."""
    return f'"f_{kind.name}_heads"' if weights_of(kind)[0] >= HEADING else None


def column_of(field: str) -> str:
    """Return the quoted column of a filter field."""
    return f'"c_{field}"'


def field_name(ref: RefField) -> str:
    """Return the dotted name of a reference field, `personaLinks.personaId` for a member of list items."""
    return ".".join(part for part in ref.path if part != "*")


def columns_of(kind: Kind) -> list[str]:
    """Return the filter fields that need a column: the fixed ones and references are found another way."""
    elsewhere = {kind.owner, kind.created, kind.updated, *(field_name(ref) for ref in kind.refs)}
    return [field for field in kind.filters if field not in elsewhere]


def stores_body(kind: Kind) -> bool:
    """Tell whether the row holds the record's body; messages stay in their log and are read at their offset."""
    return not isinstance(kind.home, LinesPerParent)


def _kind_statements(kind: Kind) -> Iterator[str]:
    # AUTOINCREMENT: a buried record comes back to its position, which nobody else may have got meanwhile.
    table = table_of(kind)
    columns = "".join(f", {column_of(field)} NOT NULL" for field in columns_of(kind))
    yield (
        f"CREATE TABLE {table}(seq INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL UNIQUE, path TEXT NOT NULL,"
        " rev INTEGER NOT NULL, owner TEXT NOT NULL, created TEXT NOT NULL, updated TEXT NOT NULL,"
        f" offset INTEGER NOT NULL, length INTEGER NOT NULL, body TEXT{columns})"
    )
    yield f'CREATE INDEX "k_{kind.name}_created" ON {table}(created, key)'
    yield f'CREATE INDEX "k_{kind.name}_owner" ON {table}(owner, created, key)'
    if kind.updated is not None:
        yield f'CREATE INDEX "k_{kind.name}_updated" ON {table}(updated, key)'
        yield f'CREATE INDEX "k_{kind.name}_owner_updated" ON {table}(owner, updated, key)'
    if kind.parent is None:
        yield f'CREATE INDEX "k_{kind.name}_path" ON {table}(path, offset)'
    else:
        # One log at a time is asked for, in its own order; every index of SQLite ends with the row's number.
        yield f'CREATE INDEX "k_{kind.name}_path" ON {table}(path)'
    for field in columns_of(kind):
        columns = f"path, {column_of(field)}" if kind.parent else f"{column_of(field)}, created, key"
        yield f'CREATE INDEX "k_{kind.name}_{field}" ON {table}({columns})'
    if kind.searched:
        # Where the row keeps the record, the text can be made again to be removed, and is not kept a second time.
        kept = ", content = ''" if stores_body(kind) else ""
        terms = ", ".join(text_columns_of(kind))
        # Terms are separated by spaces already, and unicode61 would drop the letters that are younger than it.
        yield f"CREATE VIRTUAL TABLE {text_table_of(kind)} USING fts5({terms}, tokenize = 'ascii'{kept})"
        for parts in filter(None, (parts_table_of(kind), heads_table_of(kind))):
            # What is folded already has no capitals to look for.
            yield f"CREATE VIRTUAL TABLE {parts} USING fts5(words, tokenize = 'trigram case_sensitive 1'{kept})"


def statements(catalog: Mapping[str, Kind]) -> list[str]:
    """Return every statement that makes an empty index for this catalog."""
    shared = [statement.strip() for statement in SHARED.split(";") if statement.strip()]
    return shared + [statement for kind in catalog.values() for statement in _kind_statements(kind)]


def may_be_late(statement: str) -> bool:
    """Tell whether a statement makes an index that projecting a record asks nothing of; it may come after the rows."""
    return statement.startswith("CREATE INDEX") and _ASKED.search(statement) is None


def fingerprint(catalog: Mapping[str, Kind]) -> str:
    """Return what an index must carry to be believed: its format and its tables, hashed."""
    rules = [
        f"{kind.name} {kind.uniques} {kind.searched} {kind.refs} {kind.owner} {kind.mentions}"
        for kind in catalog.values()
    ]
    # What was folded by one version of Unicode could not be taken out again by another.
    text = "\n".join([str(FORMAT), unicodedata.unidata_version, *statements(catalog), *rules])
    return hashlib.sha256(text.encode()).hexdigest()
