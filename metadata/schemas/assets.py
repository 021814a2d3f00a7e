"""Assets (the original's `BinaryIndexEntry`) and the facts about the payloads they name.

Many assets may share one payload; the payload lies in `binaries/<sha256>/raw` and its facts in one line of
`binaries/facts.jsonl`.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from .base import Dated, Declaration, Entity
from .enums import AssetSource, AssetType, ImageTagType
from .fields import AnyRef, Count, Derived, Filter, Flag, Id, OnDelete, Ref, Searched, Sha256, Text, Timestamp
from .homes import Lines


class Asset(Dated):
    """One use of a payload by one owner.

    Attributes:
        sha256: the payload's digest, hashed here and never taken from a caller.
        relative_path: where the payload lies; `binaries/<sha256>/raw`, other values only in the original's data.
        mime_type: the sniffed media type.
        size: bytes.
        width: pixels, after orientation.
        height: pixels, after orientation.
        message_id: a message of the chat `chat_id`.
        tags: ids of tags, characters, personas or chats.
        tag_types: what the ids in `tags` are, for all but tags proper (THEME); without it they are looked up.
        image_profile_id: the image profile that generated the picture.
        declared_type: the media type the uploader gave, where the bytes say otherwise; never used.
        made_for_avatar: the record was made to give somebody a picture, and goes when nothing has it any more.
    """

    declaration = Declaration(name="asset", home=Lines("binaries/index.jsonl"), collection="assets")

    id: Id
    sha256: Annotated[Sha256, Filter()]
    type: Annotated[AssetType, Filter()]
    user_id: Annotated[Id, Ref("user", OnDelete.REFUSE, forced=OnDelete.CASCADE), Filter()]
    filename: Annotated[Text, Searched(4), Filter()]
    relative_path: Annotated[Text, Derived()]
    mime_type: Annotated[Text, Filter()]
    size: Annotated[Count, Filter()]
    width: Annotated[Count | None, Filter()] = None
    height: Annotated[Count | None, Filter()] = None
    source: Annotated[AssetSource, Filter()] = AssetSource.UPLOAD
    generation_prompt: Annotated[Text | None, Searched(2)] = None
    generation_model: Annotated[Text | None, Searched(1), Filter()] = None
    chat_id: Annotated[Id | None, Ref("chat", OnDelete.CLEAR, cascade_if=("type", "chat_file")), Filter()] = None
    character_id: Annotated[Id | None, Ref("character", OnDelete.CLEAR), Filter()] = None
    message_id: Annotated[Id | None, Ref("message", OnDelete.CLEAR), Filter()] = None
    tags: list[Annotated[Id, AnyRef(types="_tagTypes")]] = Field(default_factory=list)
    tag_types: dict[str, ImageTagType] | None = Field(default=None, alias="_tagTypes")
    image_profile_id: Annotated[Id | None, Ref("imageProfile", OnDelete.CLEAR), Filter()] = Field(
        default=None, alias="_imageProfileId"
    )
    declared_type: Text | None = Field(default=None, alias="_declaredType")
    made_for_avatar: Flag | None = Field(default=None, alias="_madeForAvatar")

    @model_validator(mode="before")
    @classmethod
    def _place(cls, values: Any) -> Any:  # noqa: ANN401 - whatever the caller passed
        if isinstance(values, dict) and "relativePath" not in values and "relative_path" not in values:
            return {**values, "relativePath": f"binaries/{values.get('sha256')}/raw"}
        return values


class Image(Asset):
    """An asset used as a picture or as an avatar."""

    type: Annotated[Literal[AssetType.IMAGE, AssetType.AVATAR], Filter()]


class ChatFile(Asset):
    """An asset that is a file of a chat and goes with it."""

    type: Annotated[Literal[AssetType.CHAT_FILE], Filter()]


class Fact(Entity):
    """What is known of a payload whoever uses it; all of it can be found out again from the bytes.

    Attributes:
        size: bytes.
        inline: false for a picture that hides another format; a browser must not show it in place.
        frames: 1 for a still picture.
        alpha: pixels may be transparent.
        color_mode: grey, rgb, palette, cmyk or lab.
        bit_depth: bits of one sample.
        unseen: a picture whose pixels nobody has looked at yet, for `placeholder` and `perceptual_hash`; false: it
            was looked at and cannot be decoded.
        refused_by: the recipe that could not decode it; another one may.
        placeholder: a tiny stand-in picture as text, shown while the picture loads.
        perceptual_hash: a short hash that is near for pictures that look alike.
        picture_identity: the SHA-256 of a PNG without the chunks of a character card; known of the cards that were
            imported, so that editions of one card share their picture.
        verified_at: when the stored bytes were last hashed and found to be what their name says.
        rotten_at: when they were found not to be; until they are replaced no upload trusts them.
    """

    declaration = Declaration(
        name="fact", home=Lines("binaries/facts.jsonl"), key=("sha256",), owner=None, mentions=False
    )

    sha256: Annotated[Sha256, Filter()]
    size: Annotated[Count, Filter()]
    media_type: Annotated[Text | None, Filter()] = None
    inline: Flag | None = None
    width: Count | None = None
    height: Count | None = None
    frames: Count | None = None
    alpha: Flag | None = None
    color_mode: Text | None = None
    bit_depth: Count | None = None
    unseen: Annotated[Flag | None, Filter()] = None
    refused_by: Text | None = None
    placeholder: Text | None = None
    perceptual_hash: Annotated[Text | None, Filter()] = None
    picture_identity: Annotated[Text | None, Filter()] = None
    first_stored_at: Annotated[Timestamp | None, Filter()] = None
    last_upload_at: Annotated[Timestamp | None, Filter()] = None
    verified_at: Annotated[Timestamp | None, Filter()] = None
    rotten_at: Annotated[Timestamp | None, Filter()] = None
