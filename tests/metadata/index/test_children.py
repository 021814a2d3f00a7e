"""What the index says of logs: their counts, and the members of their parents that follow from them."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

import pytest

from metadata.index import children
from metadata.index.database import create
from metadata.index.projector import Projector, Source
from metadata.index.tables import statements
from metadata.schemas.catalog import CATALOG

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

    from metadata.documents.contract import Record

MESSAGE, CHAT = CATALOG["message"], CATALOG["chat"]


class Index:
    """An index in memory with one chat."""

    def __init__(self, make: ModuleType) -> None:
        self.db = sqlite3.connect(":memory:", isolation_level=None)
        create(self.db, statements(CATALOG), {})
        self.projector = Projector()
        self.chat: Record = make.chat(make.new_id())
        self.id = str(self.chat["id"])
        self.path = f"chats/{self.id}.jsonl"
        self.projector.upsert(self.db, CHAT, self.id, self.chat, Source("chats/index.jsonl"))

    def write(self, record: Record, *, settle: bool = True) -> None:
        """Project a line of the chat's log."""
        self.projector.upsert(self.db, MESSAGE, f"{self.id}/{record['id']}", record, Source(self.path))
        if settle:
            self.projector.settle(self.db, MESSAGE, self.path)

    def said(self) -> tuple[object, object]:
        """Return what the chat's row says, in its body and in its columns alike."""
        sql = "SELECT body ->> '$.messageCount', body ->> '$.lastMessageAt', \"c_messageCount\", \"c_lastMessageAt\""
        count, last, count_column, last_column = self.db.execute(f"{sql} FROM k_chat").fetchone()
        assert (count_column, last_column) == (count if count is not None else "", last or "")
        return count, last


@pytest.fixture
def index(make: ModuleType) -> Iterator[Index]:
    """The index."""
    found = Index(make)
    yield found
    found.db.close()


def test_the_kinds_that_have_logs() -> None:
    assert children.parent_of(MESSAGE) == "chat"
    assert children.parent_of(CHAT) is None
    assert children.children_of(CATALOG, "chat") == [MESSAGE]
    assert children.children_of(CATALOG, "tag") == []
    assert children.log_of(MESSAGE, "x") == "chats/x.jsonl"


def test_messages_count_and_nothing_else_does(index: Index, make: ModuleType) -> None:
    assert index.said() == (0, None)
    first = make.message(index.id, createdAt="2026-01-01T00:00:01.000Z")
    index.write(first)
    index.write({**make.message(index.id), "type": "context-summary", "createdAt": "2026-01-01T00:00:09.000Z"})
    assert index.said() == (1, "2026-01-01T00:00:01.000Z")
    assert children.events_in(index.db, index.path) == 2
    index.write({**first, "content": "edited"})
    assert index.said() == (1, "2026-01-01T00:00:01.000Z")
    index.write({**first, "type": "dice-roll"})
    assert index.said() == (0, None)
    assert children.events_in(index.db, index.path) == 2


def test_the_last_message_is_the_one_that_stands_last(index: Index, make: ModuleType) -> None:
    early, late = (make.message(index.id, createdAt=f"2026-01-01T00:00:0{n}.000Z") for n in (1, 2))
    index.write(late)
    index.write(early)
    assert index.said() == (2, early["createdAt"])
    index.projector.bury(index.db, MESSAGE, f"{index.id}/{early['id']}", Source(index.path), "t", None)
    index.projector.settle(index.db, MESSAGE, index.path)
    assert index.said() == (1, late["createdAt"])


def test_a_parent_that_comes_after_its_log_is_right_at_once(index: Index, make: ModuleType) -> None:
    index.projector.remove(index.db, CHAT, index.id)
    message = make.message(index.id)
    index.write(message)
    index.projector.upsert(index.db, CHAT, index.id, {**index.chat, "messageCount": 7}, Source("chats/index.jsonl"))
    assert index.said() == (1, message["createdAt"])


def test_a_log_that_is_forgotten_leaves_nothing(index: Index, make: ModuleType) -> None:
    for number in range(3):
        index.write(make.message(index.id, f"see {make.sha(number)}", attachments=[make.new_id()]))
    index.projector.forget_path(index.db, [MESSAGE], index.path)
    assert index.said() == (0, None)
    for table in ("k_message", "f_message", "children", "mentions", "refs WHERE src_kind = 'message'"):
        assert index.db.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)  # noqa: S608 - fixed names
    assert index.db.execute("SELECT sum(n) FROM counts WHERE kind = 'message'").fetchone() == (0,)
