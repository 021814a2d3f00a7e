"""The 23 models of the original application by their names there."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from .assets import ChatFile, Image
from .characters import Character, Persona
from .chats import Chat
from .events import Message
from .links import (
    CharacterPersona,
    CharacterTag,
    ChatAvatarOverride,
    ChatTag,
    ConnectionProfileTag,
    ImageProfileTag,
    ImageTag,
    PersonaTag,
)
from .profiles import ApiKey, ConnectionProfile, ImageProfile
from .signin import Account, Session, VerificationToken
from .tags import Tag
from .users import ChatSettings, User

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import BaseModel

_MODELS: tuple[type[BaseModel], ...] = (
    User,
    ChatSettings,
    Account,
    Session,
    VerificationToken,
    ApiKey,
    ConnectionProfile,
    ConnectionProfileTag,
    Character,
    CharacterTag,
    CharacterPersona,
    ChatAvatarOverride,
    Persona,
    PersonaTag,
    Chat,
    ChatTag,
    Message,
    Image,
    ImageTag,
    ChatFile,
    Tag,
    ImageProfile,
    ImageProfileTag,
)

MODELS: Mapping[str, type[BaseModel]] = MappingProxyType({model.__name__: model for model in _MODELS})
"""The model of each name; links are views of their holders' records, images and chat files are assets."""
