"""`calotype variants`: made before they are asked for, counted, removed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PIL import Image

if TYPE_CHECKING:
    from pathlib import Path

    from .conftest import Invoke


@pytest.fixture
def pictures(calo: Invoke, tmp_path: Path) -> None:
    """Two pictures, one that is cut short, and a text."""
    Image.linear_gradient("L").save(tmp_path / "one.png")
    Image.radial_gradient("L").save(tmp_path / "two.jpg")
    (tmp_path / "half.png").write_bytes((tmp_path / "one.png").read_bytes()[:-100])
    (tmp_path / "notes.txt").write_text("no picture")
    for name in ("one.png", "two.jpg", "half.png", "notes.txt"):
        assert calo("put", tmp_path / name).status == 0


@pytest.mark.usefixtures("pictures")
def test_warm_stats_purge(calo: Invoke, folder: Path) -> None:
    first = calo("variants", "warm", "--json")
    assert first.json() == {"made": 4, "there": 0, "refused": 2, "removed": 0}
    assert first.err.count("damaged") == 2
    assert len(list(folder.glob("binaries/*/256x256-cover.r*.*"))) == 4
    assert calo("variants", "warm").out == "0 made, 4 there before, 2 refused\n"

    told = calo("variants", "stats", "--json").json()
    size = sum(path.stat().st_size for path in folder.glob("binaries/*/256x256-cover.r*.*"))
    assert {name: told[name] for name in ("files", "bytes", "computed", "stale")} == {
        "files": 4,
        "bytes": size,
        "computed": 4,
        "stale": 0,
    }
    assert calo("variants", "stats").out.startswith("4 derived pictures, ")

    assert calo("variants", "purge", "--stale").out == "0 removed\n"
    assert calo("variants", "purge", "--json").json() == {"removed": 4}
    assert list(folder.glob("binaries/*/*.r*.*")) == []
    assert len(list(folder.glob("binaries/*/raw"))) == 4


@pytest.mark.usefixtures("pictures")
def test_derived_pictures_are_no_strangers_to_verify(calo: Invoke) -> None:
    calo("variants", "warm", "--variant", "thumb", "--variant", "avatar", "--variant", "x512", "--variant", "64x")
    assert calo("verify").out.endswith("All is well.\n")


@pytest.mark.usefixtures("pictures")
def test_warm_what_is_named(calo: Invoke, folder: Path) -> None:
    done = calo("variants", "warm", "--variant", "64x", "--variant", "avatar", "--format", "avif")
    assert done.out == "4 made, 0 there before, 2 refused\n"
    names = {path.name.partition(".")[0] for path in folder.glob("binaries/*/*.avif")}
    assert names == {"64x", "256x256-face"}


@pytest.mark.usefixtures("pictures")
def test_warming_more_than_there_is_room_for(calo: Invoke, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CALOTYPE_VARIANT_CACHE_BYTES", "1")
    done = calo("variants", "warm")
    assert "4 had to make room" in done.err
    assert list(folder.glob("binaries/*/*.r*.*")) == []


def test_a_size_that_is_not_on_offer(calo: Invoke) -> None:
    calo("init")
    done = calo("variants", "warm", "--variant", "63x")
    assert done.status == 2
    assert "32, 48, 64" in done.err
