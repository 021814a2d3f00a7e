"""The members of every kind as they cross the wire: what its bodies may hold and what its answers add."""

from __future__ import annotations

import uuid
from types import MappingProxyType
from typing import TYPE_CHECKING

from metadata.repositories.api_keys import FIELD as KEY
from metadata.repositories.chats import participants_of
from metadata.schemas.catalog import CATALOG
from metadata.schemas.chats import Chat

from .members import Members
from .wire import entity_wire

if TYPE_CHECKING:
    from collections.abc import Mapping

    from metadata.schemas.base import Entity

    from .members import Fields

AVATAR = "avatar"
NEEDS_REENTRY = "needsReentry"
_FIRST_SHAPE = ("characterId", "personaId", "connectionProfileId", "imageProfileId")
_OF_ACCOUNTS = ("refresh_token", "access_token", "id_token", "session_state")


def _chat_shown(chat: Entity) -> dict[str, object]:
    """Return a chat's answer; one of the first shape shows who is in it too."""
    wire = entity_wire(chat)
    if isinstance(chat, Chat) and chat.participants is None:
        present = participants_of(chat)
        wire["participants"] = [{name: getattr(who, attribute) for attribute, name in who.members()} for who in present]
    return wire


def _chat_settled(fields: Fields) -> Fields:
    """Give participants ids, and make a chat whose participants are given one of the later shape."""
    present = fields.get("participants")
    if not isinstance(present, list):
        return fields
    named = [{"id": str(uuid.uuid4()), **who} if isinstance(who, dict) else who for who in present]
    return {**fields, **dict.fromkeys(_FIRST_SHAPE), "participants": named}


_ALL = (
    Members(kind=CATALOG["character"], derived=(AVATAR,)),
    Members(kind=CATALOG["persona"], derived=(AVATAR,)),
    Members(kind=CATALOG["chat"], shown=_chat_shown, settled=_chat_settled),
    Members(kind=CATALOG["message"], derived=("chosenAt",)),
    Members(kind=CATALOG["tag"]),
    Members(kind=CATALOG["imageProfile"]),
    Members(kind=CATALOG["connectionProfile"]),
    Members(kind=CATALOG["apiKey"], accepted=(KEY,), derived=(NEEDS_REENTRY,)),
    Members(kind=CATALOG["user"], derived=(AVATAR,), guarded=("role", "emailVerified")),
    Members(kind=CATALOG["chatSettings"]),
    Members(kind=CATALOG["account"], accepted=_OF_ACCOUNTS),
    Members(kind=CATALOG["session"], accepted=("sessionToken",), once=("sessionToken",)),
    Members(kind=CATALOG["verificationToken"], accepted=("token",), once=("token",)),
)
MEMBERS: Mapping[str, Members] = MappingProxyType({members.kind.name: members for members in _ALL})
"""What is known of every kind that has no routes of its own shape, by the kind's name."""
