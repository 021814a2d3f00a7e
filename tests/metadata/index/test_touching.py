"""Changes to the index that say something of payloads, however they are made."""

from __future__ import annotations

from contextlib import closing, nullcontext
from typing import TYPE_CHECKING

import pytest

from metadata.errors import InternalError
from metadata.index.database import Database, connect, create
from metadata.index.projector import Projector, Source
from metadata.index.tables import column_of, statements, table_of
from metadata.index.touching import Touching
from metadata.schemas.catalog import CATALOG

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import ModuleType

ASSET, FACT, CHARACTER = CATALOG["asset"], CATALOG["fact"], CATALOG["character"]
MINE, OTHER = "ab" * 32, "cd" * 32
PLACE = Source("binaries/index.jsonl")


class Watched:
    """An index, and what was told of it transaction by transaction."""

    def __init__(self, path: Path) -> None:
        with closing(connect(path, bulk=True)) as db:
            create(db, statements(CATALOG), {})
        self.told: list[list[int]] = []
        self.database = Database(path, nullcontext, Touching(lambda touched: self.told.append(sorted(touched))))
        self.projector = Projector()

    def asset(self, make: ModuleType, digest: str, **changed: object) -> None:
        record = make.asset(
            **{
                "id": "00000000-0000-4000-8000-00000000000a",
                "sha256": digest,
                "url": f"/blobs/{digest}",
                "relativePath": "",
                **changed,
            }
        )
        with self.database.writing() as db:
            self.projector.upsert(db, ASSET, record["id"], record, PLACE)

    def character(self, make: ModuleType, text: str) -> None:
        record = make.character(id="00000000-0000-4000-8000-00000000000b", description=text)
        with self.database.writing() as db:
            self.projector.upsert(db, CHARACTER, record["id"], record, Source("characters/b.json"))


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    found = Watched(tmp_path / "index.sqlite3")
    yield found
    found.database.close()


def test_a_record_is_made_renamed_and_removed(watched: Watched, make: ModuleType) -> None:
    watched.asset(make, MINE)
    watched.asset(make, MINE, filename="another.png")
    with watched.database.writing() as db:
        watched.projector.remove(db, ASSET, "00000000-0000-4000-8000-00000000000a")
    assert watched.told == [[0xAB], [0xAB], [0xAB]]


def test_a_record_that_names_another_payload_says_something_of_both(watched: Watched, make: ModuleType) -> None:
    watched.asset(make, MINE)
    watched.asset(make, OTHER)
    assert watched.told == [[0xAB], [0xAB, 0xCD]]


def test_a_mention_counts_when_it_goes(watched: Watched, make: ModuleType) -> None:
    watched.character(make, f"see {MINE} and {OTHER}")
    assert watched.told == []
    watched.character(make, f"see {OTHER}")
    assert 0xAB in watched.told[0]
    with watched.database.writing() as db:
        watched.projector.forget_path(db, [CHARACTER], "characters/b.json")
    assert 0xCD in watched.told[-1]


def test_facts_count(watched: Watched) -> None:
    body = {"sha256": MINE, "size": 1, "mediaType": "image/png"}
    for step in range(2):
        with watched.database.writing() as db:
            watched.projector.upsert(db, FACT, MINE, {**body, "size": step}, Source("binaries/facts.jsonl"))
    with watched.database.writing() as db:
        watched.projector.remove(db, FACT, MINE)
    assert watched.told == [[0xAB]] * 3


def test_a_file_that_is_forgotten_takes_its_records_along(watched: Watched, make: ModuleType) -> None:
    watched.asset(make, MINE)
    with watched.database.writing() as db:
        watched.projector.forget_path(db, [ASSET], PLACE.path)
    assert watched.told == [[0xAB]] * 2


def test_what_is_undone_is_told_all_the_same(watched: Watched, make: ModuleType) -> None:
    """Too much told costs an answer made anew, too little tells what is not so."""

    def fail() -> None:
        with watched.database.writing() as db:
            watched.projector.upsert(db, ASSET, "a", make.asset(sha256=MINE), PLACE)
            raise InternalError("No.")

    with pytest.raises(InternalError):
        fail()
    assert watched.told == [[0xAB]]


def test_where_a_line_lies_says_nothing(watched: Watched, make: ModuleType) -> None:
    watched.asset(make, MINE)
    with watched.database.writing() as db:
        db.execute(f"UPDATE {table_of(ASSET)} SET offset = 7, length = 8, rev = 9")  # noqa: S608 - our own names
    assert watched.told == [[0xAB]]


def test_a_hash_that_is_none_is_passed_over(watched: Watched, make: ModuleType) -> None:
    watched.asset(make, MINE)
    with watched.database.writing() as db:
        db.execute(f"UPDATE {table_of(ASSET)} SET key = 'x', {column_of('sha256')} = 'none'")  # noqa: S608 - our own names
    assert watched.told == [[0xAB], [0xAB]]
