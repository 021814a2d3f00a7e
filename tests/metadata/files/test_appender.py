"""The writing end of a journal by itself; `test_journal.py` has it inside commits."""

from __future__ import annotations

import errno
import os
import stat
from typing import TYPE_CHECKING, Any

import pytest

from metadata.errors import FullError, InternalError, UnreadableError
from metadata.files.appender import Appender
from metadata.files.batch import Batch
from metadata.files.engine import FileEngine

if TYPE_CHECKING:
    from pathlib import Path

NAME = "chats/log.jsonl"


@pytest.fixture
def appender(tmp_path: Path, failing: Any) -> Appender:
    """An appender over a file system that can be made to fail; its folder is `tmp_path`."""
    return Appender(NAME, FileEngine.open(tmp_path, fs=failing))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The journal."""
    return tmp_path / NAME


def append(appender: Appender, *names: str) -> None:
    """Append records with these ids."""
    handle = appender.writable()
    batch = Batch(handle.end, handle.file, handle.end)
    for name in names:
        batch.stage({"id": name})
    appender.append(handle, batch)
    appender.settle(handle)


def ids(file: Path) -> list[str]:
    """Return the ids of the records, which all lines hold."""
    return [line.split(b'"')[3].decode() for line in file.read_bytes().split(b"\n")[:-1]]


def test_a_missing_journal_is_made_and_said_to_be(appender: Appender, file: Path) -> None:
    handle = appender.writable()
    found = file.stat()
    assert (handle.created, handle.end, handle.file) == (True, 0, (found.st_dev, found.st_ino))
    append(appender, "a")
    assert ids(file) == ["a"]
    assert appender.writable().end == file.stat().st_size


def test_one_descriptor_serves_as_long_as_the_name_means_this_file(appender: Appender, file: Path) -> None:
    append(appender, "a")
    first = appender.writable().descriptor
    append(appender, "b")
    assert appender.writable().descriptor == first
    other = file.with_name("other")
    other.write_bytes(b'{"id":"z"}\n')
    other.replace(file)
    handle = appender.writable()
    assert (os.fstat(handle.descriptor).st_ino, handle.end) == (file.stat().st_ino, 11)
    file.unlink()
    assert appender.writable().created


def test_what_another_process_appended_is_counted(appender: Appender, file: Path) -> None:
    append(appender, "a")
    with file.open("ab") as other:
        other.write(b'{"id":"other"}\n')
    append(appender, "b")
    assert ids(file) == ["a", "other", "b"]


def test_a_torn_end_is_set_aside_before_anything_is_appended(appender: Appender, file: Path, tmp_path: Path) -> None:
    append(appender, "a")
    with file.open("ab") as other:
        other.write(b'{"id":"to')
    append(appender, "b")
    assert ids(file) == ["a", "b"]
    assert [path.read_bytes() for path in (tmp_path / "quarantine").iterdir()] == [b'{"id":"to']


def test_recovery_tells_what_was_set_aside_and_of_nothing_says_none(appender: Appender, file: Path) -> None:
    assert appender.recover() is None
    assert not file.exists()
    append(appender, "a")
    with file.open("ab") as other:
        other.write(b'{"id":"to')
    recovered = appender.recover()
    assert recovered is not None
    handle, damage = recovered
    assert [(item.kind, item.length) for item in damage] == [("tail", 9)]
    assert handle.end == file.stat().st_size
    again = appender.recover()
    assert again is not None
    assert again[1] == []


def test_a_journal_made_for_nothing_is_taken_away_again(appender: Appender, file: Path) -> None:
    appender.settle(appender.writable())
    assert not file.exists()
    append(appender, "a")
    appender.settle(appender.writable())
    assert ids(file) == ["a"]


def test_an_empty_journal_that_was_there_stays(appender: Appender, file: Path) -> None:
    file.parent.mkdir()
    file.touch()
    appender.settle(appender.writable())
    assert file.exists()


def test_without_room_nothing_of_the_batch_stays(appender: Appender, file: Path, failing: Any) -> None:
    append(appender, "a")
    before, inode = file.read_bytes(), file.stat().st_ino
    failing.failing, failing.error, failing.most = {"pwrite"}, errno.ENOSPC, 5
    with pytest.raises(FullError, match=NAME):
        append(appender, "b")
    assert (file.read_bytes(), file.stat().st_ino) == (before, inode)
    failing.failing = set()
    append(appender, "c")
    assert ids(file) == ["a", "c"]


def test_after_a_failed_sync_the_journal_is_another_file_without_the_batch(
    appender: Appender, file: Path, failing: Any
) -> None:
    append(appender, "a")
    old = os.open(file, os.O_RDONLY)
    failing.failing = {"fdatasync"}
    with pytest.raises(UnreadableError, match="synced"):
        append(appender, "b")
    assert ids(file) == ["a"]
    assert file.stat().st_ino != os.fstat(old).st_ino
    assert not file.stat().st_mode & stat.S_ISVTX
    os.close(old)


def test_a_journal_that_could_not_be_renewed_is_marked_and_refused_until_it_is(
    appender: Appender, file: Path, failing: Any, tmp_path: Path
) -> None:
    append(appender, "a")
    failing.failing = {"fdatasync", "fsync"}
    with pytest.raises(UnreadableError):
        append(appender, "b")
    assert file.stat().st_mode & stat.S_ISVTX
    with pytest.raises(OSError, match="Input/output"):
        appender.writable()
    other = Appender(NAME, FileEngine.open(tmp_path))
    append(other, "c")
    assert not file.stat().st_mode & stat.S_ISVTX
    failing.failing = set()
    append(appender, "d")
    assert ids(file) == ["a", "c", "d"]


def test_a_full_disk_that_cannot_even_be_cut_gets_a_new_file(appender: Appender, file: Path, failing: Any) -> None:
    append(appender, "a")
    failing.failing, failing.error, failing.most = {"pwrite", "ftruncate"}, errno.ENOSPC, 5
    with pytest.raises(FullError):
        append(appender, "b")
    failing.failing = set()
    assert ids(file) == ["a"]
    append(appender, "c")
    assert ids(file) == ["a", "c"]


@pytest.mark.parametrize(("level", "syncs"), [("full", 0), ("batch", 1), ("none", 0)])
def test_closing_syncs_what_waits_and_a_later_append_opens_again(
    tmp_path: Path, failing: Any, level: str, syncs: int
) -> None:
    appender = Appender(NAME, FileEngine.open(tmp_path, fs=failing, durability=level))
    append(appender, "a")
    failing.calls.clear()
    appender.close()
    assert failing.calls.count("fdatasync") == syncs
    append(appender, "b")
    assert ids(tmp_path / NAME) == ["a", "b"]


def test_a_failed_sync_while_closing_is_told_and_the_file_is_closed(tmp_path: Path, failing: Any) -> None:
    appender = Appender(NAME, FileEngine.open(tmp_path, fs=failing, durability="batch"))
    append(appender, "a")
    descriptor = appender.writable().descriptor
    failing.failing = {"fdatasync"}
    with pytest.raises(UnreadableError, match="synced"):
        appender.close()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(descriptor)


def test_a_journal_that_nobody_knows_any_more_is_closed(tmp_path: Path) -> None:
    appender = Appender(NAME, FileEngine.open(tmp_path))
    descriptor = appender.writable().descriptor
    del appender
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(descriptor)


def test_what_is_no_file_is_refused(tmp_path: Path, appender: Appender, file: Path) -> None:
    file.parent.mkdir()
    os.mkfifo(file)
    with pytest.raises(InternalError, match="not a file"):
        appender.writable()
    assert tmp_path.exists()


@pytest.mark.parametrize(("name", "mode", "folder"), [("auth/a.jsonl", 0o600, 0o700), ("chats/a.jsonl", 0o644, 0o755)])
def test_permissions(tmp_path: Path, name: str, mode: int, folder: int) -> None:
    previous = os.umask(0o022)
    try:
        append(Appender(name, FileEngine.open(tmp_path)), "a")
    finally:
        os.umask(previous)
    assert (tmp_path / name).stat().st_mode & 0o777 == mode
    assert (tmp_path / name).parent.stat().st_mode & 0o777 == folder
