"""What is hidden while a great removal is carried out; `documents/test_retiring.py` sees it from outside."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from metadata.index import gone
from metadata.index.database import connect, create
from metadata.index.gone import Gone
from metadata.index.tables import statements
from metadata.schemas.catalog import CATALOG

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator


@pytest.fixture
def db() -> Iterator[sqlite3.Connection]:
    """An index in memory."""
    with closing(connect(None)) as connection:
        create(connection, statements(CATALOG), {})
        yield connection


def hide(db: sqlite3.Connection, intent: str, kind: str, key: str, heir: str = "") -> None:
    gone.hide(db, intent, [(kind, key)], (kind, key), Gone(forced=False, heir=heir))


def test_heirs_are_followed_to_the_last_and_a_ring_ends(db: sqlite3.Connection) -> None:
    hide(db, "1", "tag", "a", "b")
    hide(db, "2", "tag", "b", "c")
    found = gone.targets(db, ["a"])
    assert set(found) == {("tag", "a"), ("tag", "b")}
    assert gone.heir_of(found, "tag", "a") == "c"
    assert gone.aliases(db, "c") == ["c", "b", "a"]
    assert gone.aliases(db, "a") == []
    hide(db, "3", "tag", "c", "a")
    assert gone.heir_of(gone.targets(db, ["a"]), "tag", "a") is None


def test_a_chat_hides_its_log(db: sqlite3.Connection) -> None:
    hide(db, "1", "chat", "x")
    assert gone.is_gone(db, CATALOG["chat"], "x")
    assert gone.is_gone(db, CATALOG["message"], "x/1")
    assert not gone.is_gone(db, CATALOG["message"], "y/1")
    assert gone.logs(db, "1") == ("x", "chats/x.jsonl")
    gone.log_gone(db, "1", "chats/x.jsonl")
    assert gone.logs(db, "1") is None
    assert gone.is_gone(db, CATALOG["message"], "x/1")


def test_two_removals_of_one_record_are_the_first_one_s(db: sqlite3.Connection) -> None:
    hide(db, "1", "tag", "a")
    hide(db, "2", "tag", "a")
    assert gone.intents_in(db) == {"1"}
    gone.show(db, "1")
    assert not gone.any_gone(db)


def test_what_refers_goes_before_what_is_referred_to() -> None:
    assert gone.rank("asset") < gone.rank("chat") < gone.rank("character") < gone.rank("user")


def test_an_answer_is_of_one_moment_where_something_is_hidden(db: sqlite3.Connection) -> None:
    with gone.seeing(db) as going:
        assert (going, db.in_transaction) == (False, False)
    hide(db, "1", "tag", "a")
    with gone.seeing(db) as going:
        assert (going, db.in_transaction) == (True, True)
        with gone.seeing(db) as within:
            assert within
    assert not db.in_transaction
