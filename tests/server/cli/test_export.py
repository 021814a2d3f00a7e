"""`calotype export`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from tests.server.cli.conftest import Invoke


def test_it_is_told_and_opens(calo: Invoke, picture: Path, tmp_path: Path) -> None:
    calo("init")
    calo("put", picture)
    result = calo("export", tmp_path / "export")
    assert (result.status, result.err) == (0, "")
    assert result.out.startswith("1 payload and ")
    assert calo("ls", "--json", "--data-dir", tmp_path / "export").json() == calo("ls", "--json").json()
    assert calo("export", tmp_path / "export").status != 0
    assert calo("export", tmp_path / "more", "--include-sealed", "--json").json()["payloads"] == 1


def test_what_is_missing_is_told(calo: Invoke, picture: Path, tmp_path: Path, folder: Path) -> None:
    calo("init")
    calo("put", picture)
    (raw,) = folder.glob("binaries/*/raw")
    raw.unlink()
    result = calo("export", tmp_path / "export")
    assert result.status == 14
    assert raw.parent.name in result.out
