"""`calotype trash`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.server.cli.conftest import Invoke


@pytest.fixture
def trashed(calo: Invoke, picture: Path) -> str:
    """A hash in the trash."""
    calo("init")
    calo("put", picture)
    (item,) = calo("ls", "--json").json()["items"]
    calo("rm", item["id"])
    assert calo("gc", "--yes", "--grace", "0").status == 0
    sha256: str = item["sha256"]
    return sha256


def test_it_is_listed(calo: Invoke, trashed: str) -> None:
    result = calo("trash", "ls")
    assert trashed in result.out
    assert result.out.endswith("1 payload, 129 bytes\n")
    document = calo("trash", "ls", "--json").json()
    assert (document["bytes"], document["items"][0]["sha256"], document["items"][0]["size"]) == (129, trashed, 129)


def test_it_comes_back_with_its_record(calo: Invoke, trashed: str, picture: Path) -> None:
    result = calo("trash", "restore", trashed)
    assert result.out.startswith(f"Restored {trashed}\nRestored its record ")
    assert calo("get", trashed).bytes == picture.read_bytes()
    assert calo("trash", "restore", trashed).status == 3


def test_it_goes_for_good_only_when_told(calo: Invoke, trashed: str) -> None:
    result = calo("trash", "purge")
    assert trashed in result.out
    assert "Nothing was changed" in result.out
    assert calo("trash", "purge", "0" * 64, "--yes").status == 3
    assert calo("trash", "purge", "0" * 64).status == 3
    assert calo("trash", "purge", "nonsense").status == 2
    assert calo("trash", "purge", trashed, "--yes").out == "1 payload (129 bytes) removed for good\n"
    assert calo("trash", "ls", "--json").json()["items"] == []


def test_without_a_record_it_is_said_that_it_goes_again(calo: Invoke, trashed: str, folder: Path) -> None:
    (folder / "binaries/index.jsonl").write_bytes(b"")
    (note,) = folder.glob("trash/*/note.json")
    note.unlink()
    assert "No record names it" in calo("trash", "restore", trashed).out
