"""The original's link models, which are not stored by themselves: views of the lists inside their holders' records."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

from .enums import ImageTagType
from .fields import Flag, Id

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


class Link(BaseModel):
    """One link between two records.

    Attributes:
        holder: the kind whose records hold such links.
        member: the list in the holder's record.
    """

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True, hide_input_in_errors=True)

    holder: ClassVar[str]
    member: ClassVar[str] = "tags"

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> tuple[Self, ...]:
        """Return the links that a holder's record contains, in its order."""
        items = record.get(cls.member) or []
        return tuple(cls.model_validate(members) for item in items for members in cls._members(record, item))

    @classmethod
    def _members(cls, record: Mapping[str, Any], item: Any) -> Iterator[dict[str, Any]]:  # noqa: ANN401 - JSON
        yield {f"{cls.holder}Id": record["id"], "tagId": item}


class ConnectionProfileTag(Link):
    """A tag on a connection profile."""

    holder = "connectionProfile"
    connection_profile_id: Id
    tag_id: Id


class ImageProfileTag(Link):
    """A tag on an image profile."""

    holder = "imageProfile"
    image_profile_id: Id
    tag_id: Id


class CharacterTag(Link):
    """A tag on a character."""

    holder = "character"
    character_id: Id
    tag_id: Id


class PersonaTag(Link):
    """A tag on a persona."""

    holder = "persona"
    persona_id: Id
    tag_id: Id


class ChatTag(Link):
    """A tag on a chat."""

    holder = "chat"
    chat_id: Id
    tag_id: Id


class ImageTag(Link):
    """A tag, character, persona or chat that an asset is tagged with.

    Attributes:
        tag_type: what `tag_id` names; None: the record does not say, look the id up.
    """

    holder = "asset"
    image_id: Id
    tag_id: Id
    tag_type: ImageTagType | None = None

    @classmethod
    def _members(cls, record: Mapping[str, Any], item: Any) -> Iterator[dict[str, Any]]:  # noqa: ANN401 - JSON
        types = record.get("_tagTypes")
        kind = None if types is None else types.get(item, ImageTagType.THEME)
        yield {"imageId": record["id"], "tagId": item, "tagType": kind}


class CharacterPersona(Link):
    """A persona that goes with a character."""

    holder = "character"
    member = "personaLinks"
    character_id: Id
    persona_id: Id
    is_default: Flag = False

    @classmethod
    def _members(cls, record: Mapping[str, Any], item: Any) -> Iterator[dict[str, Any]]:  # noqa: ANN401 - JSON
        yield {"characterId": record["id"], **item}


class ChatAvatarOverride(Link):
    """The picture that a character has in one chat."""

    holder = "character"
    member = "avatarOverrides"
    chat_id: Id
    character_id: Id
    image_id: Id

    @classmethod
    def _members(cls, record: Mapping[str, Any], item: Any) -> Iterator[dict[str, Any]]:  # noqa: ANN401 - JSON
        yield {"characterId": record["id"], **item}
