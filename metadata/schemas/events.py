"""The events of a chat, one a line of `chats/<chatId>.jsonl`, oldest first: messages, summaries, and unknown ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal, Self, cast

from pydantic import Field

from .base import Declaration, Entity
from .enums import Role
from .fields import Count, Filter, Id, Name, NotRef, OnDelete, Parent, Ref, Searched, Text, Timestamp
from .homes import LinesPerParent

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_Moment = Annotated[Timestamp, Filter()]


class ChatEvent(Entity):
    """An event of any type; reading one gives an object of the class of its `type`.

    Attributes:
        chat_id: the chat; not written, the file's name carries it.
    """

    declaration = Declaration(name="message", home=LinesPerParent("chats", "chatId"), owner=None)

    chat_id: Annotated[Id | None, Ref("chat", OnDelete.CASCADE), Parent(), Filter()] = None

    @classmethod
    def variants(cls) -> tuple[type[Entity], ...]:
        """Return the classes of the known types and the one for unknown types."""
        return (Message, ContextSummary, UnknownEvent) if cls is ChatEvent else (cls,)

    @classmethod
    def from_record(cls, record: Mapping[str, Any], *, version: str | Callable[[], str] = "") -> Self:
        """Read an event, as any entity; its `type` decides the class."""
        if cls is ChatEvent:
            return cast("Self", _class_of(record).from_record(record, version=version))
        return super().from_record(record, version=version)

    @classmethod
    def build(cls, fields: Mapping[str, Any]) -> Self:
        """Make a new event, as any entity; its `type` decides the class."""
        if cls is ChatEvent:
            return cast("Self", _class_of(fields).build(fields))
        return super().build(fields)


class Message(ChatEvent):
    """Something said.

    Attributes:
        raw_response: what the provider answered, free JSON.
        swipe_group_id: the messages of one group are alternatives of each other.
        swipe_index: the place in the group.
        attachments: assets.
        chosen_at: when this alternative was chosen to be shown; of a group the one chosen last is.
    """

    type: Annotated[Literal["message"], Filter()] = "message"
    id: Id
    role: Annotated[Role, Filter()]
    content: Annotated[Text, Searched(1)]
    raw_response: Any = None
    token_count: Count | None = None
    swipe_group_id: Annotated[Text | None, NotRef("it names a group of messages, not a record"), Filter()] = None
    swipe_index: Annotated[Count | None, Filter()] = None
    attachments: list[Annotated[Id, Ref("asset", OnDelete.REFUSE, forced=OnDelete.REMOVE)]] = Field(
        default_factory=list
    )
    created_at: _Moment
    chosen_at: Timestamp | None = Field(default=None, alias="_chosenAt")


class ContextSummary(ChatEvent):
    """What was said so far, in short, for the model."""

    type: Annotated[Literal["context-summary"], Filter()] = "context-summary"
    id: Id
    context: Annotated[Text, Searched(1)]
    created_at: _Moment


class UnknownEvent(ChatEvent):
    """An event of a type that is not known here, kept and passed through as it is."""

    type: Annotated[Name, Filter()]
    id: Text | None = None
    created_at: Annotated[Text | None, Filter()] = None

    def to_record(self) -> dict[str, Any]:
        """Return the record with the members in the order they were read in: no schema knows a better one."""
        record = super().to_record()
        return {name: record[name] for name in self._source or () if name in record} | record


def _class_of(record: Mapping[str, Any]) -> type[ChatEvent]:
    known: dict[object, type[ChatEvent]] = {"message": Message, "context-summary": ContextSummary}
    kind = record.get("type")
    return known.get(kind, UnknownEvent) if isinstance(kind, str) else UnknownEvent
