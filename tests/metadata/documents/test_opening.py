"""Opening the index: believed, swept, or built anew."""

from __future__ import annotations

import errno
import json
import os
import shutil
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from metadata.documents import opening
from metadata.documents.contract import put, remove
from metadata.documents.json_files import JsonFiles
from metadata.files import atomic
from metadata.files.engine import FileEngine
from metadata.files.filesystem import FileSystem
from metadata.index.query import Query

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import ModuleType

    Opener = Callable[[Path], JsonFiles]


@pytest.fixture
def filled(root: Path, make: ModuleType) -> Path:
    """A folder with a character, whose name was changed by hand since the index saw it."""
    store = JsonFiles(FileEngine.open(root))
    who = make.character("Alice")
    store.apply([put("character", who)])
    store.close()
    (root / f"characters/{who['id']}.json").write_text(json.dumps({**who, "name": "By hand"}))
    return root


def names(store: JsonFiles) -> list[object]:
    return [item.body["name"] for item in store.find("character", Query()).items]


def index_of(root: Path) -> Path:
    return root / "cache" / opening.NAME


def test_within_one_boot_the_index_is_believed(filled: Path, open_files: Opener) -> None:
    inode = index_of(filled).stat().st_ino
    store = open_files(filled)
    assert names(store) == ["Alice"]
    assert index_of(filled).stat().st_ino == inode
    store.sweep()
    assert names(store) == ["By hand"]


@pytest.mark.parametrize("boot", ["another", ""])
def test_after_a_boot_or_where_none_is_known_every_file_is_looked_at(
    filled: Path, open_files: Opener, monkeypatch: pytest.MonkeyPatch, boot: str
) -> None:
    monkeypatch.setattr(opening, "boot_id", lambda: boot)
    inode = index_of(filled).stat().st_ino
    assert names(open_files(filled)) == ["By hand"]
    assert index_of(filled).stat().st_ino == inode


def test_an_index_of_another_catalog_is_built_anew(filled: Path, open_files: Opener) -> None:
    with closing(sqlite3.connect(index_of(filled))) as db:
        db.execute("UPDATE meta SET value = 'older' WHERE name = 'fingerprint'")
        db.commit()
    assert names(open_files(filled)) == ["By hand"]


def test_a_build_leaves_nothing_beside_the_index(filled: Path, open_files: Opener) -> None:
    store = open_files(filled)
    store.rebuild()
    assert {path.name.removeprefix(opening.NAME) for path in (filled / "cache").iterdir()} <= {"", "-wal", "-shm"}
    assert names(store) == ["By hand"]


def test_the_index_may_lie_elsewhere(root: Path, tmp_path: Path, make: ModuleType) -> None:
    store = JsonFiles(FileEngine.open(root), cache_dir=tmp_path / "fast" / "disk")
    store.apply([put("tag", make.tag("x"))])
    assert (tmp_path / "fast" / "disk" / opening.NAME).is_file()
    assert not (root / "cache").exists()
    store.close()


def test_a_log_that_grew_while_nobody_looked_is_followed_at_opening(
    root: Path, open_files: Opener, make: ModuleType
) -> None:
    """A writer that died after its append left no note: the bytes past the offset are the note, in chats' logs too."""
    talk = make.new_id()
    store = open_files(root)
    store.apply([put("message", make.message(talk), trusting=True)])
    store.close()
    late = make.message(talk, f"see {make.sha(5)}")
    del late["chatId"]
    with (root / f"chats/{talk}.jsonl").open("a") as held:
        held.write(json.dumps(late) + "\n")
    assert open_files(root).is_live(make.sha(5))


def test_the_boot_s_name_is_the_kernel_s() -> None:
    assert opening.boot_id() == opening.boot_id()


def test_the_index_is_for_its_owner_alone(files: JsonFiles, root: Path, make: ModuleType) -> None:
    files.apply([put("asset", make.asset(1))])
    modes = {path.name: path.stat().st_mode & 0o777 for path in (root / "cache").iterdir()}
    assert modes["index.sqlite3"] == 0o600
    assert set(modes.values()) == {0o600}


def test_one_file_that_cannot_be_read_hides_no_other(root: Path, make: ModuleType) -> None:
    first = JsonFiles(FileEngine.open(root))
    who = make.character("Ada")
    first.apply([put("character", who)])
    first.close()
    (root / "chats" / "a45b0c57-d95f-4d7d-9db9-b13ebe50e624.jsonl").mkdir(parents=True)
    (root / "characters" / "df81c9ff-1c67-457e-8798-5eb2c7961482.json").symlink_to(root / "elsewhere.json")
    again = JsonFiles(FileEngine.open(root))
    again.rebuild()
    assert again.get("character", who["id"]) is not None
    assert {finding["problem"] for finding in again.health().findings} == {"unreadable"}
    again.close()


def test_a_last_line_without_a_break_is_found_at_opening(root: Path, make: ModuleType) -> None:
    journal = root / "binaries" / "index.jsonl"
    journal.parent.mkdir()
    journal.write_text(json.dumps(make.asset(1)) + "\n" + json.dumps(make.asset(2)))
    opened = JsonFiles(FileEngine.open(root))
    assert opened.find("asset", Query()).total == 2
    opened.close()


def test_a_repeated_record_of_an_array_goes_whole(root: Path, make: ModuleType) -> None:
    label = make.tag("twice")
    (root / "tags").mkdir()
    (root / "tags" / "tags.json").write_text(json.dumps({"version": 1, "tags": [label, label]}))
    opened = JsonFiles(FileEngine.open(root))
    opened.apply([remove("tag", label["id"])])
    opened.rebuild()
    assert opened.get("tag", label["id"]) is None
    opened.close()


def test_a_folder_that_is_deleted_while_the_index_is_built_is_made_again(
    filled: Path, open_files: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.rmtree(filled / "cache")
    plain = atomic.sync_file
    deleted: list[int] = []

    def deleting(fs: FileSystem, descriptor: int) -> None:
        if not deleted:
            deleted.append(descriptor)
            shutil.rmtree(filled / "cache")
        plain(fs, descriptor)

    monkeypatch.setattr(atomic, "sync_file", deleting)
    assert names(open_files(filled)) == ["By hand"]
    assert deleted


class RefusingOnce(FileSystem):
    """Refuses to open one file, once."""

    def __init__(self, name: str) -> None:
        self.name = name

    def open(self, path: Path, flags: int, mode: int = 0o666) -> int:
        if path.name == self.name:
            self.name = ""
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
        return super().open(path, flags, mode)


def test_what_the_system_refused_once_is_read_at_the_next_opening(root: Path, make: ModuleType) -> None:
    """Not believed to be known, although nothing changed the file since and the machine did not start anew."""
    who = make.character()
    with closing(JsonFiles(FileEngine.open(root))) as store:
        store.apply([put("character", who)])
    path = root / "characters" / f"{who['id']}.json"
    path.write_bytes(path.read_bytes() + b" ")
    with closing(JsonFiles(FileEngine.open(root, fs=RefusingOnce(path.name)))) as store:
        store.sweep()
    with closing(JsonFiles(FileEngine.open(root))) as store:
        assert [item.key for item in store.find("character", Query()).items] == [who["id"]]
        assert store.health().findings == [] or {found["problem"] for found in store.health().findings} == {"altered"}
