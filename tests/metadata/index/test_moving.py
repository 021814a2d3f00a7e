"""Rows whose lines went elsewhere; `documents/test_compaction.py` compares them with those of a fresh index."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from metadata.index.database import connect, create
from metadata.index.moving import drop_tombstones, live_rows, move, place_of
from metadata.index.projector import Projector, Source
from metadata.index.state import Problem, load_problems, save_problem
from metadata.index.tables import statements
from metadata.schemas.catalog import CATALOG

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator
    from types import ModuleType

ASSET, MESSAGE = CATALOG["asset"], CATALOG["message"]
PATH = "binaries/index.jsonl"


@pytest.fixture
def db() -> Iterator[sqlite3.Connection]:
    """An index in memory, in a transaction."""
    with closing(connect(None)) as connection:
        create(connection, statements(CATALOG), {})
        connection.execute("BEGIN")
        yield connection


def filled(db: sqlite3.Connection, make: ModuleType) -> list[str]:
    records = [make.asset(number) for number in range(2)]
    for number, record in enumerate(records):
        Projector().upsert(db, ASSET, record["id"], record, Source(PATH, 100 * (number + 1), 100, 4))
    return [record["id"] for record in records]


def test_rows_and_findings_go_where_their_lines_went(db: sqlite3.Connection, make: ModuleType) -> None:
    first, second = filled(db, make)
    for place in (100, 200, 300):
        save_problem(db, Problem(PATH, place, "asset", str(place), "altered", "r"))
    assert move(db, ASSET, PATH, [(200, 100, 50, True), (100, 200, 60, False)])
    rows = db.execute('SELECT key, offset, length, rev FROM "k_asset" ORDER BY offset').fetchall()
    assert rows == [(second, 100, 50, 0), (first, 200, 60, 4)]
    assert sorted((one.place, one.key) for one in load_problems(db)) == [(100, "200"), (200, "100")]
    assert place_of(db, ASSET, second, 200) == (100, 50)
    assert place_of(db, ASSET, second, 100) is None
    assert live_rows(db, ASSET, PATH) == 2


def test_a_row_whose_line_is_not_among_the_moved_ones_is_told(db: sqlite3.Connection, make: ModuleType) -> None:
    filled(db, make)
    assert not move(db, ASSET, PATH, [(100, 0, 50, True)])


def test_a_record_that_is_named_by_its_place_is_told(db: sqlite3.Connection, make: ModuleType) -> None:
    chat = make.new_id()
    path = f"chats/{chat}.jsonl"
    Projector().upsert(db, MESSAGE, f"{chat}/@5", {"type": "odd"}, Source(path, 5, 10))
    assert not move(db, MESSAGE, path, [(5, 0, 10, False)])


def test_a_tombstone_goes_with_its_own_line_alone(db: sqlite3.Connection, make: ModuleType) -> None:
    del make
    for key, rev in (("a", 1), ("b", 2)):
        Projector().bury(db, ASSET, key, Source(PATH, rev=rev), "2026-01-01T00:00:00.000Z", None)
    drop_tombstones(db, ASSET, [("a", 1), ("b", 1)])
    assert [key for (key,) in db.execute("SELECT key FROM tombstones")] == ["b"]
