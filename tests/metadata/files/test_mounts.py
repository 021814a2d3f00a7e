"""Telling network file systems from local ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from metadata.files.mounts import network_file_system

if TYPE_CHECKING:
    from pathlib import Path


def table(tmp_path: Path, *mounts: tuple[str, str]) -> Path:
    file = tmp_path / "mountinfo"
    lines = [f"{number} 1 0:{number} / {point} rw - {kind} source rw" for number, (point, kind) in enumerate(mounts)]
    file.write_text("\n".join(lines) + "\n")
    return file


@pytest.mark.parametrize("kind", ["nfs", "nfs4", "cifs", "smb3", "fuse.sshfs", "9p"])
def test_a_folder_on_a_network_mount_is_told(tmp_path: Path, kind: str) -> None:
    mounts = table(tmp_path, ("/", "ext4"), (str(tmp_path), kind))
    assert network_file_system(tmp_path / "data", mounts) == kind


@pytest.mark.parametrize("kind", ["ext4", "xfs", "btrfs", "zfs", "tmpfs", "overlay", "fuseblk"])
def test_a_folder_of_this_machine_is_not(tmp_path: Path, kind: str) -> None:
    mounts = table(tmp_path, ("/", "nfs4"), (str(tmp_path), kind))
    assert network_file_system(tmp_path / "data", mounts) is None


def test_the_deepest_mount_counts_and_names_may_hold_blanks(tmp_path: Path) -> None:
    folder = tmp_path / "my data"
    folder.mkdir()
    escaped = str(folder).replace(" ", "\\040")
    mounts = table(tmp_path, ("/", "nfs4"), (escaped, "xfs"))
    assert network_file_system(folder, mounts) is None
    assert network_file_system(tmp_path, mounts) == "nfs4"


def test_of_two_mounts_at_one_point_the_last_counts(tmp_path: Path) -> None:
    assert network_file_system(tmp_path, table(tmp_path, ("/", "nfs4"), ("/", "ext4"))) is None


def test_this_folder_is_local_and_no_table_is_no_claim(tmp_path: Path) -> None:
    assert network_file_system(tmp_path) is None
    assert network_file_system(tmp_path, tmp_path / "absent") is None
