"""Changes as lines under the group commit."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING

import pytest

from metadata.documents.contract import ANY, put, remove
from metadata.errors import ConflictError, FullError
from metadata.files.filesystem import FileSystem
from metadata.index.query import Query

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

    from metadata.documents.json_files import JsonFiles

JOURNAL = "binaries/index.jsonl"


def test_writers_at_once_share_writes_and_fail_each_for_itself(files: JsonFiles, root: Path, make: ModuleType) -> None:
    taken = make.asset(0)
    files.apply([put("asset", taken)])
    outcomes: list[str] = []

    def work(number: int) -> None:
        for step in range(10):
            try:
                files.apply([put("asset", taken if step % 5 == 0 else make.asset(number))])
                outcomes.append("stored")
            except ConflictError:
                outcomes.append("conflict")

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (outcomes.count("stored"), outcomes.count("conflict")) == (48, 12)
    assert len((root / JOURNAL).read_text().splitlines()) == files.find("asset", Query()).total == 49


def test_a_disk_that_is_full_leaves_journal_and_index_as_they_were(
    files: JsonFiles, root: Path, make: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    files.apply([put("asset", make.asset(1))])
    before = (root / JOURNAL).read_bytes()

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(FileSystem, "pwrite", full)
    with pytest.raises(FullError):
        files.apply([put("asset", make.asset(2))])
    monkeypatch.undo()
    assert (root / JOURNAL).read_bytes() == before
    assert files.find("asset", Query()).total == 1
    files.apply([put("asset", make.asset(3))])
    assert files.find("asset", Query()).total == 2


def test_a_failed_sync_is_no_record(
    files: JsonFiles, root: Path, make: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = make.asset(1)
    files.apply([put("asset", first)])
    inode = (root / JOURNAL).stat().st_ino

    def fail(*_: object) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(FileSystem, "fdatasync", fail)
    with pytest.raises(Exception, match="synced"):
        files.apply([put("asset", make.asset(2))])
    monkeypatch.undo()
    files.apply([put("asset", {**first, "size": 7}, ANY)])
    assert (root / JOURNAL).stat().st_ino != inode
    assert [item.body["size"] for item in files.find("asset", Query()).items] == [7]


def test_a_log_is_dropped_whole(files: JsonFiles, root: Path, make: ModuleType) -> None:
    talk = make.new_id()
    for number in range(3):
        files.apply([put("message", make.message(talk, str(number)), trusting=True)])
    said = [json.loads(line)["content"] for line in (root / f"chats/{talk}.jsonl").read_text().splitlines()]
    assert said == ["0", "1", "2"]
    files._writing._logs.get(f"chats/{talk}.jsonl").drop()  # noqa: SLF001 - the step on its own
    assert not (root / f"chats/{talk}.jsonl").exists()
    assert files.find("message", Query()).total == 0
    files.apply([put("message", make.message(talk), trusting=True)])
    assert files.find("message", Query()).total == 1


def test_a_message_s_tombstone_names_it_within_its_file(files: JsonFiles, root: Path, make: ModuleType) -> None:
    said = make.message(make.new_id())
    files.apply([put("message", said, trusting=True)])
    files.apply([remove("message", f"{said['chatId']}/{said['id']}")])
    last = json.loads((root / f"chats/{said['chatId']}.jsonl").read_text().splitlines()[-1])
    assert set(last) == {"id", "_deleted", "_rev", "_b", "_crc"}
