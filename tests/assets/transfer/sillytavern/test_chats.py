"""Who is in a chat, and what its header says; chats of groups, and what is none."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from assets.transfer.report import Status

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

    from .conftest import Home, Pick

CHAT = "Seraphina - 2023-6-19@16h07m12s"


def who(home: Home, title: str) -> list[str]:
    """The names of those in a chat."""
    found = []
    for one in home.one("chat", title=title)["participants"]:
        kind = "character" if one["type"] == "CHARACTER" else "persona"
        found.append(home.one(kind, id=one[f"{kind}Id"])["name"])
    return found


def test_a_chat_has_its_character_its_persona_and_its_header(home: Home, tavern: Path, folders: ModuleType) -> None:
    home.bring(tavern)
    chat = home.one("chat", title=CHAT)
    assert who(home, CHAT) == ["Seraphina", "Ada"]
    assert chat["sillyTavernMetadata"] == folders.HEADER
    assert (chat["createdAt"], chat["_meta"]["sillyTavernPath"]) == (folders.LONG_AGO, folders.CHAT)
    old = home.one("chat", title="First steps")
    assert (old["createdAt"], old["sillyTavernMetadata"]) == (folders.LONG_AGO, folders.OLD_HEADER)


def test_a_group_has_all_its_members(home: Home, tavern: Path, pick: Pick) -> None:
    (tavern / "group chats/alone.jsonl").write_bytes(b'{"name": "x", "mes": "y"}')
    report = home.bring(tavern)
    title = "Party - 2024-03-01@12h00m00s"
    assert who(home, title) == ["Seraphina", "Bob"]
    assert [event["content"] for event in home.events(title)] == ["We.", "I."]
    assert who(home, "alone") == []
    (alone,) = [item for item in pick(report, Status.IMPORTED, "chat") if item.notes]
    assert "No group names it" in alone.notes[0]


@pytest.mark.parametrize(
    ("header", "line", "name"),
    [
        ({"chat_metadata": {"persona": "other.png"}, "user_name": "Ada"}, {}, "Other"),
        ({"user_name": "Other"}, {}, "Other"),
        ({"user_name": "unused"}, {"name": "Other"}, "Other"),
        ({"user_name": "unused"}, {"force_avatar": "/thumbnail?type=persona&file=other.png"}, "Other"),
        ({"user_name": "unused"}, {"force_avatar": "User Avatars/other.png"}, "Other"),
        ({"user_name": "Nobody"}, {"name": "Nobody"}, None),
    ],
)
def test_the_persona_is_found(
    home: Home, tavern: Path, folders: ModuleType, header: dict[str, Any], line: dict[str, Any], name: str | None
) -> None:
    for other in ("characters", "backgrounds", "user"):
        (tavern / other).rename(tavern / f"no {other}")
    lines = [header, {**folders.said("Hi.", user=True), **line}]
    (tavern / "chats/Seraphina/Who.jsonl").write_bytes(folders.log(lines))
    home.bring(tavern)
    assert who(home, "Who") == ([name] if name else [])


def test_a_chat_without_a_card_comes_and_gets_its_character_later(home: Home, tavern: Path, pick: Pick) -> None:
    (tavern / "characters/Seraphina.png").rename(tavern / "away.png")
    report = home.bring(tavern)
    assert who(home, CHAT) == ["Ada"]
    assert any("card of its character" in note for item in pick(report, Status.IMPORTED, "chat") for note in item.notes)
    (tavern / "away.png").rename(tavern / "characters/Seraphina.png")
    home.bring(tavern)
    assert who(home, CHAT) == ["Seraphina", "Ada"]
    assert home.asset("characters/Seraphina/joy.png")["characterId"] == home.one("character", name="Seraphina")["id"]


def test_a_chat_beside_the_folders_is_its_headers(home: Home, tavern: Path, folders: ModuleType) -> None:
    (tavern / "chats/Loose.jsonl").write_bytes(folders.log([folders.OLD_HEADER, folders.said("Hi.")]))
    home.bring(tavern)
    assert who(home, "Loose") == ["Seraphina", "Ada"]


@pytest.mark.parametrize(
    ("content", "why"),
    [(b"", "empty"), (b"\n\n", "empty"), (b"\xff\xfe{\0", "no chat"), (b"damaged\n" * 30, "no chat")],
)
def test_what_is_no_chat_fails(home: Home, tavern: Path, pick: Pick, content: bytes, why: str) -> None:
    (tavern / "chats/Seraphina/Odd.jsonl").write_bytes(content)
    (item,) = pick(home.bring(tavern), Status.FAILED, "chat")
    assert why in item.why


def test_a_damaged_header_costs_the_header_alone(home: Home, tavern: Path, folders: ModuleType, pick: Pick) -> None:
    (tavern / "chats/Seraphina/Cut.jsonl").write_bytes(folders.log(['{"user_na', folders.said("Hi."), "[]"]))
    report = home.bring(tavern)
    assert [event["content"] for event in home.events("Cut")] == ["Hi."]
    places = [item.place for item in pick(report, Status.FAILED, "message")]
    assert places[:2] == ["chats/Seraphina/Cut.jsonl:1", "chats/Seraphina/Cut.jsonl:3"]


def test_damaged_groups_cost_their_members_alone(home: Home, tavern: Path, pick: Pick) -> None:
    (tavern / "groups/17.json").write_bytes(b"{")
    (tavern / "groups/18.json").write_text(json.dumps({"members": "x", "chats": 7, "chat_id": None}))
    (tavern / "groups/notes.txt").write_bytes(b"x")
    report = home.bring(tavern)
    assert who(home, "2024-03-01@12h00m00s") == []
    assert len(pick(report, Status.IMPORTED, "chat")) == 3
