"""Chats (the original's `ChatMetadata`), in both shapes of its data."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from .base import Dated, Declaration, Model
from .enums import ParticipantType
from .fields import Count, Derived, Filter, Flag, Id, JsonObject, Number, OnDelete, Ref, Searched, Text, Timestamp
from .homes import Lines

_CharacterRef = Ref("character", OnDelete.REFUSE, forced=OnDelete.CASCADE)
_ConnectionRef = Ref("connectionProfile", OnDelete.REFUSE)


class Participant(Model):
    """Somebody in a chat of the later shape: a character or a persona. It goes when its persona goes."""

    id: Id
    type: ParticipantType
    character_id: Annotated[Id | None, _CharacterRef] = None
    persona_id: Annotated[Id | None, Ref("persona", OnDelete.REMOVE)] = None
    connection_profile_id: Annotated[Id | None, _ConnectionRef] = None
    image_profile_id: Annotated[Id | None, Ref("imageProfile", OnDelete.CLEAR)] = None
    system_prompt_override: Text | None = None
    display_order: Number = 0
    is_active: Flag = True


class Chat(Dated):
    """A conversation; its events lie in `chats/<id>.jsonl`.

    Either `character_id` and `connection_profile_id` are there or `participants` is.

    Attributes:
        message_count: kept by the store from the events.
        last_message_at: kept by the store from the events.
    """

    declaration = Declaration(name="chat", home=Lines("chats/index.jsonl"), collection="chats")

    id: Id
    user_id: Annotated[Id, Ref("user", OnDelete.REFUSE, forced=OnDelete.CASCADE), Filter()]
    character_id: Annotated[Id | None, _CharacterRef, Filter()] = None
    persona_id: Annotated[Id | None, Ref("persona", OnDelete.CLEAR), Filter()] = None
    connection_profile_id: Annotated[Id | None, _ConnectionRef, Filter()] = None
    image_profile_id: Annotated[Id | None, Ref("imageProfile", OnDelete.CLEAR), Filter()] = None
    participants: list[Participant] | None = None
    title: Annotated[Text, Searched(4), Filter()]
    context_summary: Annotated[Text | None, Searched(1)] = None
    silly_tavern_metadata: JsonObject | None = None
    tags: list[Annotated[Id, Ref("tag", OnDelete.REMOVE)]] = Field(default_factory=list)
    message_count: Annotated[Count, Derived(), Filter()] = 0
    last_message_at: Annotated[Timestamp | None, Derived(), Filter()] = None

    @model_validator(mode="after")
    def _shape(self) -> Self:
        if self.participants is None and (self.character_id is None or self.connection_profile_id is None):
            raise ValueError("must have either characterId and connectionProfileId, or participants")
        return self
