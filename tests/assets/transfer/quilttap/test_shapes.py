"""Rules of single kinds: names, defaults, links on both sides, chats that lost somebody."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from assets.transfer.report import Status

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

    from .conftest import Home, Items


def write(path: Path, value: object) -> None:
    path.write_text(json.dumps(value))


def test_tags_are_found_by_name_as_ours_are(home: Home, application: Path, original: ModuleType) -> None:
    home.bring(application)
    found = home.records.tags.find_by_name(home.first, "STRASSE")
    assert found is not None
    assert found.id == original.TAG_2


def test_a_link_that_one_side_says_is_said_by_both(home: Home, application: Path, original: ModuleType) -> None:
    data = application / "data"
    write(data / f"characters/{original.CHARACTER}.json", original.character() | {"personaLinks": []})
    write(
        data / f"characters/{original.CHARACTER_2}.json",
        original.plain_character() | {"personaLinks": [{"personaId": original.PERSONA, "isDefault": True}]},
    )
    home.bring(application)
    links = [{"personaId": original.PERSONA, "isDefault": False}]
    assert home.body("character", original.CHARACTER)["personaLinks"] == links
    assert home.body("persona", original.PERSONA)["characterLinks"] == [original.CHARACTER, original.CHARACTER_2]
    before = home.everything()
    assert home.bring(application).total(Status.IMPORTED) == 0
    assert home.everything() == before


def test_one_profile_stays_the_default(home: Home, application: Path, original: ModuleType, items: Items) -> None:
    profile: dict[str, Any] = {"provider": "OLLAMA", "model_name": "m", "is_default": True}
    ours = home.records.connections.create(user_id=home.first, name="Ours", **profile)
    report = home.bring(application)
    assert home.body("connectionProfile", original.CONNECTION)["isDefault"] is False
    assert home.records.connections.get(ours.id).is_default
    (item,) = items(report, Status.IMPORTED, "connectionProfile")
    assert "default" in item.notes[0]


def test_of_two_defaults_in_a_folder_the_first_stays(home: Home, application: Path, original: ModuleType) -> None:
    path = application / "data/settings/connection-profiles.json"
    document = json.loads(path.read_text())
    second = original.connection_profile() | {"id": "8f14e45f-ceea-467f-9a36-dedd4bea2544"}
    write(path, document | {"llmProfiles": [original.connection_profile(), second]})
    home.bring(application)
    defaults = [one.id for one in home.records.connections.find_all() if one.is_default]
    assert defaults == [original.CONNECTION]


def test_an_image_profile_of_a_name_that_is_taken_gets_another(
    home: Home, application: Path, original: ModuleType
) -> None:
    home.records.image_profiles.create(user_id=home.first, name="Portraits", provider="OPENAI", model_name="m")
    home.bring(application)
    assert home.body("imageProfile", original.IMAGE_PROFILE)["name"] == "Portraits (imported)"
    before = home.everything()
    home.bring(application)
    assert home.everything() == before
    names = {one.name for one in home.records.image_profiles.find_all()}
    assert names == {"Portraits", "Portraits (imported)"}


def test_a_chat_whose_character_or_connection_is_gone_lists_its_participants(
    home: Home, application: Path, original: ModuleType
) -> None:
    (application / f"data/characters/{original.CHARACTER}.json").unlink()
    home.bring(application)
    chat = home.body("chat", original.CHAT)
    assert [(one["type"], one["personaId"]) for one in chat["participants"]] == [("PERSONA", original.PERSONA)]
    assert "connectionProfileId" not in chat
    assert len(home.events) == 4
    before = home.everything()
    home.bring(application)
    assert home.everything() == before


def test_a_chat_that_named_nobody_comes_too(home: Home, application: Path, original: ModuleType) -> None:
    index = application / "data/chats/index.jsonl"
    write(index, original.chat() | {"characterId": None, "connectionProfileId": None})
    report = home.bring(application)
    assert report.total(Status.FAILED) == 0
    assert home.body("chat", original.CHAT)["participants"][0]["type"] == "PERSONA"


def test_a_chat_without_a_connection_keeps_its_character(home: Home, application: Path, original: ModuleType) -> None:
    (application / "data/settings/connection-profiles.json").unlink()
    home.bring(application)
    first = home.body("chat", original.CHAT)["participants"][0]
    assert (first["type"], first["characterId"]) == ("CHARACTER", original.CHARACTER)
    assert "connectionProfileId" not in first


def test_of_two_pictures_for_one_chat_the_last_is_taken(home: Home, application: Path, original: ModuleType) -> None:
    overrides = [{"chatId": original.CHAT, "imageId": image} for image in (original.ASSET_LOST, original.ASSET)]
    record = original.character() | {"avatarOverrides": overrides}
    write(application / f"data/characters/{original.CHARACTER}.json", record)
    home.bring(application)
    assert home.body("character", original.CHARACTER)["avatarOverrides"] == overrides[1:]
