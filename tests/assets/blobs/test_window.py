"""A stretch of a file behaves as a file of that length, whatever lies around it."""

from __future__ import annotations

import io
import os
from typing import TYPE_CHECKING

import pytest

from assets.blobs.window import Window
from metadata.errors import InvalidError
from metadata.files.filesystem import FileSystem

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def window(tmp_path: Path) -> Window:
    path = tmp_path / "file"
    path.write_bytes(b"...0123456789...")
    return Window(FileSystem(), os.open(path, os.O_RDONLY), 3, 13)


def test_reads_end_with_the_stretch(window: Window) -> None:
    with window:
        assert window.read(4) == b"0123"
        assert window.read(100) == b"456789"
        assert window.read(1) == b""


def test_places_count_from_the_stretch(window: Window) -> None:
    with io.BufferedReader(window) as file:
        assert file.seek(-3, io.SEEK_END) == 7
        assert file.read() == b"789"
        assert file.seek(2) == 2
        assert file.read(2) == b"23"
        assert file.seek(1, io.SEEK_CUR) == 5
        assert file.tell() == 5
        assert file.seek(99) == 99
        assert file.read() == b""


@pytest.mark.parametrize(("offset", "whence"), [(-1, 0), (-11, 2), (0, 9)])
def test_a_place_before_the_start_is_refused(window: Window, offset: int, whence: int) -> None:
    with window, pytest.raises(InvalidError, match="no place"):
        window.seek(offset, whence)


def test_closing_closes_the_descriptor_once(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x")
    descriptor = os.open(tmp_path / "file", os.O_RDONLY)
    window = Window(FileSystem(), descriptor, 0, 1)
    window.close()
    window.close()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(descriptor)
