"""The ballast: bytes kept taken for deletions on a full disk."""

from __future__ import annotations

import os
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from metadata.errors import FullError
from metadata.files import ballast as module
from metadata.files.ballast import LAST, NAME, Ballast
from metadata.files.filesystem import FileSystem

if TYPE_CHECKING:
    from pathlib import Path

SIZE = 3_000_000


class Work:
    """Work that finds no room some times."""

    def __init__(self, refusals: int) -> None:
        self.refusals = refusals
        self.asked = 0

    def __call__(self) -> str:
        """Do it, or find no room."""
        self.asked += 1
        if self.asked <= self.refusals:
            raise FullError("No room.")
        return "done"


def free(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    """Let every disk have so many free bytes."""
    answer = SimpleNamespace(f_bavail=count, f_frsize=1)
    monkeypatch.setattr(module, "os", SimpleNamespace(statvfs=lambda _: answer, urandom=os.urandom))


@pytest.fixture
def ballast(tmp_path: Path) -> Ballast:
    return Ballast(FileSystem(), [tmp_path, tmp_path / "cache"], SIZE)


@pytest.fixture(autouse=True)
def folders(tmp_path: Path) -> None:
    (tmp_path / "cache").mkdir()


def test_it_is_laid_once_on_each_disk_and_takes_its_bytes(tmp_path: Path, ballast: Ballast) -> None:
    assert [ballast.lay(), ballast.lay()] == [1, 0]
    found = (tmp_path / NAME).stat()
    assert (found.st_size, found.st_mode & 0o777) == (SIZE, 0o600)
    assert found.st_blocks * 512 >= SIZE
    assert not (tmp_path / "cache" / NAME).exists()  # the same disk


def test_one_that_was_cut_short_is_laid_again(tmp_path: Path, ballast: Ballast) -> None:
    (tmp_path / NAME).write_bytes(b"short")
    assert ballast.lay() == 1
    assert (tmp_path / NAME).stat().st_size == SIZE


def test_it_is_not_laid_where_little_is_free(tmp_path: Path, ballast: Ballast, monkeypatch: pytest.MonkeyPatch) -> None:
    free(monkeypatch, 2 * SIZE - 1)
    assert ballast.lay() == 0
    assert not (tmp_path / NAME).exists()
    free(monkeypatch, 2 * SIZE)
    assert ballast.lay() == 1


def test_work_that_finds_no_room_is_done_again_with_the_ballasts(tmp_path: Path, ballast: Ballast) -> None:
    ballast.lay()
    work = Work(refusals=1)
    assert ballast.spared(work) == "done"
    assert work.asked == 2
    assert not (tmp_path / NAME).exists()


def test_with_room_it_stays(tmp_path: Path, ballast: Ballast) -> None:
    ballast.lay()
    assert ballast.spared(Work(refusals=0)) == "done"
    ballast.ease()
    assert (tmp_path / NAME).exists()


@pytest.mark.parametrize(("laid", "refusals", "asked"), [(False, 1, 1), (True, 2, 2)])
def test_without_ballast_or_enough_of_it_the_refusal_is_told(
    ballast: Ballast, refusals: int, asked: int, *, laid: bool
) -> None:
    if laid:
        ballast.lay()
    work = Work(refusals)
    with pytest.raises(FullError):
        ballast.spared(work)
    assert work.asked == asked


def test_the_last_bytes_are_for_deletions_once_the_ballast_is_gone(
    ballast: Ballast, monkeypatch: pytest.MonkeyPatch
) -> None:
    ballast.lay()
    free(monkeypatch, LAST - 1)
    ballast.check()  # its bytes can be had yet
    ballast.release()
    with pytest.raises(FullError, match="left for deletions"):
        ballast.check()
    free(monkeypatch, LAST)
    ballast.check()


def test_work_that_must_not_stop_gets_it_before_it_begins(
    tmp_path: Path, ballast: Ballast, monkeypatch: pytest.MonkeyPatch
) -> None:
    ballast.lay()
    free(monkeypatch, LAST - 1)
    ballast.ease()
    assert not (tmp_path / NAME).exists()


def test_a_folder_that_is_not_there_is_no_trouble_for_writes(tmp_path: Path) -> None:
    absent = Ballast(FileSystem(), [tmp_path / "absent"], SIZE)
    absent.check()
    absent.ease()
    assert absent.release() is False
