"""Chats in both shapes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from metadata.errors import InvalidError
from metadata.schemas.catalog import CATALOG
from metadata.schemas.chats import Chat

if TYPE_CHECKING:
    from types import ModuleType


def test_the_first_shape_names_its_character(original: ModuleType) -> None:
    chat = Chat.from_record(original.chat())
    assert (chat.character_id, chat.participants) == (original.CHARACTER, None)
    assert chat.to_record() == original.chat()


def test_the_later_shape_names_participants(original: ModuleType) -> None:
    chat = Chat.from_record(original.group_chat())
    assert chat.participants is not None
    assert [one.type for one in chat.participants] == ["CHARACTER", "PERSONA"]
    assert chat.replaced(title="x").to_record() == original.group_chat() | {"title": "x"}


def test_both_shapes_refer_to_the_same_kinds(original: ModuleType) -> None:
    def named(record: dict[str, object]) -> set[str]:
        return {target for ref in CATALOG["chat"].refs for target in ref.targets if ref.values(record)}

    assert named(original.chat()) == {"user", "character", "persona", "connectionProfile", "tag"}
    assert named(original.group_chat()) == {"user", "character", "persona", "connectionProfile", "imageProfile"}


@pytest.mark.parametrize("member", ["characterId", "connectionProfileId"])
def test_one_of_the_shapes_must_be_whole(original: ModuleType, member: str) -> None:
    with pytest.raises(InvalidError, match="participants"):
        Chat.from_record({name: value for name, value in original.chat().items() if name != member})


def test_counts_are_the_store_s(original: ModuleType) -> None:
    assert CATALOG["chat"].derived == ("messageCount", "lastMessageAt")
    with pytest.raises(InvalidError) as caught:
        Chat.from_record(original.chat() | {"messageCount": -1})
    assert caught.value.details["field"] == "messageCount"
