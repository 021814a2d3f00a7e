"""Characters and personas, one file each, and the links between them.

A character's `personaLinks` and a persona's `characterLinks` are two views of one many-to-many link; the repositories
change both in one operation.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from .base import Dated, Declaration, Model
from .fields import Filter, Flag, Id, JsonObject, OnDelete, Ref, Searched, Text
from .homes import OwnFile

_Owner = Annotated[Id, Ref("user", OnDelete.REFUSE, forced=OnDelete.CASCADE), Filter()]
_Picture = Annotated[Id | None, Ref("asset", OnDelete.REFUSE, forced=OnDelete.CLEAR), Filter()]
_TagId = Annotated[Id, Ref("tag", OnDelete.REMOVE)]


class PersonaLink(Model):
    """A persona that goes with a character."""

    persona_id: Annotated[Id, Ref("persona", OnDelete.REMOVE)]
    is_default: Flag = False


class AvatarOverride(Model):
    """The picture a character has in one chat; one a chat."""

    chat_id: Annotated[Id, Ref("chat", OnDelete.REMOVE)]
    image_id: Annotated[Id, Ref("asset", OnDelete.REFUSE, forced=OnDelete.REMOVE)]


class Character(Dated):
    """Somebody to talk with.

    Attributes:
        avatar_url: any URL; `/blobs/{sha256}` or `/avatars/{sha256}` in it keeps that payload.
        default_image_id: the asset that is the character's picture.
        silly_tavern_data: the card as it was imported.
    """

    declaration = Declaration(name="character", home=OwnFile("characters"), collection="characters")

    id: Id
    user_id: _Owner
    name: Annotated[Text, Searched(8), Filter()]
    title: Annotated[Text | None, Searched(4), Filter()] = None
    description: Annotated[Text, Searched(2)]
    personality: Annotated[Text, Searched(1)]
    scenario: Annotated[Text, Searched(1)]
    first_message: Annotated[Text, Searched(1)]
    example_dialogues: Annotated[Text | None, Searched(1)] = None
    system_prompt: Annotated[Text | None, Searched(1)] = None
    avatar_url: Text | None = None
    default_image_id: _Picture = None
    silly_tavern_data: JsonObject | None = None
    is_favorite: Annotated[Flag, Filter()] = False
    persona_links: list[PersonaLink] = Field(default_factory=list)
    tags: list[_TagId] = Field(default_factory=list)
    avatar_overrides: list[AvatarOverride] = Field(default_factory=list)


class Persona(Dated):
    """Somebody to be in a chat; `avatar_url`, `default_image_id` and `silly_tavern_data` as a character's."""

    declaration = Declaration(name="persona", home=OwnFile("personas"), collection="personas")

    id: Id
    user_id: _Owner
    name: Annotated[Text, Searched(8), Filter()]
    title: Annotated[Text | None, Searched(4), Filter()] = None
    description: Annotated[Text, Searched(2)]
    personality_traits: Annotated[Text | None, Searched(1)] = None
    avatar_url: Text | None = None
    default_image_id: _Picture = None
    silly_tavern_data: JsonObject | None = None
    character_links: list[Annotated[Id, Ref("character", OnDelete.REMOVE)]] = Field(default_factory=list)
    tags: list[_TagId] = Field(default_factory=list)
