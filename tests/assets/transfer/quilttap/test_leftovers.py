"""Nothing is left behind silently."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assets.transfer.report import Status

if TYPE_CHECKING:
    from pathlib import Path

    from .conftest import Home, Items


def write(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("{}")


def test_a_folder_that_came_whole_leaves_nothing(
    home: Home, application: Path, later_application: Path, items: Items
) -> None:
    assert application == later_application
    assert items(home.bring(application), Status.SKIPPED, "other") == []


def test_what_did_not_come_is_named_and_counted(home: Home, application: Path, items: Items) -> None:
    for name in ("a", "b", "c/d"):
        write(application / f"data/memories/{name}.json")
    write(application / "data/settings/embedding-profiles.json")
    write(application / "data/notes.json")
    write(application / "data/cache/index.json")
    write(application / "data/tags/tags.json.lock")
    write(application / "data/files/storage/lost.png")
    write(application / "public/uploads/images/nobody.png")
    write(application / "public/favicon.ico")
    found = items(home.bring(application), Status.SKIPPED, "other")
    assert sorted((item.place, item.count) for item in found) == [
        ("files/storage", 1),
        ("memories", 3),
        ("notes.json", 1),
        ("public/uploads", 1),
        ("settings", 1),
    ]
    assert {item.place for item in found if "No record" in item.why} == {"files/storage", "public/uploads"}
