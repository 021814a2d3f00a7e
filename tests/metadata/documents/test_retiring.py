"""Removals that are decided at once and carried out bit by bit: what is seen in between, and by whom."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from metadata.documents import cleaning, retiring
from metadata.documents.contract import ANY, Change, Referrer, put, remove
from metadata.documents.json_files import JsonFiles
from metadata.errors import BusyError, ConflictError, FullError, InvalidError, NotFoundError, StaleError
from metadata.files.engine import FileEngine
from metadata.index.query import Query
from metadata.references import remove as removed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from types import ModuleType


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take two references for much already."""
    monkeypatch.setattr(retiring, "AT_ONCE", 1)
    monkeypatch.setattr(retiring, "AWAITED", 0)
    monkeypatch.setattr(cleaning, "CHUNK", 2)
    monkeypatch.setattr(cleaning, "ROWS", 2)


@pytest.fixture
def lazy(root: Path) -> Iterator[JsonFiles]:
    """A store that leaves what it decided to be carried out."""
    store = JsonFiles(FileEngine.open(root), hand_over=lambda: None)
    yield store
    store.close()


def tags_of(store: JsonFiles, kind: str, query: Query | None = None) -> list[Any]:
    return [found.body["tags"] for found in store.find(kind, query or Query()).items]


def carried(store: JsonFiles, make: ModuleType) -> tuple[str, list[str]]:
    """Store a tag and records of two kinds that carry it; return its id, and those of the assets."""
    label = make.tag("shared")
    assets = [make.asset(number, tags=[label["id"]]) for number in range(5)]
    store.apply([put("tag", label)])
    store.each([put("asset", each) for each in assets])
    store.each([put("character", make.character(tags=[label["id"]]), trusting=True)])
    return label["id"], [each["id"] for each in assets]


def unfinished(root: Path) -> int:
    return len(list((root / "intents").glob("*.json")))


def test_a_tag_is_gone_from_every_answer_at_once_and_for_every_process(
    lazy: JsonFiles, root: Path, make: ModuleType, rebuilt_differs: Callable[[Path], object]
) -> None:
    tag, assets = carried(lazy, make)
    other = JsonFiles(FileEngine.open(root), hand_over=lambda: None)
    other.find("asset", Query())
    removed(lazy, "tag", tag)
    assert tag in (root / "binaries/index.jsonl").read_text(), "nothing is cleaned yet"
    third = JsonFiles(FileEngine.open(root), hand_over=lambda: None)
    for store in (lazy, other, third):
        assert store.get("tag", tag) is None
        assert tags_of(store, "asset") == [[]] * 5
        assert tags_of(store, "character") == [[]]
        assert [found.body["tags"] for found in store.scan("asset")] == [[]] * 5
        assert [found.body["tags"] for found in store.many("asset", assets).values()] == [[]] * 5
        found = store.get("asset", assets[0])
        assert found is not None
        assert found.body["tags"] == []
        assert store.find("asset", Query(filter={"tags": [tag]})).total == 0
        assert store.find("asset", Query(filter={"tags": [tag]})).items == []
        assert store.referrers("tag", tag) == []
        assert store.find("asset", Query()).total == 5
    versions = {found.key: found.version for found in lazy.scan("asset")}
    other.work_off()
    assert unfinished(root) == 0
    assert {found.key: found.version for found in third.scan("asset")} == versions, "it said before what is there now"
    assert third.health().unfinished == 0
    other.compact()
    assert tag not in (root / "binaries/index.jsonl").read_text()
    assert rebuilt_differs(root) == {}
    other.close()
    third.close()


def test_an_edit_meanwhile_is_not_lost_and_brings_nothing_back(lazy: JsonFiles, root: Path, make: ModuleType) -> None:
    tag, (first, second, third, *_) = carried(lazy, make)
    old = lazy.get("asset", third)
    assert old is not None
    removed(lazy, "tag", tag)
    lazy.apply([Change("asset", first, lambda body: {**(body or {}), "filename": "renamed"})])
    with pytest.raises(InvalidError):
        lazy.apply([Change("asset", second, lambda body: {**(body or {}), "tags": [tag]})])
    with pytest.raises(InvalidError):
        lazy.apply([put("asset", old.body | {"size": 3}, ANY)])
    with pytest.raises(StaleError):
        lazy.apply([put("asset", old.body | {"tags": []}, old.version)])
    lazy.work_off()
    assert unfinished(root) == 0
    found = lazy.get("asset", first)
    assert found is not None
    assert (found.body["filename"], found.body["tags"]) == ("renamed", [])
    assert tags_of(lazy, "asset") == [[]] * 5


def test_a_great_removal_is_begun_again_by_whoever_opens_the_folder(
    lazy: JsonFiles, root: Path, make: ModuleType
) -> None:
    tag, _ = carried(lazy, make)
    removed(lazy, "tag", tag)
    assert unfinished(root) == 1
    seen: list[int] = []

    def stop() -> bool:
        seen.append(1)
        return len(seen) > 2

    lazy.work_off(stop)
    assert unfinished(root) == 1, "it was stopped"
    lazy.rebuild()
    assert tags_of(lazy, "asset") == [[]] * 5
    JsonFiles(FileEngine.open(root)).close()
    assert unfinished(root) == 0
    assert lazy.get("tag", tag) is None
    assert tags_of(lazy, "asset") == [[]] * 5


def test_whoever_is_at_a_removal_is_left_alone_and_no_lock_file_is_its_own(
    lazy: JsonFiles, root: Path, make: ModuleType
) -> None:
    tag, _ = carried(lazy, make)
    removed(lazy, "tag", tag)
    (intent,) = (root / "intents").glob("*.json")
    name = f"intents/{intent.name}"
    with FileEngine.open(root).locks.lock_of(retiring.lock_name(name)).hold():
        lazy.work_off()
        assert unfinished(root) == 1
    lazy.work_off()
    assert unfinished(root) == 0
    assert [path.name for path in (root / "intents").glob("*.lock")] == [f"{intent.name[:2]}.lock"]


def test_merged_tags_are_one_at_once(lazy: JsonFiles, root: Path, make: ModuleType) -> None:
    tag, assets = carried(lazy, make)
    kept, last = make.tag("kept"), make.tag("last")
    lazy.each([put("tag", kept), put("tag", last)])
    lazy.apply([Change("asset", assets[0], lambda body: {**(body or {}), "tags": [tag, kept["id"]]})])
    with lazy.guard(exclusive=True):
        assert lazy.retire("tag", tag, heir=kept["id"])
    assert tags_of(lazy, "asset") == [[kept["id"]]] * 5
    page = lazy.find("asset", Query(filter={"tags": [kept["id"]]}, limit=2))
    assert (len(page.items), page.total) == (2, 5)
    assert len(lazy.find("asset", Query(filter={"tags": [kept["id"]]}, cursor=page.next_cursor)).items) == 3
    assert len(lazy.referrers("tag", kept["id"])) == 6
    with lazy.guard(exclusive=True):
        assert lazy.retire("tag", kept["id"], heir=last["id"]), "before the first merge is carried out"
    assert tags_of(lazy, "asset", Query(filter={"tags": [last["id"]]})) == [[last["id"]]] * 5
    lazy.work_off()
    assert unfinished(root) == 0
    assert tags_of(lazy, "asset", Query(filter={"tags": [last["id"]]})) == [[last["id"]]] * 5
    assert tags_of(lazy, "character") == [[last["id"]]]


def talk(store: JsonFiles, make: ModuleType) -> tuple[str, str]:
    """Store a character with a chat of messages, and assets that belong to them; return their ids."""
    who = make.character()
    store.each([put("character", who, trusting=True)])
    chat = make.chat(who["id"])
    store.apply([put("chat", chat)])
    said = [make.message(chat["id"], f"m{number}") for number in range(5)]
    store.each([put("message", one) for one in said])
    file = make.asset(1, type="chat_file", chatId=chat["id"])
    shown = make.asset(2, chatId=chat["id"], messageId=said[1]["id"], characterId=who["id"])
    store.each([put("asset", file), put("asset", shown)])
    return who["id"], chat["id"]


def test_what_goes_along_is_hidden_at_once(
    lazy: JsonFiles, root: Path, make: ModuleType, rebuilt_differs: Callable[[Path], object]
) -> None:
    who, chat = talk(lazy, make)
    with pytest.raises(ConflictError) as caught:
        removed(lazy, "character", who)
    assert caught.value.details["count"] == 1
    assert unfinished(root) == 0
    removed(lazy, "character", who, force=True)
    assert (root / f"chats/{chat}.jsonl").exists()
    with pytest.raises(InvalidError):
        lazy.apply([put("message", make.message(chat))])
    for _ in range(2):
        for kind, left in (("character", 0), ("chat", 0), ("message", 0), ("asset", 1)):
            assert len(list(lazy.scan(kind))) == left, kind
            assert lazy.find(kind, Query()).total == left, kind
        assert lazy.find("message", Query(filter={"chatId": chat})).total == 0
        (shown,) = lazy.find("asset", Query()).items
        assert not {"chatId", "messageId", "characterId"} & shown.body.keys()
        assert not lazy.is_live(make.sha(1))
        with pytest.raises(InvalidError):
            lazy.apply([put("asset", make.asset(3, chatId=chat))])
        with pytest.raises(NotFoundError):
            lazy.apply([remove("chat", chat)])
        lazy.work_off()
    assert not (root / f"chats/{chat}.jsonl").exists()
    assert rebuilt_differs(root) == {}


def test_a_long_log_goes_in_pieces(
    lazy: JsonFiles, root: Path, make: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, chat = talk(lazy, make)
    monkeypatch.setattr(retiring, "AT_ONCE", 100)
    monkeypatch.setattr(retiring, "LOG_AT_ONCE", 3)
    monkeypatch.setattr(retiring, "AWAITED", 3)
    removed(lazy, "chat", chat)
    assert unfinished(root) == 1
    assert list(lazy.scan("message")) == []
    lazy.work_off()
    assert (unfinished(root), list(lazy.scan("chat"))) == (0, [])


def test_an_id_is_free_again_when_its_removal_is_carried_out(lazy: JsonFiles, make: ModuleType) -> None:
    tag, _ = carried(lazy, make)
    again = make.tag("again", id=tag)
    removed(lazy, "tag", tag)
    with pytest.raises(BusyError):
        lazy.apply([put("tag", again)])
    lazy.work_off()
    lazy.apply([put("tag", again)])
    assert lazy.find("asset", Query(filter={"tags": [tag]})).items == []


def test_a_stale_version_or_nothing_there_decides_nothing(lazy: JsonFiles, root: Path, make: ModuleType) -> None:
    tag, _ = carried(lazy, make)
    with pytest.raises(StaleError):
        removed(lazy, "tag", tag, expect="0" * 32)
    assert unfinished(root) == 0
    assert len(lazy.referrers("tag", tag)) == 6
    assert lazy.referrers("tag", tag)[0] == Referrer("asset", lazy.referrers("tag", tag)[0].key, "tags", make.USER)


def test_no_room_for_the_decision_decides_nothing(
    lazy: JsonFiles, root: Path, make: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    tag, _ = carried(lazy, make)
    write = FileEngine.write_document

    def full(self: FileEngine, path: str, value: object, *, stamp: bool) -> object:
        if path.startswith("tags/"):
            raise FullError("No room.")
        return write(self, path, value, stamp=stamp)

    monkeypatch.setattr(FileEngine, "write_document", full)
    with pytest.raises(FullError):
        removed(lazy, "tag", tag)
    monkeypatch.undo()
    assert unfinished(root) == 0
    assert len(lazy.referrers("tag", tag)) == 6
    assert lazy.find("asset", Query(filter={"tags": [tag]})).total == 5


def test_a_record_that_cannot_be_cleaned_now_is_cleaned_later(
    lazy: JsonFiles, root: Path, make: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    tag, _ = carried(lazy, make)
    removed(lazy, "tag", tag)
    write = FileEngine.write_document

    def busy(self: FileEngine, path: str, value: object, *, stamp: bool) -> object:
        if path.startswith("characters/"):
            raise BusyError("Not now.")
        return write(self, path, value, stamp=stamp)

    monkeypatch.setattr(FileEngine, "write_document", busy)
    lazy.work_off()
    assert unfinished(root) == 1
    assert tags_of(lazy, "character") == [[]]
    monkeypatch.undo()
    lazy.work_off()
    assert unfinished(root) == 0


@pytest.mark.parametrize("how", ["carried out", "withdrawn"])
def test_whoever_opens_the_folder_meanwhile_finds_the_intent_and_what_it_hides_or_neither(
    lazy: JsonFiles, root: Path, make: ModuleType, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    tag, _ = carried(lazy, make)
    seen = []
    plain = FileEngine.remove

    def watched(self: FileEngine, path: str) -> None:
        if path.startswith("intents/"):
            with closing(sqlite3.connect(root / "cache/index.sqlite3")) as db:
                seen.append(db.execute("SELECT count(*) FROM gone WHERE key = ?", (tag,)).fetchone()[0])
        plain(self, path)

    def busy(self: FileEngine, path: str, value: object, *, stamp: bool) -> object:
        del self, value, stamp
        raise BusyError(path)

    monkeypatch.setattr(FileEngine, "remove", watched)
    if how == "withdrawn":
        write = FileEngine.write_document
        monkeypatch.setattr(
            FileEngine,
            "write_document",
            lambda self, path, value, *, stamp: (busy if path.startswith("tags/") else write)(
                self, path, value, stamp=stamp
            ),
        )
        with pytest.raises(BusyError):
            removed(lazy, "tag", tag)
        assert lazy.get("tag", tag) is not None
    else:
        removed(lazy, "tag", tag)
        lazy.work_off()
    assert seen == [1], "another process would see the intent alone and hide again what is over"
    assert unfinished(root) == 0
    with closing(sqlite3.connect(root / "cache/index.sqlite3")) as db:
        assert db.execute("SELECT * FROM gone").fetchall() == []
