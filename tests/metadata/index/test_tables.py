"""The index's tables follow from the catalog."""

from __future__ import annotations

import dataclasses
import sqlite3
from contextlib import closing

from metadata.index.tables import (
    columns_of,
    field_name,
    fingerprint,
    may_be_late,
    statements,
    stores_body,
    table_of,
    text_table_of,
)
from metadata.schemas.catalog import CATALOG


def test_every_kind_has_its_table_and_the_searched_ones_a_text_table() -> None:
    with closing(sqlite3.connect(":memory:")) as db:
        for statement in statements(CATALOG):
            db.execute(statement)
        tables = {row[0] for row in db.execute("SELECT name FROM sqlite_master")}
        for kind in CATALOG.values():
            assert table_of(kind).strip('"') in tables
            assert (text_table_of(kind).strip('"') in tables) == bool(kind.searched)


def test_filters_that_are_owner_dates_or_references_need_no_column() -> None:
    columns = columns_of(CATALOG["asset"])
    assert {"sha256", "type", "filename", "size", "width"} <= set(columns)
    assert not {"userId", "createdAt", "updatedAt", "chatId", "characterId", "tags"} & set(columns)


def test_names_of_reference_fields_leave_the_stars_out() -> None:
    names = {field_name(ref) for ref in CATALOG["character"].refs}
    assert {"personaLinks.personaId", "tags", "defaultImageId"} <= names


def test_only_long_logs_leave_their_bodies_in_the_file() -> None:
    assert [kind.name for kind in CATALOG.values() if not stores_body(kind)] == ["message"]


def test_the_fingerprint_changes_with_whatever_changes_a_row() -> None:
    asset = CATALOG["asset"]
    before = fingerprint(CATALOG)
    assert fingerprint(dict(CATALOG)) == before
    for change in ({"filters": ()}, {"uniques": (("sha256",),)}, {"searched": ()}, {"refs": ()}, {"mentions": False}):
        assert fingerprint({**CATALOG, "asset": dataclasses.replace(asset, **change)}) != before, change


def test_what_a_file_or_record_had_is_found_by_an_index_while_tables_fill() -> None:
    with closing(sqlite3.connect(":memory:")) as db:
        for statement in statements(CATALOG):
            if not may_be_late(statement):
                db.execute(statement)
        asked = [f"{table_of(kind)} WHERE path = ?" for kind in CATALOG.values()]
        asked += ["tombstones WHERE path = ?", "problems WHERE path = ?", "children WHERE path = ?"]
        asked += [f"{name} WHERE src_kind = ? AND src_key = ?" for name in ("refs", "mentions")]
        asked.append("uniques WHERE kind = ? AND key = ?")
        for one in asked:
            values = ["x"] * one.count("?")
            plan = db.execute(f"EXPLAIN QUERY PLAN SELECT * FROM {one}", values).fetchall()  # noqa: S608 - names of ours
            assert all(row[3].startswith("SEARCH") for row in plan), (one, plan)


def test_a_position_is_never_given_twice() -> None:
    """A record that comes back takes its old position, so nobody else may have got it meanwhile."""
    with closing(sqlite3.connect(":memory:")) as db:
        for statement in statements(CATALOG):
            db.execute(statement)
        columns = [row[1] for row in db.execute("PRAGMA table_info(k_fact)") if row[1] != "seq"]
        marks = ", ".join("?" * len(columns))
        insert = f"INSERT INTO k_fact({', '.join(columns)}) VALUES({marks})"
        first = db.execute(insert, ["a", *[""] * (len(columns) - 1)]).lastrowid
        db.execute("DELETE FROM k_fact")
        assert db.execute(insert, ["b", *[""] * (len(columns) - 1)]).lastrowid != first
