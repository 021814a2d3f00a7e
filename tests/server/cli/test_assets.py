"""`calotype get`, `ls`, `show` and `rm` on a folder."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from .conftest import Invoke

ABSENT = "0" * 64


@pytest.fixture
def stored(calo: Invoke, picture: Path) -> str:
    """The hash of a picture that is stored, tagged `Fantasy`."""
    assert calo("put", picture, "--tag", "Fantasy").status == 0
    return hashlib.sha256(picture.read_bytes()).hexdigest()


def test_get_prints_the_bytes(calo: Invoke, stored: str, picture: Path) -> None:
    done = calo("get", stored)
    assert (done.status, done.bytes, done.err) == (0, picture.read_bytes(), "")
    assert calo("get", stored, "-o", "-").bytes == picture.read_bytes()


def test_get_writes_a_file(calo: Invoke, stored: str, picture: Path, tmp_path: Path) -> None:
    target = tmp_path / "copy"
    done = calo("get", stored, "-o", target)
    assert (done.status, done.out, target.read_bytes()) == (0, "", picture.read_bytes())
    assert calo("get", stored, "-o", target, "--json").json() == {"sha256": stored, "path": str(target), "size": 129}


def test_what_cannot_be_got_leaves_nothing(calo: Invoke, stored: str, tmp_path: Path, folder: Path) -> None:
    target = tmp_path / "copy"
    assert calo("get", ABSENT, "-o", target).status == 3
    assert calo("get", "abc", "-o", target).status == 2
    (folder / "binaries" / stored / "raw").write_bytes(bytes(129))
    wrong = calo("get", stored, "-o", target)
    assert (wrong.status, "hash to" in wrong.err) == (11, True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "picture.png"]


def test_ls_is_a_table(calo: Invoke, stored: str) -> None:
    lines = calo("ls").out.splitlines()
    assert lines[0].split() == ["id", "sha256", "type", "media", "type", "size", "pixels", "name"]
    assert lines[1].split()[1:] == [stored, "image", "image/png", "129", "bytes", "5x7", "picture.png"]
    assert len(lines) == 2


def test_ls_filters_pages_and_sorts(calo: Invoke, stored: str, tmp_path: Path) -> None:
    for number in range(3):
        (tmp_path / f"{number}.txt").write_text(str(number))
    calo("put", *(tmp_path / f"{number}.txt" for number in range(3)))

    def names(*options: str) -> list[str]:
        return [item["filename"] for item in calo("ls", "--json", *options).json()["items"]]

    assert names() == ["picture.png", "0.txt", "1.txt", "2.txt"]
    assert names("--type", "image") == names("--tag", "fantasy") == names("-q", "picture") == ["picture.png"]
    assert names("--sort", "-filename", "--limit", "2") == ["picture.png", "2.txt"]
    assert names("--limit", "2", "--all") == names()
    limited = calo("ls", "--limit", "2")
    assert limited.err == "2 of 4; --all lists every one\n"
    page = calo("ls", "--limit", "3", "--json").json()
    assert (page["total"], page["nextCursor"] is not None) == (4, True)
    assert stored


def test_ls_refuses(calo: Invoke, stored: str) -> None:
    assert calo("ls", "--sort", "nothing").status == 2
    assert calo("ls", "--limit", "0").status == 2
    assert stored


def test_show_a_record_and_a_payload(calo: Invoke, stored: str, picture: Path) -> None:
    calo("put", picture, "--type", "avatar")
    by_hash = calo("show", stored, "--json").json()
    assert [item["type"] for item in by_hash["items"]] == ["image", "avatar"]
    assert by_hash["references"] == []
    record = by_hash["items"][0]["id"]
    assert calo("show", record, "--json").json()["items"] == by_hash["items"][:1]
    text = calo("show", record).out
    assert f"sha256        {stored}" in text
    assert "used by nothing" in text
    assert "None" not in text
    assert [calo("show", key).status for key in (ABSENT, "abc", "x" * 64)] == [3, 3, 2]


def test_rm_deletes_and_restoring_needs_the_id(calo: Invoke, stored: str) -> None:
    (item,) = calo("ls", "--json").json()["items"]
    assert calo("rm", item["id"]).out == f"Deleted {item['id']}\n"
    assert calo("rm", item["id"]).status == 3
    assert calo("get", stored).status == 3


def test_rm_purge_frees_the_bytes(calo: Invoke, stored: str, folder: Path) -> None:
    (item,) = calo("ls", "--json").json()["items"]
    assert calo("rm", item["id"], "--purge", "--json").json() == {"deleted": [item["id"]]}
    assert not (folder / "binaries" / stored).exists()


def test_rm_of_what_is_used_names_the_user(calo: Invoke, stored: str, tmp_path: Path) -> None:
    (item,) = calo("ls", "--json").json()["items"]
    (tmp_path / f"{stored}.txt").write_text("its name mentions the picture")
    calo("put", tmp_path / f"{stored}.txt")
    refused = calo("rm", item["id"])
    assert refused.status == 4
    assert "(mention)" in refused.err
    assert "used by asset" in calo("show", item["id"]).out
    assert calo("rm", item["id"], "--force").status == 0
