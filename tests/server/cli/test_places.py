"""Whether a command works on the folder or on a server, and what it says about the folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from calotype import InvalidError, LocalStore, NotFoundError, RemoteStore
from server.cli.output import Output
from server.cli.places import open_assets, open_folder

if TYPE_CHECKING:
    from pathlib import Path

URL = "http://127.0.0.1:1"


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "data"))
    monkeypatch.delenv("CALOTYPE_URL", raising=False)


def test_an_option_wins_over_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with open_assets(None, None, None, Output(), create=True) as door:
        assert isinstance(door, LocalStore)
    with open_assets(None, URL, "calo_x", Output()) as door:
        assert isinstance(door, RemoteStore)
    monkeypatch.setenv("CALOTYPE_URL", URL)
    monkeypatch.setenv("CALOTYPE_TOKEN", "calo_x")
    with open_assets(None, None, None, Output()) as door:
        assert isinstance(door, RemoteStore)
    with open_assets(tmp_path / "data", None, None, Output()) as door:
        assert isinstance(door, LocalStore)
    with pytest.raises(InvalidError):
        open_assets(tmp_path / "data", URL, None, Output())


def test_an_address_that_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CALOTYPE_URL", "ftp://example.org")
    with pytest.raises(InvalidError, match="CALOTYPE_URL"):
        open_assets(None, None, None, Output())


def test_a_folder_is_made_only_where_that_is_meant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(NotFoundError, match="calotype init"):
        open_folder(tmp_path / "new", Output())
    monkeypatch.setenv("CALOTYPE_EXPECT_STORE", "1")
    with pytest.raises(NotFoundError, match="CALOTYPE_EXPECT_STORE"):
        open_folder(tmp_path / "new", Output(), create=True)
    assert not (tmp_path / "new").exists()


def test_warnings_are_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    open_folder(tmp_path / "new", Output(), create=True).close()
    assert capsys.readouterr().err == ""
    (tmp_path / "new").chmod(0o775)
    open_folder(tmp_path / "new", Output()).close()
    assert "chmod" in capsys.readouterr().err
