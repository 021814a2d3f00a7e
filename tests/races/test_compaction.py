"""A log that is compacted again and again while one process writes to it and another reads it: nobody notices."""

from __future__ import annotations

import os
import sys
import time
import traceback
from typing import TYPE_CHECKING, Any

import pytest

from metadata.errors import CalotypeError
from metadata.repositories.container import Repositories
from metadata.store import JsonStore

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

MESSAGES = 300
DEADLINE_S = 120


def opened(folder: Path) -> Repositories:
    return Repositories(JsonStore(folder, lock_timeout=60_000, durability="none"))


def in_a_process(work: Callable[[], None]) -> int:
    child = os.fork()
    if child == 0:
        status = 1
        try:
            work()
            status = 0
        except BaseException:  # noqa: BLE001 - a child must not go on as if it were the test run
            traceback.print_exc()
            sys.stderr.flush()
        finally:
            os._exit(status)
    return child


def ids(events: list[Any]) -> list[str]:
    return [event.to_record()["id"] for event in events if not isinstance(event, CalotypeError)]


@pytest.mark.heavy
@pytest.mark.timeout(600)
def test_a_reader_and_a_writer_go_on_while_their_log_is_compacted(tmp_path: Path, scale: int) -> None:
    store = opened(tmp_path)
    profile = store.connections.create(name="c", provider="X", model_name="m").id
    who = store.characters.create(name="n", description="d", personality="p", scenario="s", first_message="f").id
    chat = store.chats.create(title="t", character_id=who, connection_profile_id=profile).id
    said = ids(store.messages.append_many(chat, ({"role": "USER", "content": f"{n}"} for n in range(MESSAGES))))
    store.close()
    done = tmp_path.parent / f"{tmp_path.name}-done"

    def write() -> None:
        own = opened(tmp_path)
        for number in range(120 * scale):
            key = said[number % MESSAGES]
            own.messages.edit_message(chat, key, lambda event: event.replaced(content=event.content + "+"))  # type: ignore[attr-defined] # a message's
            if number % 10 == 0:
                own.messages.append(chat, {"role": "USER", "content": "more"})
        own.close()
        done.touch()

    def read() -> None:
        own, finished = opened(tmp_path), time.monotonic() + DEADLINE_S * scale
        while not done.exists():
            assert time.monotonic() < finished
            page = own.messages.page(chat, order="oldest", limit=100)
            assert ids(page.items) == said[:100]
            assert page.unreadable == 0
            assert own.messages.get(f"{chat}/{said[200]}").to_record()["content"].rstrip("+") == "200"
        own.close()

    children = [in_a_process(write), in_a_process(read)]
    store, rounds, finished = opened(tmp_path), 0, time.monotonic() + DEADLINE_S * scale
    while not done.exists():
        assert time.monotonic() < finished
        store.documents.compact()
        rounds += 1
    assert [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children] == [0, 0]
    assert rounds > 1
    contents = [event.to_record()["content"] for event in store.messages.find_by_chat_id(chat)]
    assert sum(text.count("+") for text in contents) == 120 * scale, "no edit was lost"
    assert len(contents) == MESSAGES + 12 * scale
    store.close()
