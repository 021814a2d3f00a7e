"""What is a folder of SillyTavern, and what lies where in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from assets.transfer.sillytavern.layout import Layout, find_layout, folded, shown, stem_of
from assets.transfer.sources import Folder
from metadata.errors import InvalidError, NotFoundError, UnreadableError

if TYPE_CHECKING:
    from pathlib import Path


def user(place: Path, *names: str) -> Path:
    for name in names or ("characters", "chats", "User Avatars"):
        (place / name).mkdir(parents=True)
    return place


@pytest.mark.parametrize(
    "given", ["tavern/data/default-user", "tavern/data", "tavern", ".", "tavern/data/default-user/chats"]
)
def test_a_user_is_found_from_above_and_from_inside(tmp_path: Path, given: str) -> None:
    wanted = user(tmp_path / "tavern/data/default-user")
    user(tmp_path / "tavern/data/_storage")
    (tmp_path / "tavern/public/scripts").mkdir(parents=True)
    assert find_layout(tmp_path / given).folder.root == wanted


@pytest.mark.parametrize("given", ["tavern/public", "tavern", "tavern/public/characters"])
def test_the_older_root_is_found(tmp_path: Path, given: str) -> None:
    wanted = user(tmp_path / "tavern/public")
    assert find_layout(tmp_path / given).folder.root == wanted


def test_of_several_users_the_first_is_taken_and_the_others_are_named(tmp_path: Path) -> None:
    for name in ("ada", "default-user", "zoe"):
        user(tmp_path / "data" / name)
    layout = find_layout(tmp_path)
    assert (layout.folder.root.name, list(layout.others)) == ("default-user", ["ada", "zoe"])
    assert find_layout(tmp_path / "data/zoe").others == ()


def test_of_several_installations_none_is_guessed(tmp_path: Path) -> None:
    for name in ("one", "two"):
        user(tmp_path / name / "data/default-user")
    with pytest.raises(InvalidError, match="one, two"):
        find_layout(tmp_path)


def test_folders_that_are_not_looked_into_are_told(tmp_path: Path) -> None:
    class Closed(Folder):
        def names(self, path: str) -> list[str]:
            if path == "chats":
                raise UnreadableError("chats cannot be read: Permission denied.")
            return super().names(path)

    root = user(tmp_path / "u")
    (root / "characters" / "/".join("abcdefghij")).mkdir(parents=True)
    layout = Layout(Closed(root))
    assert list(layout.chats()) == []
    assert [path for path, _ in layout.unseen()] == ["characters/a/b/c/d/e/f/g/h", "chats"]
    assert list(layout.files("characters")) == []


def test_what_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        find_layout(tmp_path / "absent")
    (tmp_path / "some/folder").mkdir(parents=True)
    user(tmp_path / "some/tavern")
    with pytest.raises(InvalidError, match="data/default-user"):
        find_layout(tmp_path / "some/folder")  # what lies beside it is not meant


@pytest.mark.parametrize("sign", [".calotype", "personas", "binaries"])
def test_a_folder_of_another_application_is_none(tmp_path: Path, sign: str) -> None:
    user(tmp_path / "store", "characters", "chats", sign)
    with pytest.raises(InvalidError):
        find_layout(tmp_path / "store")


def test_names_are_found_however_they_are_written(tmp_path: Path) -> None:
    root = user(tmp_path / "u", "Characters", "CHATS/Ame\u0301lie", "group chats")
    (root / "Characters/Amélie.PNG").touch()
    (root / "Characters/Amélie").mkdir()
    (root / "Characters/notes.txt").touch()
    (root / "CHATS/Ame\u0301lie/one.JSONL").touch()
    (root / "CHATS/loose.jsonl").touch()
    (root / "group chats/7.jsonl").touch()
    layout = find_layout(root)
    assert layout.cards() == ["Characters/Amélie.PNG"]
    assert layout.sprite_folders() == ["Characters/Amélie"]
    assert list(layout.chats()) == [
        ("CHATS/Ame\u0301lie/one.JSONL", "Ame\u0301lie"),
        ("CHATS/loose.jsonl", None),
    ]
    assert layout.group_chats() == ["group chats/7.jsonl"]
    assert folded("Ame\u0301lie") == folded("AMÉLIE")
    assert stem_of("Characters/A. B.png") == "A. B"


def test_every_file_is_listed_and_links_to_folders_are_not_followed(tmp_path: Path) -> None:
    root = user(tmp_path / "u")
    (root / "characters/a/b").mkdir(parents=True)
    (root / "characters/a/b/c.png").touch()
    (root / "characters/d.png").touch()
    (root / "characters/round").symlink_to(root / "characters")
    layout = find_layout(root)
    assert list(layout.files("characters")) == ["characters/a/b/c.png", "characters/d.png", "characters/round"]
    assert list(layout.files("")) == list(layout.files("characters"))


def test_bytes_that_are_no_text_can_be_written_down() -> None:
    assert shown(b"caf\xe9.png".decode("utf-8", "surrogateescape")) == "caf�.png"
    assert shown("half \ud83d") == "half ?"
