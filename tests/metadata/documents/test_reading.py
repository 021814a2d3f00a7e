"""Reading through the index: pages, scans and who refers to what."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from metadata.documents.contract import put, remove
from metadata.documents.reading import load_referrers, no_file, scan_rows
from metadata.errors import InternalError
from metadata.index.query import Query
from metadata.schemas.catalog import CATALOG

if TYPE_CHECKING:
    from types import ModuleType

    from metadata.documents.memory import MemoryDocuments


def test_a_row_without_a_body_needs_a_file() -> None:
    with pytest.raises(InternalError):
        no_file("chats/x.jsonl", 5, 10)


def test_a_scan_goes_on_over_pages_and_from_the_middle(memory: MemoryDocuments, make: ModuleType) -> None:
    records = [make.asset(number) for number in range(1203)]
    memory.apply([put("asset", record) for record in records])
    ask = memory._ask  # noqa: SLF001 - the pages are asked of it
    found = list(scan_rows(ask, CATALOG["asset"], 0, no_file))
    assert [stored.key for stored in found] == [record["id"] for record in records]
    rest = list(scan_rows(ask, CATALOG["asset"], found[599].seq, no_file))
    assert [stored.key for stored in rest] == [record["id"] for record in records[600:]]
    assert list(scan_rows(ask, CATALOG["asset"], found[-1].seq, no_file)) == []


def test_a_scan_sees_what_comes_and_not_what_went(memory: MemoryDocuments, make: ModuleType) -> None:
    records = [make.asset(number) for number in range(502)]
    memory.apply([put("asset", record) for record in records])
    seen = iter(memory.scan("asset"))
    first = [next(seen).key for _ in range(3)]
    memory.apply([remove("asset", records[501]["id"])])
    late = make.asset(1000)
    memory.apply([put("asset", late)])
    assert first + [stored.key for stored in seen] == [*(record["id"] for record in records[:501]), late["id"]]


def test_an_id_that_only_might_name_it_counts(memory: MemoryDocuments, make: ModuleType) -> None:
    who = make.character()
    untyped, typed = (
        make.asset(1, tags=[who["id"]]),
        make.asset(2, tags=[who["id"]], _tagTypes={who["id"]: "CHARACTER"}),
    )
    other = make.asset(3, tags=[who["id"]], _tagTypes={who["id"]: "PERSONA"})
    memory.apply([put("character", who)])
    memory.apply([put("asset", record, trusting=True) for record in (untyped, typed, other)])
    assert {by.key for by in memory.referrers("character", who["id"])} == {untyped["id"], typed["id"]}
    with memory._database.reading() as db:  # noqa: SLF001 - the question as it is put
        assert {by.key for by in load_referrers(db, "persona", who["id"])} == {untyped["id"], other["id"]}


def test_lists_count_what_they_leave_out(memory: MemoryDocuments, make: ModuleType) -> None:
    memory.apply([put("asset", make.asset(1))])
    assert memory.find("asset", Query()).unreadable == 0
    assert memory.find("asset", Query(limit=1)).next_cursor is None
