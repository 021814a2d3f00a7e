"""Payloads in a folder: names, syncs, damage, full disks, short writes, kills."""

from __future__ import annotations

import errno
import gc
import os
from typing import TYPE_CHECKING

import pytest

from assets.blobs.local import LocalBlobs
from assets.blobs.memory import MemoryBlobs
from assets.digest import Digest, digest_of
from metadata.clock import SystemClock
from metadata.errors import CalotypeError, FullError, InternalError, InvalidError, NotFoundError, UnreadableError
from metadata.files.filesystem import FileSystem
from metadata.files.paths import DataPaths

if TYPE_CHECKING:
    from pathlib import Path

    from typing_extensions import Buffer  # collections.abc has it from Python 3.12 on

    from assets.blobs.base import Staged


class WatchedFiles(FileSystem):
    """The file system with one call that fails at one turn, a record of the calls, and writes as short as wanted."""

    def __init__(self, call: str = "", number: int = errno.EIO, turn: int = 1, most: int = 1 << 30) -> None:
        self.call, self.number, self.turn, self.most = call, number, turn, most
        self.calls: list[str] = []
        self.names: dict[int, str] = {}

    def _note(self, call: str, what: str) -> None:
        self.calls.append(f"{call} {what}")
        if call == self.call and sum(made.startswith(f"{call} ") for made in self.calls) == self.turn:
            raise OSError(self.number, os.strerror(self.number))

    def open(self, path: Path, flags: int, mode: int = 0o666) -> int:
        if flags & os.O_EXCL:
            self._note("create", path.name)
        descriptor = super().open(path, flags, mode)
        self.names[descriptor] = path.name
        return descriptor

    def write(self, descriptor: int, data: Buffer) -> int:
        self._note("write", self.names[descriptor])
        return super().write(descriptor, memoryview(data)[: self.most])

    def fsync(self, descriptor: int) -> None:
        self._note("fsync", self.names[descriptor])
        super().fsync(descriptor)

    def rename(self, source: Path, target: Path) -> None:
        self._note("rename", target.name)
        super().rename(source, target)

    def mkdir(self, path: Path, mode: int = 0o777) -> None:
        self._note("mkdir", path.name)
        super().mkdir(path, mode)


def _store(root: Path, fs: FileSystem) -> LocalBlobs:
    return LocalBlobs(fs, DataPaths(root), SystemClock())


def _stage(blobs: LocalBlobs, data: bytes) -> Staged:
    with blobs.stage() as staging:
        for at in range(0, len(data), 1000):
            staging.write(data[at : at + 1000])
        return staging.finish()


def _put(blobs: LocalBlobs, data: bytes) -> Digest:
    staged = _stage(blobs, data)
    assert blobs.publish(staged)
    return staged.digest


def _left(root: Path) -> list[str]:
    """Name everything under the root but the owners' files and the folders that stay."""
    stay = {"binaries", "uploads", "quarantine"}
    names = [path.relative_to(root).as_posix() for path in sorted(root.rglob("*")) if path.suffix != ".lock"]
    return [name for name in names if name not in stay]


def test_a_payload_lies_where_the_format_says(blobs: LocalBlobs, root: Path) -> None:
    digest = _put(blobs, b"picture")
    assert _left(root) == [f"binaries/{digest}", f"binaries/{digest}/raw"]
    assert blobs.path(digest) == root / "binaries" / digest / "raw"


def test_modes_follow_the_umask(blobs: LocalBlobs) -> None:
    mask = os.umask(0o027)
    try:
        path = blobs.path(_put(blobs, b"x"))
    finally:
        os.umask(mask)
    assert path.stat().st_mode & 0o777 == 0o640
    assert path.parent.stat().st_mode & 0o777 == 0o750


def test_the_order_of_a_publication(root: Path) -> None:
    fs = WatchedFiles()
    blobs = _store(root, fs)
    (root / "binaries").mkdir()
    staged = _stage(blobs, b"x")
    name = next(path.name for path in (root / "uploads").iterdir() if path.is_dir())
    fs.calls = [call for call in fs.calls if call not in {"fsync data", "mkdir uploads"} and not call.endswith(".lock")]
    blobs.publish(staged)
    digest = staged.digest
    assert fs.calls == [
        f"mkdir {name}",
        "create raw",
        "write raw",
        "fsync raw",
        f"fsync {name}",
        f"rename {digest}",
        "fsync binaries",
        "fsync uploads",
    ]


def test_a_second_upload_syncs_the_names_unless_they_are_known_to_be_durable(root: Path) -> None:
    fs = WatchedFiles()
    blobs = _store(root, fs)
    _put(blobs, b"x")
    for durable, expected in ((False, ["fsync binaries"]), (True, [])):
        staged = _stage(blobs, b"x")
        fs.calls.clear()
        assert blobs.publish(staged, durable=durable) is False
        assert fs.calls == expected


def test_short_writes_are_finished(root: Path) -> None:
    blobs = _store(root, WatchedFiles(most=7))
    data = bytes(range(256)) * 10
    digest = _put(blobs, data)
    assert digest == digest_of(data)
    assert blobs.path(digest).read_bytes() == data


@pytest.mark.parametrize(
    ("call", "turn"),
    [
        ("create", 1),
        ("create", 2),
        ("mkdir", 1),
        ("mkdir", 2),
        ("write", 1),
        ("write", 3),
        ("fsync", 1),
        ("fsync", 2),
        ("fsync", 3),
    ],
)
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EIO])
def test_a_failure_while_staging_is_told_and_leaves_nothing(root: Path, call: str, turn: int, number: int) -> None:
    fs = WatchedFiles(call, number, turn)
    with pytest.raises(UnreadableError if number == errno.EIO else FullError):
        _stage(_store(root, fs), bytes(5000))
    assert _left(root) == []


@pytest.mark.parametrize(("call", "turn"), [("mkdir", 1), ("fsync", 1), ("rename", 1), ("fsync", 2), ("fsync", 3)])
def test_a_failure_while_publishing_is_told_and_the_name_is_not_taken(root: Path, call: str, turn: int) -> None:
    fs = WatchedFiles()
    blobs = _store(root, fs)
    staged = _stage(blobs, b"x")
    fs.calls.clear()
    fs.call, fs.number, fs.turn = call, errno.ENOSPC, turn
    with pytest.raises(FullError, match="Free some space"):
        blobs.publish(staged)
    staged.discard()
    assert _left(root) == []
    fs.call = ""
    assert _put(blobs, b"x") == staged.digest


@pytest.mark.parametrize("wrong", [b"", b"torn", b"much longer than it should be"])
def test_a_payload_of_the_wrong_size_is_set_aside_and_replaced(blobs: LocalBlobs, root: Path, wrong: bytes) -> None:
    digest = _put(blobs, b"sound bytes")
    blobs.path(digest).write_bytes(wrong)
    assert blobs.publish(_stage(blobs, b"sound bytes")) is True
    assert blobs.path(digest).read_bytes() == b"sound bytes"
    (aside,) = (root / "quarantine").iterdir()
    assert aside.name.startswith(f"{digest}.")
    assert (aside / "raw").read_bytes() == wrong


def test_a_directory_without_its_payload_is_absent_and_healed(blobs: LocalBlobs, root: Path) -> None:
    digest = _put(blobs, b"x")
    blobs.path(digest).unlink()
    with pytest.raises(NotFoundError):
        blobs.stat(digest)
    assert blobs.publish(_stage(blobs, b"x")) is True
    assert blobs.path(digest).read_bytes() == b"x"
    assert len(list((root / "quarantine").iterdir())) == 1


def test_what_is_no_plain_file_is_unreadable_not_followed_and_healed(blobs: LocalBlobs, root: Path) -> None:
    digest = _put(blobs, b"secret!")
    raw = blobs.path(digest)
    raw.unlink()
    outside = root.parent / "outside"
    outside.write_bytes(b"passwd!")
    raw.symlink_to(outside)
    with pytest.raises(InvalidError, match="symbolic link"):
        blobs.open(digest)
    with pytest.raises(UnreadableError, match="no plain file"):
        blobs.stat(digest)
    raw.unlink()
    os.mkfifo(raw)
    with pytest.raises(UnreadableError, match="no plain file"):
        blobs.open(digest)
    assert blobs.publish(_stage(blobs, b"secret!")) is True
    assert outside.read_bytes() == b"passwd!"


def test_a_symbolic_link_for_a_payloads_directory_is_refused(blobs: LocalBlobs, root: Path) -> None:
    elsewhere = root.parent / "elsewhere"
    elsewhere.mkdir()
    (root / "binaries").mkdir()
    staged = _stage(blobs, b"x")
    (root / "binaries" / staged.digest).symlink_to(elsewhere)
    for call in (blobs.open, blobs.stat, blobs.remove):
        with pytest.raises(InvalidError, match="symbolic link"):
            call(staged.digest)
    with pytest.raises(InvalidError, match="symbolic link"):
        blobs.publish(staged)
    assert list(elsewhere.iterdir()) == []


def test_removal_takes_what_was_derived_along(blobs: LocalBlobs, root: Path) -> None:
    digest = _put(blobs, b"x")
    (blobs.path(digest).parent / "256x256-cover.r1.webp").write_bytes(b"variant")
    blobs.remove(digest)
    assert _left(root) == []


def test_a_removal_that_fails_leaves_the_payload_whole(root: Path) -> None:
    fs = WatchedFiles()
    blobs = _store(root, fs)
    digest = _put(blobs, b"x")
    fs.calls.clear()
    fs.call = "rename"
    with pytest.raises(CalotypeError):
        blobs.remove(digest)
    assert blobs.path(digest).read_bytes() == b"x"


def test_an_abandoned_upload_is_dropped_when_collected(blobs: LocalBlobs, root: Path) -> None:
    staging = blobs.stage()
    staging.write(b"x")
    staged = _stage(blobs, b"y")
    assert len(_left(root)) == 4
    del staging, staged
    gc.collect()
    assert _left(root) == []


def test_journals_beside_the_payloads_are_no_payloads(blobs: LocalBlobs, root: Path) -> None:
    digest = _put(blobs, b"x")
    (root / "binaries" / "index.jsonl").write_text("")
    assert list(blobs.scan()) == [digest]


def test_durability_none_does_not_sync_what_is_staged(root: Path) -> None:
    fs = WatchedFiles()
    blobs = LocalBlobs(fs, DataPaths(root), SystemClock(), sync=False)
    staged = _stage(blobs, b"x")
    assert "fsync raw" not in fs.calls
    assert blobs.publish(staged) is True


def test_bytes_staged_in_memory_are_refused(blobs: LocalBlobs, root: Path) -> None:
    with MemoryBlobs().stage() as staging:
        staged = staging.finish()
    with pytest.raises(InternalError, match="another store"):
        blobs.publish(staged)
    assert _left(root) == []


def test_a_rotten_copy_is_replaced_by_an_upload_that_doubts_it(blobs: LocalBlobs, root: Path) -> None:
    digest = _put(blobs, b"sound")
    blobs.path(digest).write_bytes(b"s0und")
    assert blobs.publish(_stage(blobs, b"sound")) is False, "without a doubt the size is all that is looked at"
    assert blobs.path(digest).read_bytes() == b"s0und"
    assert blobs.publish(_stage(blobs, b"sound"), doubted=True) is True
    assert blobs.path(digest).read_bytes() == b"sound"
    (aside,) = (root / "quarantine").iterdir()
    assert (aside / "raw").read_bytes() == b"s0und"
