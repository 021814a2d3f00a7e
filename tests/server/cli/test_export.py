"""`calotype export`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

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


def test_options_may_come_first_and_a_folder_may_be_called_card(
    calo: Invoke, picture: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calo("init")
    calo("put", picture)
    assert calo("export", "--include-sealed", "--json", tmp_path / "first").json()["payloads"] == 1
    assert calo("export", "folder", tmp_path / "named").status == 0
    monkeypatch.chdir(tmp_path)
    assert calo("export", "./card").status == 0
    assert (tmp_path / "card" / "settings").is_dir()
    assert calo("export").status == 2
    assert calo("export", "--nothing", tmp_path / "more").status == 2
