"""Characters and personas."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from metadata.errors import InvalidError
from metadata.schemas.characters import Character, Persona, PersonaLink

if TYPE_CHECKING:
    from types import ModuleType


def test_links_and_overrides_lie_inside(original: ModuleType) -> None:
    character = Character.from_record(original.character())
    assert character.persona_links[0].persona_id == original.PERSONA
    assert character.persona_links[0].is_default
    assert character.avatar_overrides[0].image_id == original.ASSET
    assert Persona.from_record(original.persona()).character_links == [original.CHARACTER]


def test_a_link_is_added_as_an_object_or_as_members(original: ModuleType) -> None:
    plain = Character.from_record(original.plain_character())
    expected = original.plain_character() | {"personaLinks": [{"personaId": original.PERSONA, "isDefault": False}]}
    assert plain.replaced(persona_links=[PersonaLink(persona_id=original.PERSONA)]).to_record() == expected
    assert plain.replaced(persona_links=[{"personaId": original.PERSONA}]).to_record() == expected


def test_unknown_members_of_a_link_survive_a_change_of_the_list(original: ModuleType) -> None:
    link = {"personaId": original.PERSONA, "isDefault": True, "since": 2024}
    character = Character.from_record(original.character() | {"personaLinks": [link, link]})
    assert character.replaced(persona_links=character.persona_links[:1]).to_record()["personaLinks"] == [link]


def test_the_place_of_a_wrong_id_is_named(original: ModuleType) -> None:
    record = original.character() | {"avatarOverrides": [{"chatId": original.CHAT, "imageId": "x"}]}
    with pytest.raises(InvalidError) as caught:
        Character.from_record(record)
    assert caught.value.details["field"] == "avatarOverrides.0.imageId"


@pytest.mark.parametrize("member", ["description", "personality", "scenario", "firstMessage", "name", "userId"])
def test_what_a_character_must_have(original: ModuleType, member: str) -> None:
    with pytest.raises(InvalidError) as caught:
        Character.from_record({name: value for name, value in original.character().items() if name != member})
    assert caught.value.details["field"] == member
