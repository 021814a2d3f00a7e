"""Writing a file whole or not at all."""

from __future__ import annotations

import hashlib
import io
import os
from pathlib import Path

import pytest

from metadata.errors import InvalidError, UnreadableError
from server.cli.download import copy_checked, save

DATA = b"some bytes" * 100_000
SHA256 = hashlib.sha256(DATA).hexdigest()


class Breaking(io.BytesIO):
    """A source that is interrupted in the middle."""

    def read(self, size: int | None = -1, /) -> bytes:
        if self.tell() > 300_000:
            raise KeyboardInterrupt
        return super().read(size)


def test_a_copy_is_counted_and_checked() -> None:
    target = io.BytesIO()
    assert copy_checked(io.BytesIO(DATA), target, SHA256) == len(DATA)
    assert target.getvalue() == DATA
    with pytest.raises(UnreadableError):
        copy_checked(io.BytesIO(DATA + b"."), io.BytesIO(), SHA256)


def test_a_new_file_follows_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        save(io.BytesIO(DATA), tmp_path / "new", SHA256)
    finally:
        os.umask(before)
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o640
    assert (tmp_path / "new").read_bytes() == DATA


def test_a_file_that_is_there_keeps_its_mode_and_its_link(tmp_path: Path) -> None:
    (tmp_path / "old").write_text("old")
    (tmp_path / "old").chmod(0o604)
    (tmp_path / "link").symlink_to("old")
    save(io.BytesIO(DATA), tmp_path / "link", SHA256)
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "old").read_bytes() == DATA
    assert (tmp_path / "old").stat().st_mode & 0o777 == 0o604


@pytest.mark.parametrize("source", [io.BytesIO(DATA[:-1]), Breaking(DATA)], ids=["wrong", "interrupted"])
def test_what_goes_wrong_leaves_the_old_file(tmp_path: Path, source: io.BytesIO) -> None:
    (tmp_path / "file").write_text("old")
    with pytest.raises((UnreadableError, KeyboardInterrupt)):
        save(source, tmp_path / "file", SHA256)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    assert (tmp_path / "file").read_text() == "old"


def test_places_that_are_no_file(tmp_path: Path) -> None:
    with pytest.raises(InvalidError, match="is a folder"):
        save(io.BytesIO(DATA), tmp_path, SHA256)
    with pytest.raises(InvalidError, match="no folder"):
        save(io.BytesIO(DATA), tmp_path / "absent" / "file", SHA256)
    (tmp_path / "file").touch()
    with pytest.raises(InvalidError, match="no folder"):
        save(io.BytesIO(DATA), tmp_path / "file" / "file", SHA256)


def test_a_device_is_written_to_and_stays() -> None:
    assert save(io.BytesIO(DATA), Path(os.devnull), SHA256) == len(DATA)
    assert Path(os.devnull).is_char_device()


def test_a_long_name_has_room_for_its_draft(tmp_path: Path) -> None:
    target = tmp_path / ("ü" * 127)
    save(io.BytesIO(DATA), target, SHA256)
    assert target.read_bytes() == DATA
