"""What the text tables hold of records, and that it goes with them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from metadata.index.projector import Projector, Source
from metadata.index.texts import all_came, expect_many, owner_mark, owner_term, said, tables_of
from metadata.schemas.catalog import CATALOG

if TYPE_CHECKING:
    import sqlite3
    from types import ModuleType

    from metadata.index.database import Database

CHARACTER = CATALOG["character"]


def terms(db: sqlite3.Connection, table: str) -> dict[str, set[str]]:
    """Return the terms of a text table by column."""
    name = f"v_{table.strip(chr(34))}"
    db.execute(f"CREATE VIRTUAL TABLE IF NOT EXISTS temp.{name} USING fts5vocab(main, {table}, instance)")
    found: dict[str, set[str]] = {}
    for term, column in db.execute(f"SELECT term, col FROM {name}"):  # noqa: S608 - a kind's name
        found.setdefault(column, set()).add(term)
    return found


def test_a_field_s_words_are_in_the_column_of_its_weight_and_parts_of_headings_are_apart(
    database: Database, make: ModuleType
) -> None:
    record = make.character("Ann", title="Bea", description="Cid", personality="", scenario="Dan", firstMessage="")
    with database.writing() as db:
        Projector().upsert(db, CHARACTER, record["id"], record, Source("p"))
        words, parts, heads = (terms(db, table) for table in tables_of(CHARACTER))
        assert {name: words[name] for name in ("w8", "w4", "w2", "w1")} == {
            "w8": {"ann"},
            "w4": {"bea"},
            "w2": {"cid"},
            "w1": {"dan"},
        }
        assert {"ann", " an", "  a", "bea", "cid", "dan"} < parts["words"]
        assert {"ann", "bea"} < heads["words"]
        assert heads["words"].isdisjoint({"cid", "dan"})
        assert words["owner"] == {owner_term(make.USER)}
        assert owner_mark(make.USER)[:3] in parts["words"] & heads["words"]


@pytest.mark.parametrize("way", ["remove", "forget", "change"])
@pytest.mark.parametrize("kind", ["character", "message"])
def test_nothing_is_left_of_a_text_that_is_gone(database: Database, make: ModuleType, kind: str, way: str) -> None:
    record = make.character("Ann") if kind == "character" else make.message(make.new_id(), "Ann")
    member, projector = ("name" if kind == "character" else "content"), Projector()
    with database.writing() as db:
        for name in ("Ann", "Łódź \ud800 魔法", "Bea"):
            projector.upsert(db, CATALOG[kind], record["id"], {**record, member: name}, Source("p"))
        if way == "remove":
            projector.remove(db, CATALOG[kind], record["id"])
        elif way == "forget":
            projector.forget_path(db, [CATALOG[kind]], "p")
        for table in tables_of(CATALOG[kind]):
            left = {term for column in terms(db, table).values() for term in column}
            assert left.isdisjoint({"ann", "lodz", "魔", "  魔", "lod"})
            assert ("bea" in left) == (way == "change")
            name = table.strip('"')
            db.execute(f"INSERT INTO {name}({name}) VALUES('integrity-check')")


def test_what_is_searched_is_text_and_nothing_else(make: ModuleType) -> None:
    assert said(CHARACTER, "u", {**make.character("Ann"), "title": None, "description": 5})[:4] == ("u", "Ann", "", "")


def test_any_owner_is_one_term() -> None:
    owners = ("", "a b", '"', "é", "\ud800")
    assert all(owner_term(owner).isalnum() for owner in owners)
    assert len({owner_mark(owner) for owner in owners}) == len(owners)
    assert {len(owner_mark(owner)) for owner in owners} == {5}


def test_many_records_that_come_at_once_are_found_and_end_up_merged(database: Database, make: ModuleType) -> None:
    with database.writing() as db:
        expect_many(db, [CHARACTER])
        for number in range(30):
            record = make.character(f"Ann{number}")
            Projector().upsert(db, CHARACTER, record["id"], record, Source(f"p{number}"))
        all_came(db, [CHARACTER])
        for table in tables_of(CHARACTER):
            name = table.strip('"')
            assert db.execute(f"SELECT count(DISTINCT segid) FROM {name}_idx").fetchone() == (1,)  # noqa: S608 - ours
            found = db.execute(f"SELECT count(*) FROM {name} WHERE {name} MATCH 'ann29'").fetchone()  # noqa: S608 - ours
            assert found == (1,)
            assert dict(db.execute(f"SELECT k, v FROM {name}_config"))["automerge"] == 4  # noqa: S608 - ours
