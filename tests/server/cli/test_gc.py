"""`calotype gc`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from tests.server.cli.conftest import Invoke


def garbage(calo: Invoke, picture: Path) -> str:
    """Store a picture and delete its record; return its hash."""
    calo("put", picture)
    (item,) = calo("ls", "--json").json()["items"]
    calo("rm", item["id"])
    sha256: str = item["sha256"]
    return sha256


def test_a_plan_is_printed_and_nothing_is_done(calo: Invoke, picture: Path, folder: Path) -> None:
    calo("init")
    sha256 = garbage(calo, picture)
    result = calo("gc")
    assert (result.status, result.err) == (0, "")
    assert "1 payload (129 bytes) stays: uploaded within the grace" in result.out
    assert "the grace is 1d" in result.out
    result = calo("gc", "--grace", "0")
    assert result.status == 0
    assert result.out.startswith("Goes to the trash\nsha256")
    assert sha256 in result.out
    assert result.out.endswith("Nothing was changed. --yes does it.\n")
    assert (folder / "binaries" / sha256 / "raw").is_file()


def test_yes_does_it_and_insists(calo: Invoke, picture: Path, folder: Path) -> None:
    calo("init")
    sha256 = garbage(calo, picture)
    assert calo("gc", "--yes", "--grace", "0").out == "1 payload (129 bytes) moved to the trash\n"
    assert not (folder / "binaries" / sha256).exists()
    done = calo("gc", "--yes", "--json").json()
    assert (done["dryRun"], done["done"]["taken"], done["plan"]["payloads"]) == (False, 0, 0)


def test_records_that_nothing_refers_to_go_when_asked_for(calo: Invoke, picture: Path) -> None:
    calo("init")
    calo("put", picture)
    assert "Records that nothing refers to go" in calo("gc", "--unreferenced", "--older-than", "0").out
    assert calo("gc", "--unreferenced", "--json").json()["plan"]["olderThanS"] == 30 * 86_400
    done = calo("gc", "--unreferenced", "--older-than", "0", "--grace", "0", "--yes")
    assert done.out == "1 payload (129 bytes) moved to the trash\n1 record deleted\n"
    assert calo("ls", "--json").json()["items"] == []


def test_a_refusal_names_the_file_and_the_way_out(calo: Invoke, picture: Path, folder: Path) -> None:
    calo("init")
    garbage(calo, picture)
    (folder / "tags/tags.json").write_bytes(b"{")
    result = calo("gc", "--grace", "0")
    assert result.status == 0
    assert "Refused: tags/tags.json" in result.out
    assert result.out.endswith("Nothing was changed. Nothing will be until that is settled.\n")
    result = calo("gc", "--grace", "0", "--yes")
    assert result.status == 11
    assert "tags/tags.json" in result.err
    assert "calotype repair" in result.err


def test_options_that_make_no_sense(calo: Invoke) -> None:
    calo("init")
    assert calo("gc", "--grace", "soon").status == 2
    assert calo("gc", "--older-than", "30d").status == 2
