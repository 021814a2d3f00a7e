"""Filters by reference: led by the table of references in the order of creation, and looked up in others."""

from __future__ import annotations

import json
from itertools import permutations
from typing import TYPE_CHECKING

import pytest

from metadata.index.clauses import Clauses
from metadata.index.projector import Projector, Source
from metadata.index.query import Query, select
from metadata.schemas.catalog import CATALOG

if TYPE_CHECKING:
    from types import ModuleType

    from metadata.index.database import Database

ASSET = CATALOG["asset"]


def fill(database: Database, *records: dict[str, object]) -> None:
    with database.writing() as db:
        for record in records:
            Projector().upsert(db, ASSET, str(record["id"]), record, Source("p"))


def pages(database: Database, query: Query) -> list[int]:
    """Return the sizes of all records a query finds, asked for in pages of two."""
    seen: list[int] = []
    cursor: str | None = None
    while True:
        with database.reading() as db:
            asked = Query(query.filter, query.owner, query.sort, query.q, 2, cursor, query.tag_type)
            page = select(db, ASSET, asked)
        seen += [json.loads(str(row[5]))["size"] for row in page.rows]
        cursor = page.next_cursor
        if cursor is None:
            assert page.total == len(seen)
            return seen


@pytest.mark.parametrize("owner", [True, False])
def test_tags_are_found_alike_in_every_order(database: Database, make: ModuleType, *, owner: bool) -> None:
    tags = [["a"], ["a", "b"], ["b"], ["c", "b", "a"], [], ["a", "b"], ["b", "a"], ["a"], ["a", "b"]]
    who = [make.OTHER if number == 8 else make.USER for number in range(9)]
    records = [make.asset(number, who[number], tags=tags[number]) for number in range(9)]
    fill(database, *records)
    whose = make.USER if owner else None
    expected = [n for n in range(9) if {"a", "b"} <= set(tags[n]) and (not owner or who[n] == make.USER)]
    for wanted in permutations(["a", "b"]):
        for sort in (None, "createdAt", "size"):
            assert pages(database, Query({"tags": wanted}, whose, sort)) == expected
            assert pages(database, Query({"tags": wanted, "type": "image"}, whose, sort)) == expected
            assert pages(database, Query({"tags": wanted, "type": "avatar"}, whose, sort)) == []
        for sort in ("-createdAt", "-size"):
            assert pages(database, Query({"tags": wanted}, whose, sort)) == expected[::-1]
        assert pages(database, Query({"tags": wanted}, whose, "createdAt", q="picture")) == expected


def test_a_page_of_a_tag_is_a_range_of_an_index(database: Database, make: ModuleType) -> None:
    source, where, values = Clauses(ASSET, Query({"tags": ["a"]}, make.USER)).led()
    sql = f"SELECT t.seq FROM {source} WHERE {where} ORDER BY l.created, l.src_key LIMIT 3"  # noqa: S608 - no input
    with database.reading() as db:
        plan = " / ".join(str(row[3]) for row in db.execute(f"EXPLAIN QUERY PLAN {sql}", values))
    assert "refs_owned" in plan
    assert "TEMP B-TREE" not in plan
