"""How providers of models are reached: API keys, connection profiles for text, image profiles for pictures."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from .base import Dated, Declaration
from .enums import ImageProviderName, ProviderName
from .fields import Filter, Flag, Id, JsonObject, OnDelete, Ref, Sealed, Searched, Secret, Text, Timestamp
from .homes import InArray
from .sealed import KeyId

_CONNECTIONS = "settings/connection-profiles.json"


class ApiKey(Dated):
    """The key of a provider, sealed; the record itself is the envelope of the value named `key`.

    Attributes:
        ciphertext: without the tag; base64 as sealed here, hex as the original sealed it.
        key_id: the master key it is sealed with, absent in the original's data.
        user_id: absent means the first user, the one in `settings/general.json`.
    """

    declaration = Declaration(
        name="apiKey",
        home=InArray(_CONNECTIONS, "apiKeys"),
        owner="_userId",
        collection="api-keys",
        mentions=False,
    )

    id: Id
    label: Annotated[Text, Searched(4), Filter()]
    provider: Annotated[ProviderName, Searched(1), Filter()]
    ciphertext: Annotated[Secret, Sealed("key")]
    iv: Secret
    auth_tag: Secret
    is_active: Annotated[Flag, Filter()] = True
    last_used: Annotated[Timestamp | None, Filter()] = None
    key_id: KeyId | None = Field(default=None, alias="_keyId")
    user_id: Annotated[Id | None, Ref("user", OnDelete.REFUSE, forced=OnDelete.CASCADE), Filter()] = Field(
        default=None, alias="_userId"
    )


class Profile(Dated):
    """What connection profiles and image profiles have in common.

    Attributes:
        parameters: free JSON for the provider.
        is_default: at most one profile of a kind per user; the repository sees to it.
    """

    id: Id
    user_id: Annotated[Id, Ref("user", OnDelete.REFUSE, forced=OnDelete.CASCADE), Filter()]
    name: Annotated[Text, Searched(4), Filter()]
    provider: Annotated[ProviderName, Searched(1), Filter()]
    api_key_id: Annotated[Id | None, Ref("apiKey", OnDelete.CLEAR), Filter()] = None
    base_url: Text | None = None
    model_name: Annotated[Text, Searched(2), Filter()]
    parameters: JsonObject = Field(default_factory=dict[str, Any])
    is_default: Annotated[Flag, Filter()] = False
    tags: list[Annotated[Id, Ref("tag", OnDelete.REMOVE)]] = Field(default_factory=list)


class ConnectionProfile(Profile):
    """How a language model is reached."""

    declaration = Declaration(
        name="connectionProfile",
        home=InArray(_CONNECTIONS, "llmProfiles"),
        collection="connection-profiles",
    )


class ImageProfile(Profile):
    """How an image model is reached.

    Attributes:
        image_ids: sample and reference pictures; the first is the thumbnail.
    """

    declaration = Declaration(
        name="imageProfile",
        home=InArray("image-profiles/image-profiles.json", "profiles"),
        uniques=(("userId", "name"),),
        collection="image-profiles",
    )

    provider: Annotated[ImageProviderName, Searched(1), Filter()]
    image_ids: list[Annotated[Id, Ref("asset", OnDelete.REFUSE, forced=OnDelete.REMOVE)]] = Field(
        default_factory=list, alias="_imageIds"
    )
