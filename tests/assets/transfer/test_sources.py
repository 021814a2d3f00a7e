"""Reading somebody else's folder: damage told, nothing outside it opened."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from assets.transfer import sources
from assets.transfer.sources import Folder, opened
from metadata.errors import InvalidError, NotFoundError, UnreadableError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    (tmp_path / "in").mkdir()
    return Folder(tmp_path / "in")


def write(folder: Folder, name: str, content: bytes) -> None:
    (folder.root / name).write_bytes(content)


def test_lines_are_read_one_by_one_and_damage_is_told_with_its_place(folder: Folder) -> None:
    write(folder, "a.jsonl", b'\xef\xbb\xbf{"n":1}\r\n\n{"n":\n[2]\n\xff\n{"n":NaN}\n{"n":3}')
    found = list(folder.lines("a.jsonl"))
    assert [(one.place, one.record) for one in found] == [
        ("a.jsonl:1", {"n": 1}),
        ("a.jsonl:3", None),
        ("a.jsonl:4", None),
        ("a.jsonl:5", None),
        ("a.jsonl:6", None),
        ("a.jsonl:7", {"n": 3}),
    ]
    assert all(one.problem for one in found if one.record is None)
    assert list(folder.lines("absent.jsonl")) == []


def test_a_line_without_end_fills_no_memory_and_hides_nothing(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "LONGEST_LINE", 10)
    write(folder, "a.jsonl", b'{"n":1}\n' + b"x" * 95 + b'\n{"n":2}\n' + b"y" * 50)
    found = list(folder.lines("a.jsonl"))
    assert [one.record for one in found] == [{"n": 1}, None, {"n": 2}, None]
    assert "longer" in found[1].problem


def test_a_document_is_a_value_absent_or_unreadable(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    write(folder, "a.json", b'\xef\xbb\xbf{"n": 1}\r\n')
    assert folder.document("a.json") == {"n": 1}
    assert folder.document("b.json") is None
    write(folder, "c.json", b"{")
    with pytest.raises(UnreadableError):
        folder.document("c.json")
    monkeypatch.setattr(sources, "LARGEST_DOCUMENT", 3)
    with pytest.raises(UnreadableError, match="larger"):
        folder.document("a.json")


@pytest.mark.parametrize(
    "path",
    ["../secret", "sub/../../secret", "link", "a\0b", "", ".", "absent", "/../secret", "a" * 5000, "\ud800", "circle"],
)
def test_nothing_outside_is_a_file_of_the_folder(folder: Folder, path: str) -> None:
    (folder.root.parent / "secret").write_text("x")
    (folder.root / "link").symlink_to(folder.root.parent / "secret")
    (folder.root / "circle").symlink_to("circle")
    assert folder.file(path) is None


def test_a_link_inside_is_followed(folder: Folder) -> None:
    write(folder, "a.txt", b"x")
    (folder.root / "b.txt").symlink_to("a.txt")
    assert folder.file("b.txt") == (folder.root / "a.txt").resolve()
    assert folder.names("") == ["a.txt", "b.txt"]
    assert folder.names("absent") == []


def test_a_folder_that_leads_out_is_not_looked_into(folder: Folder) -> None:
    (folder.root.parent / "secrets").mkdir()
    (folder.root / "inside").mkdir()
    write(folder, "inside/a.txt", b"x")
    (folder.root / "link").symlink_to("inside")
    (folder.root / "out").symlink_to(folder.root.parent / "secrets")
    (folder.root / "circle").symlink_to("circle")
    assert folder.names("link") == ["a.txt"]
    for path in ("out", "..", "circle"):
        with pytest.raises(UnreadableError):
            folder.names(path)


def test_only_a_regular_file_is_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InvalidError):
        opened(tmp_path / "pipe")
    with pytest.raises(NotFoundError):
        opened(tmp_path / "absent")


def test_a_folder_that_is_a_file_has_no_names(folder: Folder) -> None:
    write(folder, "characters", b"")
    assert folder.names("characters") == []


@pytest.mark.parametrize("make", ["link out", "circle", "dangling", "folder", "pipe"])
def test_what_is_there_and_is_no_file_of_the_folder_is_told(folder: Folder, make: str) -> None:
    place = folder.root / "a.jsonl"
    if make == "folder":
        place.mkdir()
    elif make == "pipe":
        os.mkfifo(place)
    else:
        outside = folder.root.parent / "outside.jsonl"
        outside.write_bytes(b'{"n":1}\n')
        place.symlink_to({"link out": outside, "circle": place, "dangling": folder.root / "nowhere"}[make])
    (found,) = folder.lines("a.jsonl")
    assert found.record is None
    assert "no file of this folder" in found.problem
    with pytest.raises(UnreadableError, match="no file of this folder"):
        folder.document("a.jsonl")
