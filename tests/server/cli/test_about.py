"""`calotype config` and `calotype version`."""

from __future__ import annotations

import platform
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from .conftest import Invoke


def test_config_shows_every_setting_and_its_origin(calo: Invoke, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CALOTYPE_TOKEN", "calo_secret")
    done = calo("config", "--json")
    rows = {item["name"]: item for item in done.json()["items"]}
    assert rows["DATA_DIR"] | {"meaning": ""} == {
        "name": "DATA_DIR", "value": str(folder), "origin": "environment", "meaning": ""
    }  # fmt: skip
    assert (rows["CALOTYPE_PORT"]["value"], rows["CALOTYPE_PORT"]["origin"]) == ("8256", "default")
    assert rows["CALOTYPE_TOKEN"]["value"] == "********"
    assert all(item["meaning"] for item in rows.values())
    assert "calo_secret" not in done.out


def test_config_as_a_table_has_one_line_a_setting(calo: Invoke, folder: Path, tmp_path: Path) -> None:
    lines = calo("config", "--data-dir", tmp_path / "other").out.splitlines()
    assert lines[1].split()[:4] == ["DATA_DIR", str(tmp_path / "other"), "command", "line"]
    assert len(lines) > 30
    assert not folder.exists(), "looking makes nothing"


def test_a_wrong_setting_is_named(calo: Invoke, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CALOTYPE_PROT", "1")
    done = calo("config")
    assert (done.status, done.err) == (
        2,
        "There is no setting CALOTYPE_PROT; the nearest is CALOTYPE_PORT. `calotype config` lists them all.\n",
    )


def test_version(calo: Invoke) -> None:
    assert platform.python_version() in calo("version").out
    assert calo("version", "--json").json()["python"] == platform.python_version()
