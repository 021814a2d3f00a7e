"""The members of every kind on the wire."""

from __future__ import annotations

from typing import Any

from metadata.schemas.catalog import CATALOG
from metadata.schemas.chats import Chat
from server.shapes import MEMBERS

ONE = "11111111-1111-4111-8111-111111111111"
CHAT = {
    "id": ONE,
    "userId": ONE,
    "title": "t",
    "createdAt": "2026-01-01T00:00:00Z",
    "updatedAt": "2026-01-01T00:00:00Z",
}


def test_no_hidden_member_is_answered_and_none_is_taken_but_those_named() -> None:
    for members in MEMBERS.values():
        hidden = {name.removeprefix("_") for name in members.kind.hidden}
        assert hidden.isdisjoint(members.answered)
        assert hidden & set(members.on_disk) <= set(members.accepted)
        assert members.ignored.isdisjoint(members.on_disk)


def test_every_kind_has_a_shape_but_those_with_routes_of_their_own() -> None:
    assert set(CATALOG) - set(MEMBERS) == {"asset", "accessToken", "fact"}


def test_a_chat_of_the_first_shape_shows_its_participants() -> None:
    chat = Chat.from_record({**CHAT, "characterId": ONE, "connectionProfileId": ONE})
    present: Any = MEMBERS["chat"].shown(chat)["participants"]
    assert [(who["type"], who["characterId"]) for who in present] == [("CHARACTER", ONE)]


def test_given_participants_get_ids_and_end_the_first_shape() -> None:
    settled = MEMBERS["chat"].settled({"participants": [{"type": "CHARACTER"}, 5], "title": "t"})
    assert (len(settled["participants"][0]["id"]), settled["participants"][1]) == (36, 5)
    assert (settled["characterId"], settled["title"]) == (None, "t")
    assert MEMBERS["chat"].settled({"title": "t"}) == {"title": "t"}
