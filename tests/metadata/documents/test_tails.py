"""Projecting journals: from where the index last was, or from the start when that place is not the same any more."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from metadata.documents.contract import ANY, put, remove
from metadata.documents.tails import DamagedTailError, record_at
from metadata.index.query import Query
from metadata.index.state import load_file
from metadata.schemas.catalog import CATALOG

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import ModuleType

    from metadata.documents.json_files import JsonFiles
    from metadata.index.state import FileState

JOURNAL = "binaries/index.jsonl"


def state_of(files: JsonFiles) -> FileState:
    with files._projection.database.reading() as db:  # noqa: SLF001 - what the index remembers
        found = load_file(db, JOURNAL)
    assert found is not None
    return found


def test_the_index_remembers_how_far_it_read_and_what_counts(files: JsonFiles, root: Path, make: ModuleType) -> None:
    records = [make.asset(number) for number in range(3)]
    for record in records:
        files.apply([put("asset", record)])
    files.apply([put("asset", {**records[0], "size": 9}, ANY)])
    files.apply([remove("asset", records[1]["id"])])
    state = state_of(files)
    data = (root / JOURNAL).read_bytes()
    assert state.offset == state.identity.size == len(data)
    assert data[state.last_start : state.offset].count(b"\n") == 1
    assert (state.live, state.dead) == (2, 3)


def test_only_what_is_new_is_read(
    files: JsonFiles, root: Path, make: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(5):
        files.apply([put("asset", make.asset(number))])
    begun: list[int] = []
    journal = files._engine.journal(JOURNAL)  # noqa: SLF001 - whose reads are watched
    read = type(journal).read

    def watched(self: Any, start: int = 0, **more: Any) -> Any:
        begun.append(start)
        return read(self, start, **more)

    monkeypatch.setattr(type(journal), "read", watched)
    end = (root / JOURNAL).stat().st_size
    with (root / JOURNAL).open("a") as held:
        held.write(json.dumps(make.asset(7)) + "\n")
    assert files.find("asset", Query()).total == 6
    assert files.find("asset", Query()).total == 6
    assert begun == [end]


def test_an_unfinished_line_waits_for_its_end(files: JsonFiles, root: Path, make: ModuleType) -> None:
    files.apply([put("asset", make.asset(1))])
    text = json.dumps(make.asset(2)) + "\n"
    with (root / JOURNAL).open("a") as held:
        held.write(text[:50])
        held.flush()
        assert files.find("asset", Query()).total == 1
        held.write(text[50:])
    assert files.find("asset", Query()).total == 2


def test_damage_is_looked_at_under_the_lock_before_it_is_called_rot(
    files: JsonFiles, root: Path, make: ModuleType
) -> None:
    files.apply([put("asset", make.asset(1))])
    with (root / JOURNAL).open("a") as held:
        held.write("nonsense\n")
    tails, database = files._projection.tails, files._projection.database  # noqa: SLF001 - the step on its own

    def project() -> None:
        with database.writing() as db:
            tails.project(db, JOURNAL, recovered=False)

    with pytest.raises(DamagedTailError):
        project()


def test_a_record_is_read_at_its_place_with_its_parent(files: JsonFiles, root: Path, make: ModuleType) -> None:
    talk = make.new_id()
    said = make.message(talk)
    files.apply([put("message", said, trusting=True)])
    line = (root / f"chats/{talk}.jsonl").read_bytes()
    assert b"chatId" not in line
    assert record_at(files._engine, f"chats/{talk}.jsonl", 0, len(line)) == said  # noqa: SLF001 - as the index does


def test_the_original_s_folder_is_all_readable(
    original_folder: Path,
    original: ModuleType,
    open_files: Callable[[Path], JsonFiles],
    rebuilt_differs: Callable[[Path], Any],
) -> None:
    store = open_files(original_folder)
    seen: dict[str, int] = {}
    for name, kind in CATALOG.items():
        for stored in store.scan(name):
            found = store.get(name, stored.key)
            assert found is not None
            assert found.body == stored.body
            kept = kind.model.from_record(stored.body).to_record()
            assert kept == stored.body
            seen[name] = seen.get(name, 0) + 1
        assert store.find(name, Query()).unreadable == 0 if kind.parent is None else True
    assert set(CATALOG) - set(seen) <= {"accessToken", "fact"}
    assert seen["asset"] == 3
    assert store.health().findings == []
    mentioning = {(by.kind, by.key) for by in store.mentions(original.PNG_SHA256)}
    assert ("user", original.USER) in mentioning
    assert store.is_live(original.PNG_SHA256)
    assert rebuilt_differs(original_folder) == {}
