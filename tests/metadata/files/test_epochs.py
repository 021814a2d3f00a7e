"""The page that says whether what was read of payloads may still be told."""

from __future__ import annotations

import multiprocessing
from typing import TYPE_CHECKING

from metadata.files.epochs import PAGE, Epochs
from metadata.files.filesystem import FileSystem
from metadata.files.paths import DataPaths

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def epochs(folder: Path) -> Epochs:
    return Epochs(FileSystem(), DataPaths(folder))


def _tell(folder: Path) -> None:
    epochs(folder).tell([7])


def test_what_one_process_tells_another_sees(tmp_path: Path) -> None:
    values = epochs(tmp_path).values()
    before = list(values)
    process = multiprocessing.get_context("spawn").Process(target=_tell, args=(tmp_path,))
    process.start()
    process.join(60)
    changed = [at for at in range(256) if values[at] != before[at]]
    assert (process.exitcode, changed) == (0, [7])


def test_values_never_come_back(tmp_path: Path) -> None:
    found, seen = epochs(tmp_path), set()
    for _ in range(200):
        found.tell([0])
        seen.add(found.values()[0])
    assert len(seen) == 200


def test_all_of_them_at_once(tmp_path: Path) -> None:
    found = epochs(tmp_path)
    before = list(found.values())
    found.tell_all()
    assert all(now != then for now, then in zip(found.values(), before, strict=True))


def test_a_page_that_was_removed_is_another_one_for_everybody(tmp_path: Path) -> None:
    one, other = epochs(tmp_path), epochs(tmp_path)
    kept = one.values()
    before = kept[3]
    other.values()
    (tmp_path / PAGE).unlink()
    other.tell([3])
    assert kept[3] == before
    assert one.values()[3] == other.values()[3] != before
    assert one.values() is not kept


def test_the_page_is_its_owners_alone(tmp_path: Path) -> None:
    epochs(tmp_path).values()
    assert (tmp_path / PAGE).stat().st_mode & 0o777 == 0o600


def test_what_cannot_be_told_is_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / PAGE).mkdir(parents=True)
    epochs(tmp_path).tell([1])
    assert "Other processes may answer" in caplog.text


def test_who_lets_go_can_take_it_again(tmp_path: Path) -> None:
    found = epochs(tmp_path)
    found.tell([9])
    value = found.values()[9]
    found.close()
    assert found.values()[9] == value
