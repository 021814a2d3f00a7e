"""Chats' logs: no operation reads or writes a log as a whole, and nothing of a damaged one is lost."""

from __future__ import annotations

import gc
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from metadata.documents.json_files import JsonFiles
from metadata.errors import CalotypeError
from metadata.files.engine import FileEngine
from metadata.files.filesystem import FileSystem
from metadata.repositories.messages import MessagesRepository

if TYPE_CHECKING:
    from collections.abc import Callable

    from metadata.repositories.container import Repositories


class CountingFileSystem(FileSystem):
    """Counts the bytes that are read and written, and the syncs."""

    def __init__(self) -> None:
        self.read_bytes = self.written_bytes = self.syncs = 0

    def pread(self, descriptor: int, length: int, offset: int) -> bytes:
        data = super().pread(descriptor, length, offset)
        self.read_bytes += len(data)
        return data

    def pwrite(self, descriptor: int, data: bytes | memoryview, offset: int) -> int:
        taken = super().pwrite(descriptor, data, offset)
        self.written_bytes += taken
        return taken

    def fdatasync(self, descriptor: int) -> None:
        self.syncs += 1
        super().fdatasync(descriptor)


def say(store: Repositories, chat_id: str, *contents: str) -> list[str]:
    made = store.messages.append_many(chat_id, [{"role": "USER", "content": content} for content in contents])
    return [event.to_record()["id"] for event in made if not isinstance(event, CalotypeError)]


def contents(events: Any) -> list[str]:
    return [event.content for event in events]


def test_what_an_operation_costs_does_not_grow_with_the_log(store: Repositories, talk: Any, folder: Path) -> None:
    ids = say(store, talk.id, *("x" * 500 for _ in range(100)))
    store.close()
    costs = []
    for more in (0, 3000):
        fs = CountingFileSystem()
        documents = JsonFiles(FileEngine.open(folder, fs=fs))
        messages = MessagesRepository(documents)
        messages.append_many(talk.id, [{"role": "USER", "content": "x" * 500} for _ in range(more)])
        costs.append(_costs(messages, talk.id, ids[more % 7 : more % 7 + 3], fs))
        documents.close()
    for operation, small in costs[0].items():
        assert costs[1][operation] == pytest.approx(small, abs=600), operation
    assert costs[1]["page"] < 50 * 1000


def _costs(messages: MessagesRepository, chat_id: str, ids: list[str], fs: CountingFileSystem) -> dict[str, int]:
    """Return the bytes read and written by each operation."""
    messages.append(chat_id, {"role": "USER", "content": "x"})  # the first one of a process looks at the last write
    first = messages.page(chat_id)
    steps: dict[str, Callable[[], object]] = {
        "append": lambda: messages.append(chat_id, {"role": "USER", "content": "x" * 500}),
        "page": lambda: messages.page(chat_id),
        "page from the other end": lambda: messages.page(chat_id, order="oldest"),
        "next page": lambda: messages.page(chat_id, cursor=first.next_cursor),
        "get": lambda: messages.find(chat_id, ids[0]),
        "edit": lambda: messages.edit_message(chat_id, ids[0], lambda found: found.replaced(content="y")),
        "delete": lambda: messages.delete_message(chat_id, ids[1]),
        "swipe": lambda: messages.add_swipe(chat_id, ids[2], {"content": "z"}),
    }
    costs = {}
    for name, step in steps.items():
        before = fs.read_bytes + fs.written_bytes
        step()
        costs[name] = fs.read_bytes + fs.written_bytes - before
    return costs


def test_many_events_are_one_synced_write(store: Repositories, talk: Any, folder: Path) -> None:
    store.close()
    fs = CountingFileSystem()
    documents = JsonFiles(FileEngine.open(folder, fs=fs))
    MessagesRepository(documents).append_many(talk.id, [{"role": "USER", "content": "a"} for _ in range(100)])
    assert fs.syncs == 1
    documents.close()


def test_cursors_outlive_the_index_and_a_compaction(store: Repositories, talk: Any) -> None:
    other = store.chats.create(
        title="o", character_id=talk.character_id, connection_profile_id=talk.connection_profile_id
    )
    for number in range(6):
        say(store, other.id, f"o{number}")
        say(store, talk.id, f"m{number}")
    page = store.messages.page(talk.id, limit=2)
    store.documents.rebuild()  # type: ignore[attr-defined] # it is over files
    assert contents(store.messages.page(talk.id, limit=2, cursor=page.next_cursor).items) == ["m3", "m2"]
    store.messages.delete_message(talk.id, page.items[0].to_record()["id"])
    store.documents.compact()
    assert contents(store.messages.page(talk.id, limit=2, cursor=page.next_cursor).items) == ["m3", "m2"]
    assert store.chats.get(talk.id).message_count == 5
    assert contents(store.messages.find_by_chat_id(talk.id)) == [f"m{number}" for number in range(5)]


def test_a_compacted_log_is_the_originals_shape(store: Repositories, talk: Any, folder: Path) -> None:
    first, second, third = say(store, talk.id, "a", "b", "c")
    store.messages.edit_message(talk.id, first, lambda found: found.replaced(content="A"))
    store.messages.delete_message(talk.id, second)
    store.documents.compact()
    lines = [json.loads(line) for line in (folder / f"chats/{talk.id}.jsonl").read_text().splitlines()]
    assert [(line["id"], line["content"]) for line in lines] == [(first, "A"), (third, "c")]
    assert {name for line in lines for name in line if name.startswith("_")} == {"_crc"}
    (chat,) = [json.loads(line) for line in (folder / "chats/index.jsonl").read_text().splitlines()]
    assert chat["messageCount"] == 2
    assert list(chat)[-4:] == ["lastMessageAt", "createdAt", "updatedAt", "_crc"]


def test_events_of_unknown_types_and_without_ids_are_passed_through(
    store: Repositories, talk: Any, folder: Path
) -> None:
    say(store, talk.id, "a")
    with (folder / f"chats/{talk.id}.jsonl").open("a") as log:
        log.write('{"type":"dice-roll","sides":20}\n')
    say(store, talk.id, "b")
    page = store.messages.page(talk.id)
    assert [event.to_record()["type"] for event in page.items] == ["message", "dice-roll", "message"]
    assert page.total == 3
    assert store.chats.get(talk.id).message_count == 2


def test_a_damaged_line_hides_no_other_and_is_counted(store: Repositories, talk: Any, folder: Path) -> None:
    for content in ("aaaa", "bbbb", "cccc"):
        say(store, talk.id, content)
    path = folder / f"chats/{talk.id}.jsonl"
    path.write_bytes(path.read_bytes().replace(b'"bbbb"', b'"bb\x00b"'))
    page = store.messages.page(talk.id)
    assert contents(page.items) == ["cccc", "aaaa"]
    assert page.unreadable == 1
    store.documents.rebuild()  # type: ignore[attr-defined] # it is over files
    assert contents(store.messages.page(talk.id).items) == ["cccc", "aaaa"]


def test_a_log_that_another_process_writes_is_seen_at_once(store: Repositories, talk: Any, folder: Path) -> None:
    say(store, talk.id, "a")
    child = os.fork()
    if child == 0:
        own = MessagesRepository(JsonFiles(FileEngine.open(folder)))
        own.append(talk.id, {"role": "USER", "content": "b"})
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert contents(store.messages.page(talk.id).items) == ["b", "a"]
    assert store.chats.get(talk.id).message_count == 2


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="the system does not list a process's open files")
def test_many_chats_keep_few_files_open(store: Repositories, talk: Any) -> None:
    shared = {"character_id": talk.character_id, "connection_profile_id": talk.connection_profile_id}
    made = store.chats.create_many([{"title": "t", **shared} for _ in range(400)])
    gc.disable()
    before = len(list(Path("/proc/self/fd").iterdir()))
    try:
        for chat in made:
            assert not isinstance(chat, CalotypeError)
            say(store, chat.id, "a")
        assert len(list(Path("/proc/self/fd").iterdir())) - before < 400
    finally:
        gc.enable()
