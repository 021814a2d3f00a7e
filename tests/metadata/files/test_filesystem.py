"""The calls under everything: each does what the system's call does, and says what the system says."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from contextlib import nullcontext
from typing import TYPE_CHECKING

import pytest

from metadata.files.filesystem import FileSystem, WatchedFileSystem

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FS = FileSystem()


def test_bytes_are_written_and_read_where_the_descriptor_stands_or_where_told(tmp_path: Path) -> None:
    descriptor = FS.open(tmp_path / "a", os.O_RDWR | os.O_CREAT)
    assert FS.write(descriptor, b"hello") == 5
    assert FS.pwrite(descriptor, memoryview(b"J"), 0) == 1
    assert FS.write(descriptor, b"!") == 1
    assert FS.pread(descriptor, 3, 3) == b"lo!"
    assert FS.read(descriptor, 10) == b""
    FS.ftruncate(descriptor, 2)
    assert (tmp_path / "a").read_bytes() == b"Je"
    FS.close(descriptor)
    with pytest.raises(OSError, match="Bad file descriptor"):
        FS.close(descriptor)


def test_no_child_inherits_a_descriptor(tmp_path: Path) -> None:
    descriptor = FS.open(tmp_path / "a", os.O_RDWR | os.O_CREAT)
    assert not os.get_inheritable(descriptor)
    script = "import os, sys\ntry: os.fstat(int(sys.argv[1]))\nexcept OSError: sys.exit(7)"
    command = [sys.executable, "-c", script, str(descriptor)]
    assert subprocess.run(command, check=False, close_fds=False).returncode == 7
    FS.close(descriptor)


def test_a_link_is_looked_at_itself_and_not_what_it_leads_to(tmp_path: Path) -> None:
    (tmp_path / "target").write_bytes(b"12345")
    (tmp_path / "link").symlink_to("target")
    assert FS.stat(tmp_path / "link").st_ino != FS.stat(tmp_path / "target").st_ino
    descriptor = FS.open(tmp_path / "target", os.O_RDONLY)
    assert FS.fstat(descriptor).st_size == FS.stat(tmp_path / "target").st_size == 5
    FS.close(descriptor)


def test_names_are_made_changed_listed_and_removed(tmp_path: Path) -> None:
    FS.mkdir(tmp_path / "d", 0o700)
    assert FS.stat(tmp_path / "d").st_mode & 0o777 == 0o700
    for name in "ab":
        FS.close(FS.open(tmp_path / "d" / name, os.O_WRONLY | os.O_CREAT, 0o600))
    FS.rename(tmp_path / "d" / "a", tmp_path / "d" / "b")
    assert [entry.name for entry in FS.scandir(tmp_path / "d")] == ["b"]
    with pytest.raises(OSError, match="not empty"):
        FS.rmdir(tmp_path / "d")
    FS.unlink(tmp_path / "d" / "b")
    FS.rmdir(tmp_path / "d")
    assert list(tmp_path.iterdir()) == []


def test_permissions_by_name_and_by_descriptor(tmp_path: Path) -> None:
    descriptor = FS.open(tmp_path / "a", os.O_RDWR | os.O_CREAT, 0o600)
    FS.chmod(tmp_path / "a", 0o640)
    assert FS.fstat(descriptor).st_mode & 0o777 == 0o640
    FS.fchmod(descriptor, 0o1600)
    assert FS.stat(tmp_path / "a").st_mode & 0o7777 == 0o1600
    FS.close(descriptor)


def test_syncs_reach_the_systems_own_calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[tuple[str, int]] = []
    for name in ("fsync", "fdatasync"):
        monkeypatch.setattr(os, name, lambda descriptor, name=name: called.append((name, descriptor)))
    monkeypatch.setattr(sys, "platform", "linux")
    descriptor = FS.open(tmp_path / "a", os.O_RDWR | os.O_CREAT)
    FS.fsync(descriptor)
    FS.fdatasync(descriptor)
    assert called == [("fsync", descriptor), ("fdatasync", descriptor)]
    FS.close(descriptor)


def test_on_a_mac_both_syncs_go_through_the_drives_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[tuple[int, int]] = []
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr("metadata.files.filesystem.fcntl.F_FULLFSYNC", 51, raising=False)
    monkeypatch.setattr("metadata.files.filesystem.fcntl.fcntl", lambda *given: called.append(given))
    descriptor = FS.open(tmp_path / "a", os.O_RDWR | os.O_CREAT)
    FS.fsync(descriptor)
    FS.fdatasync(descriptor)
    assert called == [(descriptor, 51)] * 2
    FS.close(descriptor)


@pytest.mark.parametrize(
    "call",
    [
        lambda path: FS.open(path, os.O_RDONLY),
        FS.stat,
        FS.unlink,
        FS.rmdir,
        FS.scandir,
        lambda path: FS.rename(path, path.with_name("b")),
        lambda path: FS.chmod(path, 0o600),
        lambda path: FS.mkdir(path / "below"),
    ],
)
def test_what_the_system_refuses_is_raised_as_it_is(tmp_path: Path, call: Callable[[Path], object]) -> None:
    with pytest.raises(FileNotFoundError):
        call(tmp_path / "absent")


@pytest.mark.parametrize("call", ["fsync", "fdatasync"])
@pytest.mark.parametrize(
    ("number", "told"), [(errno.EIO, 1), (errno.ENOSPC, 0), (errno.EDQUOT, 0), (errno.EINVAL, 0), (0, 0)]
)
def test_a_failed_sync_is_raised_and_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str, number: int, told: int
) -> None:
    def answer(_: FileSystem, descriptor: int) -> None:
        del descriptor
        if number:
            raise OSError(number, os.strerror(number))

    monkeypatch.setattr(FileSystem, call, answer)
    heard: list[str] = []
    watched = WatchedFileSystem(lambda: heard.append("failed"))
    descriptor = watched.open(tmp_path / "a", os.O_RDWR | os.O_CREAT)
    outcome = pytest.raises(OSError, match=os.strerror(number)) if number else nullcontext()
    with outcome:
        getattr(watched, call)(descriptor)
    watched.close(descriptor)
    assert len(heard) == told
