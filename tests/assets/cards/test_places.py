"""Where assets lie in a CHARX."""

from __future__ import annotations

import pytest

from assets.cards.charx import inner_path
from assets.cards.places import asset_place


@pytest.mark.parametrize(
    ("kind", "name", "ext", "path"),
    [
        ("icon", "main", "png", "assets/icon/images/main.png"),
        ("emotion", "happy.png", "png", "assets/emotion/images/happy.png"),
        ("background", "Rain & wind", "MP3", "assets/background/audio/Rain_wind.mp3"),
        ("other", "x", "", "assets/other/other/x"),
        ("../../etc", "../passwd", "/sh", "assets/etc/other/passwd.sh"),
        ("", "日本", "webm", "assets/other/video/asset.webm"),
    ],
)
def test_the_place_of_an_asset(kind: str, name: str, ext: str, path: str) -> None:
    assert asset_place(kind, name, ext, set()) == path
    assert inner_path(path) == path


def test_no_two_are_alike() -> None:
    taken: set[str] = set()
    for name in ("main", "Main", "MAIN", "main"):
        taken.add(asset_place("icon", name, "png", taken))
    assert len({path.lower() for path in taken}) == 4


@pytest.mark.parametrize(
    "name", ["", "/", "/etc/passwd", "../a", "a/../../b", "..\\a", "C:\\a", "c:a", "a\0b", "\ud800"]
)
def test_what_leads_out_of_a_folder(name: str) -> None:
    assert inner_path(name) is None


def test_what_stays_inside() -> None:
    assert [inner_path(name) for name in ("a/b.png", "a\\b.png", "./a", "a//b", "a..b")] == [
        *("a/b.png", "a/b.png", "a", "a/b", "a..b")
    ]
