"""`calotype backup`."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.server.cli.conftest import Invoke


def test_what_was_taken_is_told(calo: Invoke, picture: Path, tmp_path: Path) -> None:
    calo("init")
    calo("put", picture)
    result = calo("backup", tmp_path / "b")
    assert (result.status, result.err) == (0, "")
    assert result.out.startswith("1 payload and ")
    assert result.out.endswith("Read again and compared: all is well.\n")
    document = calo("backup", tmp_path / "b", "--incremental", "--json").json()
    assert (document["payloads"], document["reused"], document["verified"]) == (1, 1, True)
    assert calo("backup", tmp_path / "b", "--incremental", "--verify").status == 0
    refused = calo("backup", tmp_path / "b")
    assert refused.status != 0
    assert "--incremental" in refused.err


def test_the_key_is_spoken_of(calo: Invoke, tmp_path: Path, folder: Path) -> None:
    calo("init")
    (folder / "secrets" / "master.key").write_text("# none yet\n" + "ab" * 32 + "\n")
    assert "master key is in it" in calo("backup", tmp_path / "b", "--include-key").out
    assert "master key" not in calo("backup", tmp_path / "c").out
    (folder / "secrets" / "master.key").unlink()
    assert "no secrets/master.key" in calo("backup", tmp_path / "d", "--include-key").out


def test_a_damaged_store_is_backed_up_and_told(calo: Invoke, picture: Path, tmp_path: Path, folder: Path) -> None:
    calo("init")
    calo("put", picture)
    (raw,) = folder.glob("binaries/*/raw")
    raw.unlink()
    (folder / "characters" / "0c8a5d0e-93f4-4a3b-8f52-6f1d3c2b4a59.json").write_text("nonsense")
    result = calo("backup", tmp_path / "b")
    assert result.status == 14
    assert raw.parent.name in result.out
    assert "characters/0c8a5d0e" in result.out
    assert list(tmp_path.glob("b/records/*/characters/*.json"))


def test_options_that_make_no_sense(calo: Invoke, tmp_path: Path) -> None:
    calo("init")
    for arguments in (["b", "--verify"], ["-", "--json"], ["b.zip", "--incremental"]):
        target, *options = arguments
        assert calo("backup", tmp_path / target if target != "-" else "-", *options).status != 0
    assert not (tmp_path / "b").exists()


def test_a_stream_goes_to_standard_output_alone(calo: Invoke, picture: Path, tmp_path: Path, folder: Path) -> None:
    calo("init")
    calo("put", picture)
    command = [str(Path(sys.executable).with_name("calotype")), "backup", "-", "--data-dir", str(folder)]
    environment = {"PATH": os.environ["PATH"]}
    done = subprocess.run(command, capture_output=True, check=True, env=environment)
    assert b"cannot be read again" in done.stderr
    (tmp_path / "b.tar").write_bytes(done.stdout)
    with tarfile.open(tmp_path / "b.tar") as archive:
        assert archive.getnames()[-1] == "calotype-backup.jsonl"
    assert calo("restore", tmp_path / "b.tar", tmp_path / "again").status == 0
