"""Chat events: the type decides the class, and an unknown type passes through."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from metadata.errors import InvalidError
from metadata.schemas.events import ChatEvent, ContextSummary, Message, UnknownEvent

if TYPE_CHECKING:
    from types import ModuleType


def test_the_type_decides_the_class(original: ModuleType) -> None:
    events = [ChatEvent.from_record(record) for record in original.events()]
    assert [type(event) for event in events] == [Message, Message, ContextSummary, UnknownEvent]
    assert [event.to_record() for event in events] == original.events()


def test_an_event_of_an_unknown_type_may_hold_anything() -> None:
    record = {"seconds": 3, "createdAt": "then", "type": "pause", "_meta": {}, "ids": []}
    assert list(ChatEvent.from_record(record).to_record().items()) == list(record.items())


@pytest.mark.parametrize("record", [{}, {"type": ""}, {"type": 5}, {"type": ["message"]}])
def test_an_event_has_a_type(record: dict[str, object]) -> None:
    with pytest.raises(InvalidError) as caught:
        ChatEvent.from_record(record)
    assert caught.value.details["field"] == "type"


def test_a_damaged_message_is_not_an_unknown_event(original: ModuleType) -> None:
    with pytest.raises(InvalidError) as caught:
        ChatEvent.from_record(original.events()[0] | {"role": "NARRATOR"})
    assert caught.value.details["field"] == "role"


def test_the_chat_is_carried_beside_the_line(original: ModuleType) -> None:
    event = ChatEvent.from_record(original.events()[0] | {"chatId": original.CHAT})
    assert event.chat_id == original.CHAT
    assert ChatEvent.from_record(original.events()[0]).chat_id is None


def test_a_new_message_is_built_by_its_type_and_refuses_unknown_names(original: ModuleType) -> None:
    fields = {"type": "message", "id": original.MESSAGE, "role": "USER", "content": "", "created_at": original.NOW}
    event = ChatEvent.build(fields)
    assert isinstance(event, Message)
    assert event.attachments == []
    with pytest.raises(InvalidError):
        ChatEvent.build(fields | {"mood": "x"})


@pytest.mark.parametrize("response", [None, {"a": 1}, [1, 2], "text", 3.5])
def test_what_the_provider_answered_is_free_json(original: ModuleType, response: object) -> None:
    record = original.events()[0] | {"rawResponse": response}
    assert Message.from_record(record).raw_response == response
