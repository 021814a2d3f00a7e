"""Which of our users a folder's is."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from assets.transfer.report import Status

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

    from .conftest import Home, Items

BEN = "b53b3a3d-6ab9-4ce0-a682-29151c9bde11"


def edit_user(application: Path, **members: Any) -> None:
    path = application / "data/settings/general.json"
    document = json.loads(path.read_text())
    document["user"] |= members
    path.write_text(json.dumps(document))


def test_our_first_user_takes_over_the_profile_when_it_is_as_init_made_it(
    home: Home, application: Path, original: ModuleType, items: Items
) -> None:
    edit_user(application, theme="dark", _role="user")
    report = home.bring(application)
    (item,) = items(report, Status.REMAPPED, "user")
    assert (item.id, item.new_id) == (original.USER, home.first)
    user = home.body("user", home.first)
    assert (user["email"], user["name"], user["theme"], user["_role"]) == ("ada@example.org", "Ada", "dark", "admin")
    assert user["passwordHash"] == original.user()["passwordHash"]
    (settings,) = [one.body for one in home.documents.scan("chatSettings")]
    assert settings["userId"] == home.first
    assert settings["tagStyles"] == original.chat_settings()["tagStyles"]


def test_otherwise_it_is_a_further_user_with_its_own_id_and_no_role(
    home: Home, application: Path, original: ModuleType, items: Items
) -> None:
    home.records.users.edit(home.first, lambda user: user.replaced(name="The boss"))
    edit_user(application, _role="admin")
    report = home.bring(application)
    assert [item.id for item in items(report, Status.IMPORTED, "user")] == [original.USER]
    assert home.body("user", original.USER) == original.user()
    assert home.body("chatSettings", original.SETTINGS) == original.chat_settings()
    assert home.body("character", original.CHARACTER) == original.character()
    assert home.body("apiKey", original.KEY)["_userId"] == original.USER
    assert home.body("user", home.first)["email"] == "admin@localhost"


def test_a_user_of_the_same_address_is_the_same(
    home: Home, application: Path, original: ModuleType, items: Items
) -> None:
    ada = home.records.users.create(email="ada@example.org", name="Ours")
    report = home.bring(application)
    assert [item.new_id for item in items(report, Status.SAME, "user")] == [ada.id]
    assert home.body("user", ada.id)["name"] == "Ours"
    assert home.body("character", original.CHARACTER)["userId"] == ada.id


def test_everything_may_go_to_a_user_that_is_named(
    home: Home, application: Path, original: ModuleType, items: Items
) -> None:
    ben = home.records.users.create(email="ben@example.org")
    report = home.bring(application, user=ben.id)
    assert len(items(report, Status.SKIPPED, "user")) == 1
    assert len(items(report, Status.SKIPPED, "chatSettings")) == 1
    assert home.body("user", ben.id)["email"] == "ben@example.org"
    assert home.body("character", original.CHARACTER)["userId"] == ben.id
    assert home.body("user", home.first)["email"] == "admin@localhost"


def test_further_users_come_too(home: Home, application: Path, original: ModuleType) -> None:
    users = application / "data/settings/users"
    users.mkdir()
    ben = {"id": BEN, "email": "ben@example.org", **original.DATES}
    (users / f"{BEN}.json").write_text(json.dumps({"version": 1, "user": ben, "chatSettings": None}))
    path = application / f"data/characters/{original.CHARACTER_2}.json"
    path.write_text(json.dumps(original.plain_character() | {"userId": BEN}))
    home.bring(application)
    assert home.body("user", BEN)["email"] == "ben@example.org"
    assert home.body("character", original.CHARACTER_2)["userId"] == BEN
    assert home.body("character", original.CHARACTER)["userId"] == home.first


@pytest.mark.parametrize("text", ["{", '{"user": null}', '{"user": {"id": "7"}}', "[]"])
def test_without_a_user_that_can_be_read_everything_is_our_first_ones(
    home: Home, application: Path, original: ModuleType, items: Items, text: str
) -> None:
    (application / "data/settings/general.json").write_text(text)
    report = home.bring(application)
    assert len(items(report, Status.FAILED)) == ("null" not in text)
    assert home.body("character", original.CHARACTER)["userId"] == home.first
    assert home.body("user", home.first)["email"] == "admin@localhost"


def test_only_the_folders_first_user_becomes_ours(home: Home, application: Path, original: ModuleType) -> None:
    (application / "data/settings/general.json").write_text("{")
    (application / "data/settings/users").mkdir()
    ben = {"user": {"id": BEN, "email": "ben@example.org", **original.DATES}}
    (application / f"data/settings/users/{BEN}.json").write_text(json.dumps(ben))
    home.bring(application)
    assert home.body("user", home.first)["email"] == "admin@localhost"
    assert home.body("user", BEN)["email"] == "ben@example.org"


def test_settings_that_were_changed_here_are_kept(home: Home, application: Path, items: Items) -> None:
    home.bring(application)
    settings = home.records.chat_settings.of_user(home.first)
    home.records.chat_settings.edit(settings.id, lambda one: one.replaced(avatar_display_style="SQUARE"))
    assert len(items(home.bring(application), Status.SKIPPED, "chatSettings")) == 1
    assert home.records.chat_settings.of_user(home.first).avatar_display_style == "SQUARE"
