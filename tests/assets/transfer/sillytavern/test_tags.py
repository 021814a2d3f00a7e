"""Tags of the settings and of folders: found by what they were, made once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from assets.transfer.report import Status
from assets.transfer.sillytavern.settings import Tag
from assets.transfer.sillytavern.tags import Tags
from assets.transfer.sillytavern.target import Target

if TYPE_CHECKING:
    from .conftest import Home

FOREST = Tag("1", "Forest", {"id": "1", "name": "Forest", "color": "green", "create_date": 1687190832123})


@pytest.fixture
def tags(home: Home) -> Tags:
    """The tags of the first user."""
    return Tags(Target(home.store.inside.records, home.owner, "2024-01-01T00:00:00.000Z"))


def test_a_tag_keeps_all_it_had(home: Home, tags: Tags) -> None:
    (item,) = tags.bring([FOREST], "settings.json")
    stored = home.one("tag", name="Forest")
    assert (item.status, item.new_id) == (Status.IMPORTED, stored["id"])
    assert (stored["nameLower"], stored["createdAt"]) == ("forest", "2023-06-19T16:07:12.123Z")
    assert stored["_meta"] == {"sillyTavern": {"color": "green", "create_date": 1687190832123}}
    assert [item.status for item in tags.bring([FOREST], "settings.json")] == [Status.SAME]
    assert tags.names(["1", "gone", "1"]) == ["Forest"]


def test_a_tag_of_the_name_that_is_here_stands_for_it(home: Home, tags: Tags) -> None:
    known = home.store.tags.create(name="FOREST")
    (item,) = tags.bring([FOREST], "settings.json")
    assert (item.status, item.new_id) == (Status.SAME, known.id)
    assert tags.names(["1"]) == ["FOREST"]


def test_a_tag_that_was_renamed_here_is_carried_by_its_new_name(home: Home, tags: Tags) -> None:
    list(tags.bring([FOREST], "settings.json"))
    home.store.tags.rename(home.one("tag")["id"], "Wood")
    assert [item.status for item in tags.bring([FOREST], "settings.json")] == [Status.SKIPPED]
    assert tags.names(["1"]) == ["Wood"]


def test_two_tags_of_one_name_there_are_one_here(tags: Tags) -> None:
    twin = Tag("2", "forest", {})
    assert [item.status for item in tags.bring([FOREST, twin], "settings.json")] == [Status.IMPORTED, Status.SAME]
    assert tags.names(["2", "1"]) == ["Forest"]


def test_a_tag_renamed_there_to_one_that_is_here_fails_alone(home: Home, tags: Tags) -> None:
    list(tags.bring([FOREST], "settings.json"))
    home.store.tags.create(name="Wood")
    renamed = Tag("1", "Wood", {})
    assert [item.status for item in tags.bring([renamed], "settings.json")] == [Status.FAILED]


def test_a_folders_tag_is_made_once_and_found_when_it_was_renamed(home: Home, tags: Tags) -> None:
    assert tags.of_folder("worlds") is None
    tags.make_of_folder("worlds")
    tags.make_of_folder("worlds")
    made = home.one("tag", name="worlds")["id"]
    home.store.tags.rename(made, "Lore")
    assert tags.of_folder("worlds") == made
    known = home.store.tags.create(name="Backgrounds").id
    assert tags.of_folder("backgrounds") == known
