"""What the text tables hold of records, and that it goes with them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from metadata.index.projector import Projector, Source
from metadata.index.tables import text_table_of
from metadata.index.texts import owner_term, said
from metadata.schemas.catalog import CATALOG

if TYPE_CHECKING:
    import sqlite3
    from types import ModuleType

    from metadata.index.database import Database

CHARACTER = CATALOG["character"]


def terms(db: sqlite3.Connection, name: str) -> dict[str, set[str]]:
    """Return the terms of a kind's text by column."""
    table = text_table_of(CATALOG[name])
    db.execute(f"CREATE VIRTUAL TABLE IF NOT EXISTS temp.v_{name} USING fts5vocab(main, {table}, instance)")
    found: dict[str, set[str]] = {}
    for term, column in db.execute(f"SELECT term, col FROM v_{name}"):  # noqa: S608 - a kind's name
        found.setdefault(column, set()).add(term)
    return found


def test_a_field_s_words_are_in_the_column_of_its_weight_and_headings_have_grams_of_their_own(
    database: Database, make: ModuleType
) -> None:
    record = make.character("Ann", title="Bea", description="Cid", personality="", scenario="Dan", firstMessage="")
    with database.writing() as db:
        Projector().upsert(db, CHARACTER, record["id"], record, Source("p"))
        found = terms(db, "character")
        assert {name: found[name] for name in ("w8", "w4", "w2", "w1")} == {
            "w8": {"ann"},
            "w4": {"bea"},
            "w2": {"cid"},
            "w1": {"dan"},
        }
        assert {"\ue001ann", "\ue001bea"} < found["heads"]
        assert {"cid", "dan"} < found["rest"]
        assert found["owner"] == {owner_term(make.USER)}


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
        left = {term for column in terms(db, kind).values() for term in column}
        assert left.isdisjoint({"ann", "lodz", "魔"})
        assert ("bea" in left) == (way == "change")
        db.execute(f"INSERT INTO {text_table_of(CATALOG[kind])}(f_{kind}) VALUES('integrity-check')")


def test_what_is_searched_is_text_and_nothing_else(make: ModuleType) -> None:
    assert said(CHARACTER, "u", {**make.character("Ann"), "title": None, "description": 5})[:4] == ("u", "Ann", "", "")


def test_any_owner_is_one_term() -> None:
    assert all(owner_term(owner).isalnum() for owner in ("", "a b", '"', "é", "\ud800"))
