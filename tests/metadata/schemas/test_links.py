"""Links are views of the lists in their holders' records."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from metadata.schemas import links

if TYPE_CHECKING:
    from types import ModuleType


def shown(link: type[links.Link], record: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the links as their members on the wire."""
    return [found.model_dump(by_alias=True, mode="json") for found in link.of(record)]


def test_tags_of_every_holder(original: ModuleType) -> None:
    holders = [
        (links.CharacterTag, original.character(), "characterId", original.TAG),
        (links.ChatTag, original.chat(), "chatId", original.TAG_2),
        (links.ConnectionProfileTag, original.connection_profile(), "connectionProfileId", original.TAG),
        (links.PersonaTag, original.persona() | {"tags": [original.TAG]}, "personaId", original.TAG),
        (links.ImageProfileTag, original.image_profile() | {"tags": [original.TAG]}, "imageProfileId", original.TAG),
    ]
    for link, record, holder, tag in holders:
        assert shown(link, record) == [{holder: record["id"], "tagId": tag}]


def test_an_asset_s_tags_have_types_when_the_record_says_them(original: ModuleType) -> None:
    record = original.assets()[0]
    assert [link.tag_type for link in links.ImageTag.of(record)] == [None, None]
    typed = record | {"_tagTypes": {original.CHARACTER: "CHARACTER"}}
    assert shown(links.ImageTag, typed) == [
        {"imageId": original.ASSET, "tagId": original.TAG, "tagType": "THEME"},
        {"imageId": original.ASSET, "tagId": original.CHARACTER, "tagType": "CHARACTER"},
    ]


def test_personas_and_avatars_of_a_character(original: ModuleType) -> None:
    record = original.character()
    person = {"characterId": original.CHARACTER, "personaId": original.PERSONA, "isDefault": True}
    assert shown(links.CharacterPersona, record) == [person]
    picture = {"chatId": original.CHAT, "characterId": original.CHARACTER, "imageId": original.ASSET}
    assert shown(links.ChatAvatarOverride, record) == [picture]


def test_a_record_without_the_list_has_no_links(original: ModuleType) -> None:
    assert links.CharacterTag.of(original.plain_character()) == ()
