"""`calotype verify` and `calotype repair`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from server.cli.verify import FOUND

if TYPE_CHECKING:
    from pathlib import Path

    from tests.server.cli.conftest import Invoke


def stored(calo: Invoke, picture: Path, folder: Path) -> Path:
    """Store a picture and return its payload."""
    calo("init")
    calo("put", picture)
    (item,) = calo("ls", "--json").json()["items"]
    return folder / "binaries" / str(item["sha256"]) / "raw"


def test_a_sound_store(calo: Invoke, picture: Path, folder: Path) -> None:
    stored(calo, picture, folder)
    assert calo("verify").out.endswith("All is well.\n")
    result = calo("verify", "--full", "--rate", "1000", "--json")
    assert (result.status, result.err) == (0, "")
    report = result.json()
    assert (report["sound"], report["hashedPayloads"], report["findings"]) == (True, 1, [])
    assert calo("verify", "--older-than", "1d", "--json").json()["skippedPayloads"] == 1
    assert calo("repair").out == "Nothing can be mended.\n"


def test_rot_is_told_mended_and_healed_by_an_upload(calo: Invoke, picture: Path, folder: Path) -> None:
    raw = stored(calo, picture, folder)
    raw.write_bytes(raw.read_bytes()[:-1] + b"?")
    assert calo("verify").status == 0
    result = calo("verify", "--full")
    assert result.status == FOUND
    assert result.out.startswith("Damage\n")
    assert "payload-rotten" in result.out
    assert "1 finding needs action" in result.out
    assert "Nothing was changed; --yes does it." in calo("repair").out
    assert raw.exists()
    result = calo("repair", "--yes")
    assert result.status == FOUND, "its record names what is not there now"
    assert not raw.exists()
    assert "payload-missing" in result.out
    calo("put", picture)
    assert raw.read_bytes() == picture.read_bytes()
    assert calo("verify", "--full").status == 0


def test_an_upload_replaces_what_was_found_rotten(calo: Invoke, picture: Path, folder: Path) -> None:
    raw = stored(calo, picture, folder)
    raw.write_bytes(raw.read_bytes()[:-1] + b"?")
    calo("put", picture)
    assert raw.read_bytes() != picture.read_bytes(), "it was hashed a moment ago and is trusted"
    calo("verify", "--full")
    calo("put", picture)
    assert raw.read_bytes() == picture.read_bytes()
    assert calo("verify", "--full").status == 0


def test_edited_files_are_taken_over(calo: Invoke, picture: Path, folder: Path) -> None:
    stored(calo, picture, folder)
    log, general = folder / "binaries/index.jsonl", folder / "settings/general.json"
    log.write_bytes(log.read_bytes().replace(b"picture.png", b"Picture.png"))
    general.write_bytes(general.read_bytes().replace(b"admin@localhost", b"ada@example.org"))
    result = calo("verify")
    assert result.status == FOUND
    assert "line-altered" in result.out
    assert "document-altered" in result.out
    result = calo("verify", "--accept")
    assert (result.status, result.err) == (0, "2 changes taken over\n")
    assert calo("verify").out.endswith("All is well.\n")
    assert b"Picture.png" in log.read_bytes()
    assert b"ada@example.org" in general.read_bytes()


def test_a_store_whose_users_cannot_be_read_can_be_checked(calo: Invoke, picture: Path, folder: Path) -> None:
    stored(calo, picture, folder)
    (folder / "settings/general.json").write_bytes(b"{")
    assert calo("ls").status != 0
    result = calo("verify")
    assert result.status == FOUND
    assert "document-damaged" in result.out


def test_options_that_make_no_sense(calo: Invoke) -> None:
    assert calo("verify").status == 3
    calo("init")
    for wrong in (("--quick", "--full"), ("--part", "3/2"), ("--rate", "0"), ("--older-than", "soon")):
        assert calo("verify", *wrong).status == 2
