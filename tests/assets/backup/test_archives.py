"""Writing archives: they end where their target does, and hold no more in memory for more files."""

from __future__ import annotations

import errno
import gc
import io
import os
import tarfile
from typing import TYPE_CHECKING

import pytest

from assets.backup.archives import ArchiveTarget, TarWriter
from assets.backup.manifest import Entry, Head, Manifest
from assets.backup.sources import TarSource
from metadata.errors import FullError, UnwrittenError
from metadata.files.filesystem import FileSystem

if TYPE_CHECKING:
    from pathlib import Path


def kept() -> int:
    return sum(isinstance(one, tarfile.TarInfo) for one in gc.get_objects())


def test_headers_of_a_tar_archive_are_not_kept(tmp_path: Path) -> None:
    place = tmp_path / "a.tar"
    with place.open("wb") as file:
        writer = TarWriter(file.write, packed=False)
        digests = [writer.add(f"chats/{number}.jsonl", io.BytesIO(b"{}\n"), 3, 0) for number in range(50)]
        assert kept() < 10
        writer.close()
    entries = {f"chats/{n}.jsonl": Entry(f"chats/{n}.jsonl", 3, str(digest)) for n, digest in enumerate(digests)}
    manifest = Manifest(Head("s", 1, "t", "v", "g"), entries)
    for count, (entry, content) in enumerate(TarSource(place).files(manifest)):
        assert (entry.path, content.read(9)) == (f"chats/{count}.jsonl", b"{}\n")
        assert count < len(entries) - 1 or kept() < 10
    assert count == len(entries) - 1


class Closed(io.BytesIO):
    """A pipe whose reader went away after so many bytes."""

    def __init__(self, taken: int) -> None:
        super().__init__()
        self._most = taken

    def write(self, data: object, /) -> int:
        """Take some."""
        if super().write(data) and self.tell() > self._most:  # type: ignore[arg-type]  # bytes
            raise BrokenPipeError
        return self.tell()


@pytest.mark.parametrize("taken", [0, 100, 5000])
def test_a_stream_that_is_cut_off_is_told_once(taken: int, capsys: pytest.CaptureFixture[str]) -> None:
    with ArchiveTarget(FileSystem(), None, "tar", 0, Closed(taken)) as target:
        with pytest.raises(UnwrittenError, match="Standard output could not be written"):
            target.add("chats/a.jsonl", io.BytesIO(bytes(9000)), 9000)
        del target
        gc.collect()
    assert capsys.readouterr().err == ""


class Full(FileSystem):
    """A disk that is full after so many writes."""

    def __init__(self, writes: int) -> None:
        self.left = writes

    def write(self, descriptor: int, data: bytes | memoryview) -> int:
        """Write while there is room."""
        self.left -= 1
        if self.left < 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return super().write(descriptor, data)


@pytest.mark.parametrize("writes", [0, 12])
@pytest.mark.parametrize("form", ["zip", "tar", "tar.gz"])
def test_nothing_is_written_once_the_archive_is_given_up(
    tmp_path: Path, form: str, writes: int, capsys: pytest.CaptureFixture[str]
) -> None:
    disk = Full(writes)

    def fill() -> None:
        with ArchiveTarget(disk, tmp_path / "a", form, 0) as target:
            for number in range(9):
                target.add(f"binaries/{number}", io.BytesIO(os.urandom(1 << 21)), 1 << 21)

    with pytest.raises(FullError):
        fill()
    disk.left = 1000
    gc.collect()
    assert (disk.left, list(tmp_path.iterdir())) == (1000, [])
    assert capsys.readouterr().err == ""
