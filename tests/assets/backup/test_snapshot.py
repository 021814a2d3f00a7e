"""Copying the records of one moment beside their writers."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from assets.backup import snapshot as module
from assets.backup.snapshot import Photographer
from metadata.documents.compaction import compact
from metadata.files.filesystem import FileSystem

if TYPE_CHECKING:
    from pathlib import Path

    from assets.backup.snapshot import Snapshot
    from tests.assets.conftest import House

JOURNAL = "binaries/index.jsonl"


@pytest.fixture
def photographer(house: House, tmp_path: Path) -> Photographer:
    """One with a stage of its own."""
    house.put(b"first")
    return Photographer(house.store.engine, tmp_path / "stage")


def taken(house: House, photographer: Photographer) -> Snapshot:
    with house.store.documents.guard(exclusive=True):
        return photographer.finish()


def differences(house: House, snapshot: Snapshot) -> list[str]:
    return [
        path
        for path in snapshot.files
        if (snapshot.stage / path).read_bytes() != (house.root / path).read_bytes()
        or snapshot.files[path] != (house.root / path).stat().st_size
    ]


@pytest.mark.parametrize("large", [True, False])
def test_what_changed_since_is_copied_again(
    house: House, photographer: Photographer, *, large: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LARGE", 0 if large else 1 << 30)
    gone, edited = house.character(), house.character()
    photographer.prepare()
    house.put(b"second")
    house.store.records.characters.delete(gone)
    house.store.records.characters.edit(edited, lambda one: one.replaced(name="other"))
    made = house.character()
    snapshot = taken(house, photographer)
    assert differences(house, snapshot) == []
    assert f"characters/{gone}.json" not in snapshot.files
    assert f"characters/{made}.json" in snapshot.files
    assert snapshot.files[JOURNAL] == (house.root / JOURNAL).stat().st_size


def test_a_large_journal_is_copied_on_from_where_the_copy_ends(
    house: House, photographer: Photographer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LARGE", 0)
    photographer.prepare()
    before = (house.root / JOURNAL).stat().st_size
    house.put(b"second")
    read: list[int] = []
    pread = FileSystem.pread

    def noting(self: FileSystem, descriptor: int, length: int, offset: int) -> bytes:
        read.append(offset)
        return pread(self, descriptor, length, offset)

    def unable(*_: object) -> None:
        raise OSError

    monkeypatch.setattr(FileSystem, "clone", unable)
    with monkeypatch.context() as patch, house.store.documents.guard(exclusive=True):
        patch.setattr(FileSystem, "pread", noting)
        photographer._copy(JOURNAL)  # noqa: SLF001 - this one alone, to see what is read of it
    assert before in read
    assert differences(house, taken(house, photographer)) == []


def test_a_journal_that_was_rewritten_is_copied_whole(
    house: House, photographer: Photographer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LARGE", 0)
    for number in range(5):
        house.drop(b"%d" % number)
    photographer.prepare()
    compact(house.store.documents.projection, JOURNAL, "2030")
    house.put(b"after")
    assert differences(house, taken(house, photographer)) == []


def test_a_torn_tail_is_no_part_of_it(house: House, photographer: Photographer) -> None:
    photographer.prepare()
    with (house.root / JOURNAL).open("ab") as journal:
        journal.write(b'{"id":"torn')
    snapshot = taken(house, photographer)
    assert (snapshot.stage / JOURNAL).read_bytes().endswith(b"}\n")


@pytest.mark.parametrize("offers", [True, False])
def test_blocks_are_shared_where_the_file_system_offers_it(
    house: House, photographer: Photographer, *, offers: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Few file systems do; what this one does in its place is the same to whoever asked."""
    cloned: list[int] = []

    def clone(self: FileSystem, source: int, target: int) -> None:
        if not offers:
            raise OSError
        with open(source, "rb", closefd=False) as reader, open(target, "wb", closefd=False) as writer:
            reader.seek(0)
            shutil.copyfileobj(reader, writer)
            reader.seek(0)
        cloned.append(self.fstat(target).st_size)

    monkeypatch.setattr(FileSystem, "clone", clone)
    photographer.prepare()
    house.put(b"second")
    assert differences(house, taken(house, photographer)) == []
    assert bool(cloned) == offers


def test_payloads_are_not_listed_while_writers_wait(
    house: House, photographer: Photographer, monkeypatch: pytest.MonkeyPatch
) -> None:
    (house.root / "binaries/notes.txt").write_text("mine")
    (house.root / "binaries/link").symlink_to("notes.txt")
    photographer.prepare()
    house.put(b"second")
    listed: list[str] = []
    scandir = FileSystem.scandir

    def noting(self: FileSystem, path: Path) -> object:
        listed.append(path.name)
        return scandir(self, path)

    monkeypatch.setattr(FileSystem, "scandir", noting)
    snapshot = taken(house, photographer)
    assert "characters" in listed
    assert "binaries" not in listed
    assert differences(house, snapshot) == []
    assert {"binaries/notes.txt", JOURNAL, "binaries/facts.jsonl"} < set(snapshot.files)
    assert snapshot.passed_over == ["binaries/link"]
