"""The folder of the workers' counters goes with its maker, or with the next one."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from typing import TYPE_CHECKING

import pytest

from server.metricsfolder import shared_folder

if TYPE_CHECKING:
    from pathlib import Path

MAKE_AND_DIE = """
import os, signal
from server.metricsfolder import shared_folder
with shared_folder() as folder:
    (folder / "counter_1.db").write_bytes(b"x")
    print(folder, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture(autouse=True)
def _own_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


def test_the_folder_is_the_owners_and_goes_at_the_end(tmp_path: Path) -> None:
    with shared_folder() as folder:
        assert folder.parent == tmp_path
        assert folder.stat().st_mode & 0o777 == 0o700
        (folder / "counter_1.db").write_bytes(b"x")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_in_use_is_let_alone() -> None:
    with shared_folder() as one, shared_folder() as other:
        assert one != other
        assert one.is_dir()
        assert other.is_dir()


def test_what_a_killed_maker_left_is_removed(tmp_path: Path) -> None:
    died = subprocess.run(
        [sys.executable, "-c", MAKE_AND_DIE], env={"TMPDIR": str(tmp_path)}, capture_output=True, check=False
    )
    (left,) = tmp_path.iterdir()
    assert died.stdout.decode().strip() == str(left)
    with shared_folder():
        assert not left.exists()


def test_a_link_of_that_name_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious/letter.txt").write_text("keep")
    (tmp_path / "calotype-metrics-evil").symlink_to(tmp_path / "precious")
    with shared_folder():
        assert (tmp_path / "precious/letter.txt").read_text() == "keep"
