"""From records to rows and back to nothing."""

from __future__ import annotations

import json
import sqlite3
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metadata.index.projector import (
    Projector,
    Reference,
    Source,
    mentions_of,
    owner_of,
    references_of,
    unique_values,
)
from metadata.index.tables import SHARED, statements
from metadata.index.values import column_value
from metadata.schemas.catalog import CATALOG

if TYPE_CHECKING:
    from types import ModuleType

    from metadata.index.database import Database

HASH = "ab" * 32
ASSET, TAG, CHARACTER = CATALOG["asset"], CATALOG["tag"], CATALOG["character"]


def content(db: sqlite3.Connection) -> dict[str, list[tuple[object, ...]]]:
    """Everything in the index that says something of records."""
    tables = [row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    kept = [name for name in tables if name.startswith(("k_", "f_")) and "_" not in name[2:]]
    found = {name: sorted(db.execute(f'SELECT * FROM "{name}"').fetchall(), key=repr) for name in kept}  # noqa: S608 - names from the schema
    for name in ("refs", "mentions", "uniques", "tombstones"):
        found[name] = sorted(db.execute(f"SELECT * FROM {name}").fetchall(), key=repr)  # noqa: S608 - fixed names
    found["counts"] = sorted(db.execute("SELECT * FROM counts WHERE n <> 0").fetchall())
    return found


def test_references_are_listed_once_each_with_their_kind_and_without_the_owner(make: ModuleType) -> None:
    record = make.asset(tags=["t1", "c1", "t1"], _tagTypes={"c1": "CHARACTER"}, chatId="x")
    assert references_of(ASSET, record) == [
        Reference("chatId", "chat", "x"),
        Reference("tags", "tag", "t1"),
        Reference("tags", "character", "c1"),
    ]
    assert {ref.kind for ref in references_of(ASSET, make.asset(tags=["t1"]))} == {""}


@pytest.mark.parametrize(
    "text",
    [
        *("/blobs/{}", "“{}”", "é{}", "{}é", "a\b{}", "\f{}\n", "\x1b{}", "\ud83d{}", "魔{}法", "x\\{}", '"{}"'),
        *("/show?image=%2fblobs%2f{}%2fthumb", "{}%20", "100%{}", "%{}%"),
    ],
)
def test_a_hash_is_found_whatever_stands_beside_it(make: ModuleType, text: str) -> None:
    """Escapes of JSON end in hexadecimal digits: a scan of the escaped text would take them for a part of the run."""
    found = mentions_of(CHARACTER, make.character(sillyTavernData={"deep": [{"any": text.format(HASH)}]}))
    assert found == {HASH}


@pytest.mark.parametrize("text", ["a{}", "{}0", HASH[:-1], HASH.upper()])
def test_a_longer_shorter_or_upper_case_run_is_no_hash(make: ModuleType, text: str) -> None:
    assert mentions_of(CHARACTER, make.character(avatarUrl=text.format(HASH))) == set()


def test_a_hash_in_a_name_of_a_member_counts_and_the_record_s_own_does_not(make: ModuleType) -> None:
    assert mentions_of(CHARACTER, make.character(sillyTavernData={HASH: 1})) == {HASH}
    record = make.asset(5, filename=f"{make.sha(5)} {HASH}")
    assert mentions_of(ASSET, record) == {HASH}
    assert mentions_of(CATALOG["accessToken"], make.access_token(1)) == set()


def test_a_unique_rule_counts_only_when_all_of_it_is_there(make: ModuleType) -> None:
    record = make.tag("Wald")
    assert list(unique_values(TAG, record)) == [("userId+nameLower", json.dumps([make.USER, "wald"]))]
    assert list(unique_values(TAG, {**record, "nameLower": None})) == []
    assert owner_of(TAG, record) == make.USER
    assert owner_of(CATALOG["fact"], {"sha256": HASH}) == ""


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(), st.lists))
def test_every_json_value_has_a_column_value_that_sqlite_takes(database_of_one_column: Any, value: object) -> None:
    assert column_value(value) is not None
    database_of_one_column.execute("INSERT INTO c VALUES(?)", (column_value(value),))


def test_numbers_too_large_for_sqlite_stay_in_order() -> None:
    values = [column_value(value) for value in (-(10**30), -1, 0, 1, 10**30)]
    assert values == sorted(values, key=float)
    assert column_value(True) == 1  # noqa: FBT003 - the value is the argument


@pytest.fixture(scope="module")
def database_of_one_column() -> Any:
    db = sqlite3.connect(":memory:")
    db.execute("CREATE TABLE c(x NOT NULL)")
    yield db
    db.close()


def test_a_record_that_goes_leaves_no_row(database: Database, make: ModuleType) -> None:
    projector = Projector()
    with database.writing() as db:
        before = content(db)
        record = make.asset(tags=[make.new_id()], generationPrompt=f"see {HASH}")
        projector.upsert(db, ASSET, record["id"], record, Source("binaries/index.jsonl"))
        assert content(db) != before
        assert projector.remove(db, ASSET, record["id"]) > 0
        assert content(db) == before
        assert projector.remove(db, ASSET, record["id"]) == 0


def test_writing_twice_is_writing_once_and_the_position_stays(database: Database, make: ModuleType) -> None:
    projector = Projector()
    first, second = make.asset(1), make.asset(2)
    with database.writing() as db:
        place = projector.upsert(db, ASSET, first["id"], first, Source("p"))
        projector.upsert(db, ASSET, second["id"], second, Source("p"))
        once = content(db)
        assert projector.upsert(db, ASSET, first["id"], first, Source("p")) == place
        assert content(db) == once
        moved = {**first, "userId": make.OTHER, "tags": ["t"], "filename": HASH}
        assert projector.upsert(db, ASSET, first["id"], moved, Source("p")) == place
        projector.upsert(db, ASSET, first["id"], first, Source("p"))
        assert content(db) == once


def test_a_record_comes_back_to_its_old_place_though_others_came_meanwhile(
    database: Database, make: ModuleType
) -> None:
    projector = Projector()
    gone, other = make.asset(1), make.asset(2)
    with database.writing() as db:
        place = projector.upsert(db, ASSET, gone["id"], gone, Source("p"))
        projector.bury(db, ASSET, gone["id"], Source("p", rev=1), make.T0, gone)
        assert projector.upsert(db, ASSET, other["id"], other, Source("p")) != place
        assert projector.upsert(db, ASSET, gone["id"], gone, Source("p", rev=2)) == place
        assert db.execute("SELECT count(*) FROM tombstones").fetchone() == (0,)


def test_a_tombstone_over_a_tombstone_keeps_the_place(database: Database, make: ModuleType) -> None:
    projector = Projector()
    gone = make.asset(1)
    with database.writing() as db:
        place = projector.upsert(db, ASSET, gone["id"], gone, Source("p"))
        projector.bury(db, ASSET, gone["id"], Source("p", rev=1), make.T0, gone)
        projector.bury(db, ASSET, gone["id"], Source("p", rev=2), make.T0, None)
        assert projector.upsert(db, ASSET, gone["id"], gone, Source("p", rev=3)) == place


def test_forgetting_a_file_forgets_all_that_came_from_it(database: Database, make: ModuleType) -> None:
    projector = Projector()
    with database.writing() as db:
        stays = make.asset(9)
        projector.upsert(db, ASSET, stays["id"], stays, Source("other"))
        before = content(db)
        for number in range(3):
            record = make.asset(number)
            projector.upsert(db, ASSET, record["id"], record, Source("p"))
        projector.bury(db, ASSET, record["id"], Source("p", rev=1), make.T0, record)
        projector.forget_path(db, [ASSET], "p")
        assert content(db) == before


def test_bodies_of_messages_stay_in_their_file_unless_told(database: Database, make: ModuleType) -> None:
    record = make.message(make.new_id())
    key = f"{record['chatId']}/{record['id']}"
    for projector, kept in ((Projector(), False), (Projector(all_bodies=True), True)):
        with database.writing() as db:
            projector.upsert(db, CATALOG["message"], key, record, Source("p", 5, 10))
            (body,) = db.execute("SELECT body FROM k_message").fetchone()
            assert (body is not None) is kept


def test_the_shared_tables_are_part_of_every_index() -> None:
    assert len(statements({})) == SHARED.count(";")
