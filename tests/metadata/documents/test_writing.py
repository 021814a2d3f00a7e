"""Where changes go: one write for one file, a note for several, and a log that goes as a whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from metadata.documents.contract import ANY, Change, drop, put, remove
from metadata.documents.json_files import JsonFiles
from metadata.errors import CalotypeError, ConflictError, InvalidError, NotFoundError
from metadata.files.engine import FileEngine
from metadata.files.filesystem import FileSystem
from metadata.index.query import Query

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import ModuleType


class Syncs(FileSystem):
    """Counts the syncs of files."""

    def __init__(self) -> None:
        self.count = 0

    def fsync(self, descriptor: int) -> None:
        self.count += 1
        super().fsync(descriptor)

    def fdatasync(self, descriptor: int) -> None:
        self.count += 1
        super().fdatasync(descriptor)


@pytest.fixture
def fs() -> Syncs:
    """The counter."""
    return Syncs()


@pytest.fixture
def documents(tmp_path: Path, fs: Syncs) -> Iterator[JsonFiles]:
    """Plain files."""
    opened = JsonFiles(FileEngine.open(tmp_path / "data", fs=fs))
    yield opened
    opened.close()


def talk(documents: JsonFiles, make: ModuleType, messages: int = 0) -> str:
    """Store a chat with messages and return its id."""
    character = make.character()
    chat = make.chat(character["id"])
    documents.apply([put("character", character)])
    documents.apply([put("chat", chat)])
    documents.each([put("message", make.message(chat["id"], str(number))) for number in range(messages)])
    return str(chat["id"])


@pytest.mark.parametrize("kind", ["tag", "asset"])
def test_many_changes_to_one_file_are_one_write(documents: JsonFiles, fs: Syncs, make: ModuleType, kind: str) -> None:
    makers: dict[str, Any] = {"tag": lambda n: make.tag(f"n{n}"), "asset": make.asset}
    documents.apply([put(kind, makers[kind](0))])
    before = fs.count
    made = documents.each([put(kind, makers[kind](number)) for number in range(1, 50)])
    assert not [one for one in made if isinstance(one, CalotypeError)]
    assert fs.count - before <= 2
    assert documents.find(kind, Query(limit=500)).total == 50


def test_each_change_is_judged_with_those_before_it(documents: JsonFiles, make: ModuleType) -> None:
    first, twin = make.tag("A"), make.tag("a")
    who = make.character(tags=[first["id"]])
    steps = [
        put("tag", first),
        put("tag", twin),
        put("character", who),
        remove("tag", make.new_id()),
        put("tag", first),
    ]
    kinds = [type(one).__name__ for one in documents.each(steps)]
    assert kinds == ["Stored", "ConflictError", "Stored", "NotFoundError", "ConflictError"]
    gone = documents.each([remove("tag", first["id"])])
    assert gone == [None]
    assert documents.each([]) == []


def test_an_error_of_anothers_change_is_not_mine_in_a_log(documents: JsonFiles, make: ModuleType) -> None:
    chat = talk(documents, make)
    good, lost = make.message(chat), make.message(make.new_id())
    made = documents.each([put("message", good), put("message", lost), put("message", good)])
    assert [type(one) for one in made[1:]] == [InvalidError, ConflictError]
    assert documents.find("message", Query(filter={"chatId": chat})).total == 1


def test_a_log_goes_as_a_whole_and_again_is_no_error(documents: JsonFiles, make: ModuleType, tmp_path: Path) -> None:
    chat, other = talk(documents, make, 5), talk(documents, make, 2)
    assert documents.apply([drop("message", chat)]) == [None]
    assert documents.apply([drop("message", chat)]) == [None]
    assert not (tmp_path / f"data/chats/{chat}.jsonl").exists()
    assert documents.find("message", Query(filter={"chatId": chat})).items == []
    assert [stored.body["chatId"] for stored in documents.scan("message")] == [other, other]
    documents.apply([put("message", make.message(chat))])
    assert documents.find("message", Query(filter={"chatId": chat})).total == 1


def test_a_log_goes_with_other_changes_or_not_at_all(documents: JsonFiles, make: ModuleType) -> None:
    chat = talk(documents, make, 3)

    def refuse(_: object) -> None:
        raise InvalidError("no")

    with pytest.raises(InvalidError):
        documents.apply([drop("message", chat), Change("chat", chat, refuse, ANY)])
    assert documents.find("message", Query(filter={"chatId": chat})).total == 3
    documents.apply([drop("message", chat), remove("chat", chat)])
    assert documents.get("chat", chat) is None
    assert list(documents.scan("message")) == []


def test_a_parent_that_names_no_log(documents: JsonFiles) -> None:
    with pytest.raises(NotFoundError):
        documents.apply([drop("message", "../../etc")])
    assert documents.find("message", Query(filter={"chatId": "../../etc"})).items == []


def test_a_further_users_file_goes_with_its_user(documents: JsonFiles, make: ModuleType, tmp_path: Path) -> None:
    first, other = make.user("a@example.org"), make.user("b@example.org")
    for user in (first, other):
        settings = {"id": make.new_id(), "userId": user["id"], **make.DATES}
        documents.apply([put("user", user), put("chatSettings", settings)])
    path = tmp_path / f"data/settings/users/{other['id']}.json"
    (settings_key,) = [found.key for found in documents.scan("chatSettings") if found.body["userId"] == other["id"]]
    documents.apply([remove("user", other["id"])])
    assert path.exists()
    documents.apply([remove("chatSettings", settings_key)])
    assert not path.exists()
