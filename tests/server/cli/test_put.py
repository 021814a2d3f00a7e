"""`calotype put`: what it prints, and how it ends."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

    from .conftest import Invoke


def test_put_twice_stores_once(calo: Invoke, picture: Path, folder: Path) -> None:
    sha256 = hashlib.sha256(picture.read_bytes()).hexdigest()
    first, second = calo("put", picture), calo("put", picture)
    assert (first.status, second.status) == (0, 0)
    assert first.out.splitlines() == [
        f"new        {sha256}  {picture}",
        "1 file: 1 new, 0 duplicates, 0 failed; 0 bytes saved",
    ]
    assert second.out.splitlines()[-1] == "1 file: 0 new, 1 duplicate, 0 failed; 129 bytes saved"
    assert (folder / "binaries" / sha256 / "raw").read_bytes() == picture.read_bytes()


def test_as_json_one_document(calo: Invoke, picture: Path, tmp_path: Path) -> None:
    done = calo("put", "--json", picture, tmp_path / "absent", "--tag", "Fantasy", "--type", "avatar")
    document = done.json()
    assert (done.status, done.err) == (3, "")
    assert [item["status"] for item in document["items"]] == ["new", "failed"]
    assert document["items"][0]["asset"]["type"] == "avatar"
    assert len(document["items"][0]["asset"]["tags"]) == 1
    assert document["items"][1]["problem"]["type"] == "urn:calotype:problem:not-found"
    counts = {name: value for name, value in document.items() if name != "items"}
    assert counts == {"new": 1, "duplicates": 0, "failed": 1, "bytesStored": 129, "bytesSaved": 0}


def test_a_failing_file_does_not_stop_the_others(calo: Invoke, picture: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.touch()
    done = calo("put", empty, tmp_path / "absent", tmp_path, picture)
    assert done.status == 2, "the exit code of the first failure: the empty file"
    assert done.out.splitlines()[-1] == "4 files: 1 new, 0 duplicates, 3 failed; 0 bytes saved"
    assert done.err.splitlines() == [
        f"{empty}: The file is empty; there is nothing to store.",
        f"There is no file {tmp_path / 'absent'}.",
        f"{tmp_path} is a folder; --recursive takes what is in it.",
    ]


def test_the_whole_corpus_twice(calo: Invoke, corpus: Path, folder: Path) -> None:
    files = [path for path in (corpus / "tavern").rglob("*") if path.is_file()]
    distinct = {hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
    first, second = (
        calo("put", "--recursive", corpus / "tavern", "--json"),
        calo("put", "-r", corpus / "tavern", "--json"),
    )
    assert (first.status, first.json()["new"], second.json()["new"]) == (0, len(distinct), 0)
    assert (second.json()["bytesStored"], second.json()["duplicates"]) == (0, len(files))
    stored = [path for path in (folder / "binaries").iterdir() if path.is_dir()]
    assert {path.name for path in stored} == distinct
    assert all(hashlib.sha256((path / "raw").read_bytes()).hexdigest() == path.name for path in stored)


def test_a_name_with_everything_in_it(calo: Invoke, tmp_path: Path) -> None:
    odd = tmp_path / "a\x1b[31m\n“b” \udcff.txt"
    odd.write_text("x")
    done = calo("put", odd)
    assert done.status == 0
    assert "\x1b" not in done.out
    assert calo("put", "--json", odd).json()["items"][0]["asset"]["filename"] == "a[31m“b” .txt"


def test_to_a_server(calo: Invoke, serving: ModuleType, picture: Path, tmp_path: Path) -> None:
    with serving.Server(tmp_path / "elsewhere") as server:
        target = ("--url", server.url, "--token", server.token)
        first = calo("put", picture, "--tag", "a", *target)
        second = calo("put", picture, "--tag", "b", "--json", *target)
        refused = calo("put", picture, "--url", server.url, "--token", "calo_wrong")
        sha256 = hashlib.sha256(picture.read_bytes()).hexdigest()
        assert first.out.splitlines()[-1] == "1 file: 1 new, 0 duplicates, 0 failed; 0 bytes saved"
        assert (second.json()["duplicates"], len(second.json()["items"][0]["asset"]["tags"])) == (1, 2)
        assert (refused.status, refused.out) == (6, "")
        assert calo("get", sha256, *target).bytes == picture.read_bytes()
        assert calo("ls", *target).out.count(sha256) == 1
        assert sha256 in calo("show", sha256, *target).out
        (item,) = calo("ls", "--json", *target).json()["items"]
        assert calo("rm", item["id"], "--purge", *target).status == 0
        assert calo("ls", "--json", *target).json()["items"] == []
