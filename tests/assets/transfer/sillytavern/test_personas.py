"""Personas with their pictures, and linked with characters on both sides."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from assets.transfer.report import Status

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

    from .conftest import Brought, Home, Pick


def test_a_persona_keeps_all_it_had(brought: Brought) -> None:
    home = brought.home
    ada, seraphina = home.one("persona", name="Ada"), home.one("character", name="Seraphina")
    assert (ada["description"], ada["title"]) == ("Tall.", "the Countess")
    picture = home.asset("User Avatars/ada.png")
    assert (ada["defaultImageId"], picture["type"]) == (picture["id"], "avatar")
    assert ada["sillyTavernData"]["isDefault"] is True
    assert ada["sillyTavernData"]["avatar"] == "ada.png"
    assert ada["characterLinks"] == [seraphina["id"]]
    assert [link["personaId"] for link in seraphina["personaLinks"]] == [ada["id"]]
    assert "defaultImageId" not in home.one("persona", name="Other")


def test_a_link_that_comes_and_goes_there_does_so_here(home: Home, tavern: Path, folders: ModuleType) -> None:
    home.bring(tavern)
    settings = folders.settings()
    described = settings["power_user"]["persona_descriptions"]
    described["other.png"] = {**described.pop("ada.png"), "connections": [{"type": "character", "id": "Bob.png"}]}
    (tavern / "settings.json").write_text(json.dumps(settings))
    home.bring(tavern)
    assert home.one("character", name="Seraphina")["personaLinks"] == []
    other, bob = home.one("persona", name="Other"), home.one("character", name="Bob")
    assert [link["personaId"] for link in bob["personaLinks"]] == [other["id"]]


def test_a_link_that_was_taken_away_here_stays_away(home: Home, tavern: Path, pick: Pick) -> None:
    home.bring(tavern)
    ada, seraphina = home.one("persona", name="Ada")["id"], home.one("character", name="Seraphina")["id"]
    home.store.characters.remove_persona(seraphina, ada)
    report = home.bring(tavern)
    assert home.one("character", name="Seraphina")["personaLinks"] == []
    assert [item.name for item in pick(report, Status.SKIPPED, "persona")] == ["Ada"]


def test_odd_names_of_pictures_hinder_nobody(home: Home, tavern: Path, folders: ModuleType, pick: Pick) -> None:
    settings = folders.settings()
    odd = {"../../away.png": "Away", "": "Empty", "a\0b.png": "Nul", "\ud83d.png": "Half"}
    settings["power_user"]["personas"] = {**odd, "ada.png": "Ada"}
    (tavern / "settings.json").write_text(json.dumps(settings))
    report = home.bring(tavern)
    assert {item.name for item in pick(report, Status.IMPORTED, "persona")} == {"Ada", *odd.values()}
    assert home.one("persona", name="Ada")["defaultImageId"]
