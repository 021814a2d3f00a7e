"""Names inside the data folder."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metadata.errors import InvalidError
from metadata.files.paths import DataPaths


@pytest.mark.parametrize(
    "path",
    ["", ".", "..", "../x", "a/../b", "a/./b", "a//b", "/etc/passwd", "a/", "a\\b", "..\\x", "a\0b", "a\nb", "\ud800"],
)
def test_refused(tmp_path: Path, path: str) -> None:
    with pytest.raises(InvalidError):
        DataPaths(tmp_path).resolve(path)
    with pytest.raises(InvalidError):
        DataPaths(tmp_path).resolve("ok", path)


def test_too_long(tmp_path: Path) -> None:
    DataPaths(tmp_path).resolve("x" * 255)
    with pytest.raises(InvalidError):
        DataPaths(tmp_path).resolve("é" * 128)


@given(st.lists(st.text(), min_size=1, max_size=4))
def test_nothing_leads_outside(segments: list[str]) -> None:
    paths = DataPaths(Path("/nowhere/data"))
    try:
        found = paths.resolve(*segments)
    except InvalidError:
        return
    assert Path("/nowhere/data") in found.parents
    assert ".." not in found.parts
    assert paths.resolve(paths.relative(found)) == found


def test_root_may_be_a_link_but_nothing_inside(tmp_path: Path) -> None:
    (tmp_path / "real" / "inner").mkdir(parents=True)
    (tmp_path / "outside").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    paths = DataPaths(tmp_path / "link")
    assert paths.root == tmp_path / "real"
    assert paths.resolve("inner", "a.json") == tmp_path / "real" / "inner" / "a.json"
    (tmp_path / "real" / "out").symlink_to(tmp_path / "outside")
    (tmp_path / "real" / "dangling").symlink_to(tmp_path / "absent")
    for path in ("out", "out/a.json", "dangling"):
        with pytest.raises(InvalidError, match="symbolic link"):
            paths.resolve(path)
    with pytest.raises(InvalidError):
        paths.relative(tmp_path / "outside")
    assert paths.resolve() == paths.root
