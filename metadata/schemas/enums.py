"""The closed and the open word lists of the original application's schemas."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import WithJsonSchema

from .fields import Name


class Provider(StrEnum):
    """Known providers of language models; later data has others, so fields are `ProviderName`."""

    OPENAI = "OPENAI"
    ANTHROPIC = "ANTHROPIC"
    OLLAMA = "OLLAMA"
    OPENROUTER = "OPENROUTER"
    OPENAI_COMPATIBLE = "OPENAI_COMPATIBLE"
    GROK = "GROK"
    GAB_AI = "GAB_AI"
    GOOGLE = "GOOGLE"


class ImageProvider(StrEnum):
    """Known providers of image models; later data has others, so fields are `ImageProviderName`."""

    OPENAI = "OPENAI"
    GROK = "GROK"
    GOOGLE_IMAGEN = "GOOGLE_IMAGEN"
    GOOGLE = "GOOGLE"


class Role(StrEnum):
    """Who speaks in a message."""

    SYSTEM = "SYSTEM"
    USER = "USER"
    ASSISTANT = "ASSISTANT"
    TOOL = "TOOL"


class ImageTagType(StrEnum):
    """What kind of record an asset's tag id names."""

    CHARACTER = "CHARACTER"
    PERSONA = "PERSONA"
    CHAT = "CHAT"
    THEME = "THEME"


class AvatarDisplayMode(StrEnum):
    """When a chat shows avatars."""

    ALWAYS = "ALWAYS"
    GROUP_ONLY = "GROUP_ONLY"
    NEVER = "NEVER"


class AssetType(StrEnum):
    """What an asset is used as (`BinaryIndexEntry.type`)."""

    IMAGE = "image"
    CHAT_FILE = "chat_file"
    AVATAR = "avatar"


class AssetSource(StrEnum):
    """Where an asset came from (`BinaryIndexEntry.source`)."""

    UPLOAD = "upload"
    IMPORT = "import"
    GENERATED = "generated"


class ParticipantType(StrEnum):
    """What a participant of a chat is."""

    CHARACTER = "CHARACTER"
    PERSONA = "PERSONA"


class UserRole(StrEnum):
    """What a user may do; ours, not the original's."""

    ADMIN = "admin"
    USER = "user"


class Scope(StrEnum):
    """What an access token may do; each includes the ones before it."""

    READ = "read"
    WRITE = "write"
    ADMIN = "admin"


ProviderName = Annotated[
    Name, WithJsonSchema({"type": "string", "minLength": 1, "examples": [known.value for known in Provider]})
]
"""Any non-empty string; the known providers are suggested."""

ImageProviderName = Annotated[
    Name, WithJsonSchema({"type": "string", "minLength": 1, "examples": [known.value for known in ImageProvider]})
]
"""Any non-empty string; the known image providers are suggested."""
