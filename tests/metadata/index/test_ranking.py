"""What is found by a question, and what comes first."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metadata.errors import InvalidError
from metadata.index import ranking
from metadata.index.folding import tokens
from metadata.index.projector import Projector, Source
from metadata.index.query import Query, select
from metadata.index.ranking import LONGEST, Narrowing, Search
from metadata.index.tables import statements
from metadata.index.texts import tables_of, write
from metadata.schemas.catalog import CATALOG

if TYPE_CHECKING:
    from types import ModuleType

    from metadata.index.database import Database

TAG, CHARACTER = CATALOG["tag"], CATALOG["character"]
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
THE_TEXTS = [one for one in statements(CATALOG) if any(f"TABLE {table} " in one for table in tables_of(TAG))]


def finds(text: str, query: str) -> bool:
    """Ask a full-text table of this one text, in every way there is."""
    with closing(sqlite3.connect(":memory:")) as db:
        for statement in THE_TEXTS:
            db.execute(statement)
        write(db, TAG, 7, ("", text))
        search = Search(TAG, query, None)
        ranked, count = search.ranked(db, Narrowing()).best, search.count(db, Narrowing(), 9)
        assert ranked in ([], [7])
        assert len(ranked) == count
        return bool(ranked)


def fill(database: Database, *records: dict[str, object]) -> None:
    with database.writing() as db:
        for record in records:
            Projector().upsert(db, CHARACTER, str(record["id"]), record, Source(f"characters/{record['id']}.json"))


def found(database: Database, q: str, **more: object) -> list[str]:
    with database.reading() as db:
        rows = select(db, CHARACTER, Query(q=q, limit=500, **more)).rows  # type: ignore[arg-type] # the tests' own
        return [json.loads(str(row[5]))["name"] for row in rows]


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("my_file-name.png", "file"),
        ("my_file-name.png", "my_file"),
        ("Alice im Wunderland", "wunder"),
        ("Alice im Wunderland", "nderla"),
        ("魔法少女", "少女"),
        ("魔法少女", "法"),
        ("魔法少女。", "少女。"),
        ("ｶﾀｶﾅ", "カタ"),
        ("서울특별시", "특별"),
        ("x2 go", "x2"),
        ('say "AND" OR NEAR(', "near or and"),
        ("été", "ete"),
        ("_少女 - _.png", "_少女 - _.png"),
        ("「魔法」、少女", "「魔法」、"),
    ],
)
def test_what_is_found(text: str, query: str) -> None:
    assert finds(text, query)


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("Alice", "bob"),
        ("Alice", "li"),
        ("魔法少女", "女魔"),
        ("Alice", '"*()'),
        ("Alice Bob", "alice carol"),
        ("slick and nice", "lice"),
        ("Alice", "lce"),
        ("a魔法b少女", "法少"),
    ],
)
def test_what_is_not_found(text: str, query: str) -> None:
    assert not finds(text, query)


@given(TEXTS)
def test_no_query_breaks_the_expression(query: str) -> None:
    finds("some text", query)


@given(st.lists(st.text(st.sampled_from("abcéßøłЖд한국魔法少9_"), min_size=1, max_size=6), min_size=1, max_size=4))
def test_a_text_is_found_by_each_of_its_words_and_by_all(parts: list[str]) -> None:
    text = " ".join(parts)
    for part in [*parts, text]:
        if tokens(part):
            assert finds(text, part), part


def test_a_name_comes_before_a_title_before_a_description_before_other_texts(
    database: Database, make: ModuleType
) -> None:
    fill(
        database,
        make.character("first message", firstMessage="the dragon"),
        make.character("description", description="a dragon"),
        make.character("title", title="dragon", description="a"),
        make.character("Dragon"),
    )
    assert found(database, "dragon") == ["Dragon", "title", "description", "first message"]


def test_a_part_of_a_name_comes_before_a_word_of_a_text_and_its_beginning_before_its_middle(
    database: Database, make: ModuleType
) -> None:
    fill(
        database,
        make.character("body", description="lice lice lice"),
        make.character("inside body", description="slicer"),
        make.character("begins body", description="licensed"),
        make.character("Alice"),
        make.character("Licentia"),
        make.character("Lice"),
    )
    assert found(database, "lice") == ["Lice", "Licentia", "Alice", "body", "begins body", "inside body"]


def test_of_two_words_one_in_a_name_comes_before_both_in_a_text(database: Database, make: ModuleType) -> None:
    fill(
        database,
        make.character("text", description="alice dragon alice dragon"),
        make.character("Alice", scenario="a dragon"),
        make.character("Alice of the dragon"),
        make.character("Alice alone"),
    )
    assert found(database, "dragon alice") == ["Alice of the dragon", "Alice", "text"]


def test_a_word_that_comes_often_ranks_higher(database: Database, make: ModuleType) -> None:
    rest = " ".join(f"word{number}" for number in range(40))
    fill(
        database,
        make.character("once", scenario=f"sword {rest}"),
        make.character("often", scenario=f"sword sword sword sword {rest}"),
        *(make.character("without") for _ in range(10)),
    )
    assert found(database, "sword") == ["often", "once"]


def test_the_beginning_of_a_name_is_found_from_its_first_letter_on(database: Database, make: ModuleType) -> None:
    fill(database, make.character("Natalia"), make.character("Alistair"), make.character("Bob", description="all"))
    assert found(database, "a") == found(database, "al") == ["Alistair", "Bob"]
    assert found(database, "ali") == ["Alistair", "Natalia"]


def test_while_the_last_word_is_typed_the_others_rank(database: Database, make: ModuleType) -> None:
    rest = " ".join(f"word{number}" for number in range(40))
    fill(
        database,
        make.character("once", scenario=f"sword slayer {rest}"),
        make.character("often", scenario=f"sword sword sword slayer {rest}"),
        *(make.character("without") for _ in range(10)),
    )
    assert found(database, "sword sl") == ["often", "once"]


def test_only_the_asking_owner_s_records_are_ranked_and_counted(database: Database, make: ModuleType) -> None:
    fill(database, make.character("Alice A"), make.character("Alice B", make.OTHER))
    assert found(database, "alice", owner=make.OTHER) == ["Alice B"]
    assert found(database, "alice", owner=make.new_id()) == []
    with database.reading() as db:
        assert select(db, CHARACTER, Query(q="alice", owner=make.USER)).total == 1


def test_a_record_that_changes_hands_or_words_is_found_as_it_is_now(database: Database, make: ModuleType) -> None:
    record = make.character("Alice")
    fill(database, record)
    fill(database, {**record, "name": "Bob"})
    assert (found(database, "alice"), found(database, "bob")) == ([], ["Bob"])
    fill(database, {**record, "name": "Bob", "userId": make.OTHER})
    assert (found(database, "bob", owner=make.USER), found(database, "bob", owner=make.OTHER)) == ([], ["Bob"])


def test_more_than_are_ranked_are_still_led_by_names(
    database: Database, make: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ranking, "RANKED_OF", 20)
    fill(database, *(make.character(f"n{number}", scenario="sword") for number in range(50)), make.character("Sword"))
    assert found(database, "sword")[0] == "Sword"
    assert found(database, "s")[0] == "Sword"
    assert len(found(database, "sword")) <= 50


def test_pages_of_a_ranking_are_one_list(database: Database, make: ModuleType) -> None:
    fill(database, *(make.character(f"n{number}", scenario="sword " * (number % 7 + 1)) for number in range(30)))
    whole = found(database, "sword")
    pages: list[str] = []
    cursor: str | None = None
    with database.reading() as db:
        while True:
            page = select(db, CHARACTER, Query(q="sword", limit=7, cursor=cursor))
            pages += [json.loads(str(row[5]))["name"] for row in page.rows]
            cursor = page.next_cursor
            if cursor is None:
                break
    assert pages == whole
    assert len(set(whole)) == 30


def test_a_question_too_long_is_refused() -> None:
    Search(TAG, "x" * LONGEST, None)
    with pytest.raises(InvalidError, match="1000 characters"):
        Search(TAG, "x" * (LONGEST + 1), None)
    with pytest.raises(InvalidError, match="no text"):
        Search(CATALOG["fact"], "x", None)


def test_a_question_of_many_different_words_is_answered() -> None:
    many = " ".join(chr(0x4E00 + number) for number in range(LONGEST // 2))
    assert finds(many, many)
