"""Filters, orders, pages and full text, over the projector's rows."""

from __future__ import annotations

import base64
import json
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metadata.errors import InvalidError
from metadata.index.database import Database, create
from metadata.index.projector import Projector, Source
from metadata.index.query import Query, Selection, select
from metadata.index.ranking import RANKED_CAP
from metadata.index.tables import statements
from metadata.schemas.catalog import CATALOG

if TYPE_CHECKING:
    from types import ModuleType

ASSET = CATALOG["asset"]


def fill(database: Database, *records: dict[str, Any], kind: str = "asset") -> None:
    projector = Projector()
    with database.writing() as db:
        for record in records:
            projector.upsert(db, CATALOG[kind], str(record["id"]), record, Source("p"))


def ask(database: Database, query: Query, kind: str = "asset") -> Selection:
    with database.reading() as db:
        return select(db, CATALOG[kind], query)


def sizes(selection: Selection) -> list[int]:
    return [json.loads(row[5] or "")["size"] for row in selection.rows]


def cursor(*parts: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")


def test_the_owner_is_a_filter_too(database: Database, make: ModuleType) -> None:
    fill(database, make.asset(1), make.asset(2, make.OTHER), make.asset(3, make.OTHER))
    found = ask(database, Query(filter={"userId": make.OTHER}))
    assert (sizes(found), found.total) == ([2, 3], 2)
    both = ask(database, Query(filter={"userId": make.OTHER}, owner=make.USER))
    assert (sizes(both), both.total) == ([], 0)


def test_totals_are_those_of_the_question(database: Database, make: ModuleType) -> None:
    fill(database, *(make.asset(number, type="image" if number % 2 else "avatar") for number in range(7)))
    assert ask(database, Query()).total == 7
    assert ask(database, Query(owner=make.USER, limit=2)).total == 7
    assert ask(database, Query(owner=make.OTHER)).total == 0
    assert ask(database, Query(filter={"type": "avatar"}, limit=1)).total == 4
    assert ask(database, Query(filter={"type": "avatar"}, owner=make.OTHER)).total == 0
    assert ask(database, Query(filter={"tags": []})).total == 7


def test_numbers_beyond_sqlite_are_questions_like_others(database: Database, make: ModuleType) -> None:
    fill(database, make.asset(1), make.asset(2, size=10**30))
    assert ask(database, Query(filter={"size": 10**29})).total == 1
    assert ask(database, Query(filter={"size": -(10**40)})).total == 0
    first = ask(database, Query(sort="size", limit=1))
    assert sizes(first) == [1]
    assert sizes(ask(database, Query(sort="size", limit=1, cursor=first.next_cursor))) == [10**30]


@pytest.mark.parametrize(
    "query",
    [
        Query(filter={"nonsense": 1}),
        Query(filter={"body": "x"}),
        Query(sort="userId"),
        Query(sort="seq; DROP TABLE meta"),
        Query(sort=""),
        Query(sort="--size"),
        Query(limit=0),
        Query(limit=501),
        Query(cursor=""),
        Query(cursor="é"),
        Query(cursor=cursor("createdAt", "x")),
        Query(cursor=cursor("size", 1, "x")),
        Query(cursor=cursor("createdAt", None, "x")),
        Query(cursor=cursor("createdAt", 10**30, "x")),
        Query(cursor=cursor("createdAt", "\ud83d", "x")),
        Query(cursor=cursor("createdAt", "x", "\ud83d")),
        Query(cursor=cursor("createdAt", {"a": 1}, "x")),
        Query(q="a", cursor=cursor("rank", -1)),
        Query(q="a", cursor=cursor("rank", RANKED_CAP + 1)),
        Query(q="a", cursor=cursor("rank", "1")),
        Query(q="a", cursor=cursor("createdAt", "x", "y")),
        Query(filter={"tags": ["t"]}, tag_type="NONSENSE"),
    ],
)
def test_nonsense_is_refused_with_its_field(database: Database, query: Query) -> None:
    with pytest.raises(InvalidError) as caught:
        ask(database, query)
    assert caught.value.details["field"] in {"nonsense", "body", "sort", "limit", "cursor", "tagType", "type"}


def test_text_is_refused_where_there_is_none(database: Database) -> None:
    with pytest.raises(InvalidError):
        ask(database, Query(q="x"), "fact")
    assert ask(database, Query(q="  "), "fact").rows == []


@given(st.text(max_size=40))
def test_no_cursor_breaks_the_statement(text: str) -> None:
    database = Database(None, nullcontext)
    with database.reading() as db:
        create(db, statements({"asset": ASSET}), {})
    with pytest.raises(InvalidError):
        ask(database, Query(cursor=text))
    database.close()


def test_equal_sort_values_are_paged_by_key(database: Database, make: ModuleType) -> None:
    records = [make.asset(1, createdAt=make.T0) for _ in range(9)]
    fill(database, *records)
    for sort in (None, "-createdAt", "size", "-size", "filename"):
        seen: list[str] = []
        query = Query(sort=sort, limit=2)
        while True:
            page = ask(database, query)
            seen += [row[1] for row in page.rows]
            if page.next_cursor is None:
                break
            query = Query(sort=sort, limit=2, cursor=page.next_cursor)
        assert sorted(seen) == sorted(record["id"] for record in records)
        assert seen == sorted(seen, reverse=bool(sort and sort.startswith("-")))


def test_ranked_results_end_at_the_cap_and_sorted_ones_do_not(database: Database, make: ModuleType) -> None:
    fill(database, *(make.asset(number, createdAt=make.T0) for number in range(RANKED_CAP + 30)))
    for sort, expected in ((None, RANKED_CAP), ("size", RANKED_CAP + 30)):
        seen: list[str] = []
        position: str | None = None
        while True:
            page = ask(database, Query(q="picture", sort=sort, limit=300, cursor=position))
            assert (page.total, page.total_capped) == (expected, sort is None)
            seen += [row[1] for row in page.rows]
            position = page.next_cursor
            if position is None:
                break
        assert len(set(seen)) == len(seen) == expected


def test_whole_words_come_before_parts_of_words(database: Database, make: ModuleType) -> None:
    fill(database, make.asset(1, filename="scattered"), make.asset(2, filename="a cat"), make.asset(3, filename="dog"))
    assert sizes(ask(database, Query(q="cat"))) == [2, 1]


def test_text_with_filters_and_owner(database: Database, make: ModuleType) -> None:
    who = make.new_id()
    fill(
        database,
        make.asset(1, tags=["t"], characterId=who),
        make.asset(2, tags=["t"]),
        make.asset(3, make.OTHER, tags=["t"], characterId=who),
    )
    wanted = {"tags": ["t"], "characterId": who, "type": "image"}
    for sort in (None, "size"):
        assert sizes(ask(database, Query(q="pict", filter=wanted, owner=make.USER, sort=sort))) == [1]
        assert sizes(ask(database, Query(q='"', filter=wanted, sort=sort))) == []


def test_times_sort_by_when_they_were_and_not_by_how_they_are_written(database: Database, make: ModuleType) -> None:
    fill(
        database,
        make.asset(1, createdAt="2026-01-01T00:30:00.000+00:00"),
        make.asset(2, createdAt="2026-01-01T01:00:00.000+02:00"),
        make.asset(3, createdAt="2026-01-01T00:10:00.000Z"),
    )
    assert sizes(ask(database, Query())) == [2, 3, 1]
