"""Events on their way into a store: what is here stays, what came with less is completed, reports stay short."""

from __future__ import annotations

from typing import Any

import pytest

from assets.transfer.events import LISTED, Events, summed, told
from assets.transfer.report import Item, Status
from metadata.documents.memory import MemoryDocuments
from metadata.errors import BusyError, CalotypeError

CHAT = "eccbc87e-4b5c-4e2f-a828-308fd9f2a7ba"


def event(number: int, content: str = "", attachments: tuple[str, ...] = ()) -> dict[str, Any]:
    one = {"type": "message", "id": f"00000000-0000-4000-8000-{number:012d}", "chatId": CHAT, "role": "USER"}
    return {**one, "content": content, "attachments": list(attachments), "createdAt": "2025-11-22T09:30:00.000Z"}


def events(documents: MemoryDocuments, *, dry_run: bool = False) -> Events:
    return Events(documents, lambda left, right: left["content"] == right["content"], dry_run=dry_run)


@pytest.mark.parametrize("dry_run", [False, True])
def test_what_is_here_is_never_written_over(*, dry_run: bool) -> None:
    documents = MemoryDocuments()
    assert events(documents).put([event(1, "a"), event(2, "b")]) == [Status.IMPORTED] * 2
    wanted = [event(1, "a"), event(2, "other"), event(3)]
    answers = events(documents, dry_run=dry_run).put(wanted)
    assert answers == [Status.SAME, Status.SKIPPED, Status.IMPORTED]
    kept = documents.get("message", f"{CHAT}/{event(2)['id']}")
    assert kept is not None
    assert kept.body["content"] == "b"
    assert (documents.get("message", f"{CHAT}/{event(3)['id']}") is None) is dry_run


def test_an_event_that_came_without_a_picture_gets_it() -> None:
    documents = MemoryDocuments()
    one, two = event(8)["id"], event(9)["id"]
    events(documents).put([event(1, "a", (one,))])
    assert events(documents).put([event(1, "a", (one, two))]) == [Status.IMPORTED]
    assert events(documents).put([event(1, "a", (one,))]) == [Status.SAME]
    stored = documents.get("message", f"{CHAT}/{event(1)['id']}")
    assert stored is not None
    assert stored.body["attachments"] == [one, two]


def test_a_store_that_is_busy_fails_them_all() -> None:
    class Busy(MemoryDocuments):
        def each(self, changes: Any) -> Any:
            del changes
            raise BusyError("Somebody else is writing.")

    answers = events(Busy()).put([event(1), event(2)])
    assert all(isinstance(answer, CalotypeError) for answer in answers)
    assert told("a:1", answers[0]).status is Status.FAILED
    assert told("a:1", Status.SKIPPED).why != ""
    assert told("a:1", Status.SAME, "id", ["note"]).notes == ("note",)


def test_a_long_report_is_summed_up() -> None:
    items = [Item("message", Status.FAILED, f"a:{n}", why="damaged") for n in range(LISTED + 5)]
    found = list(summed(iter([*items, Item("message", Status.IMPORTED, "a:0")]), "a", "there", "here"))
    assert len(found) == LISTED + 2
    assert [(item.status, item.count, item.new_id) for item in found[-2:]] == [
        (Status.FAILED, 5, "here"),
        (Status.IMPORTED, 1, "here"),
    ]
