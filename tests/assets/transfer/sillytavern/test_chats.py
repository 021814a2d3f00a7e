"""Who is in a chat, and what its header says; chats of groups, and what is none."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from assets.transfer.report import Status

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

    from .conftest import Brought, Home, Pick

CHAT = "Seraphina - 2023-6-19@16h07m12s"


def who(home: Home, title: str) -> list[str]:
    """The names of those in a chat."""
    found = []
    for one in home.one("chat", title=title)["participants"]:
        kind = "character" if one["type"] == "CHARACTER" else "persona"
        found.append(home.one(kind, id=one[f"{kind}Id"])["name"])
    return found


def test_a_chat_has_its_character_its_persona_and_its_header(brought: Brought, folders: ModuleType) -> None:
    home = brought.home
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


PERSONAS: dict[str, tuple[dict[str, Any], dict[str, Any], list[str]]] = {
    "locked": ({"chat_metadata": {"persona": "other.png"}, "user_name": "Ada"}, {}, ["Other"]),
    "named": ({"user_name": "Other"}, {}, ["Other"]),
    "speaks": ({"user_name": "unused"}, {"name": "Other"}, ["Other"]),
    "thumbnail": ({"user_name": "unused"}, {"force_avatar": "/thumbnail?type=persona&file=other.png"}, ["Other"]),
    "picture": ({"user_name": "unused"}, {"force_avatar": "User Avatars/other.png"}, ["Other"]),
    "nobody": ({"user_name": "Nobody"}, {"name": "Nobody"}, []),
}


def test_the_persona_is_found(home: Home, tavern: Path, folders: ModuleType) -> None:
    (tavern / "chats/Away").mkdir()
    for name, (header, line, _) in PERSONAS.items():
        lines = [header, {**folders.said("Hi.", user=True), **line}]
        (tavern / f"chats/Away/{name}.jsonl").write_bytes(folders.log(lines))
    (tavern / "chats/Loose.jsonl").write_bytes(folders.log([folders.OLD_HEADER, folders.said("Hi.")]))
    home.bring(tavern)
    assert {name: who(home, name) for name in PERSONAS} == {name: wanted for name, (_, _, wanted) in PERSONAS.items()}
    assert who(home, "Loose") == ["Seraphina", "Ada"]  # of its header, for it lies in no folder


def test_a_chat_without_a_card_comes_and_gets_its_character_later(home: Home, tavern: Path, pick: Pick) -> None:
    (tavern / "characters/Seraphina.png").rename(tavern / "away.png")
    report = home.bring(tavern)
    assert who(home, CHAT) == ["Ada"]
    assert any("card of its character" in note for item in pick(report, Status.IMPORTED, "chat") for note in item.notes)
    (tavern / "away.png").rename(tavern / "characters/Seraphina.png")
    home.bring(tavern)
    assert who(home, CHAT) == ["Seraphina", "Ada"]
    assert home.one("chat", title=CHAT)["messageCount"] == 5
    assert home.asset("characters/Seraphina/joy.png")["characterId"] == home.one("character", name="Seraphina")["id"]


def test_damage_costs_what_is_damaged_alone(home: Home, tavern: Path, folders: ModuleType, pick: Pick) -> None:
    odd = {"a": b"", "b": b"\n\n", "c": b"\xff\xfe{\0", "d": b"damaged\n" * 30}
    for name, content in odd.items():
        (tavern / f"chats/Seraphina/{name}.jsonl").write_bytes(content)
    (tavern / "chats/Seraphina/Cut.jsonl").write_bytes(folders.log(['{"user_na', folders.said("Hi."), "[]"]))
    (tavern / "groups/17.json").write_bytes(b"{")
    (tavern / "groups/18.json").write_text(json.dumps({"members": "x", "chats": 7, "chat_id": None}))
    (tavern / "groups/notes.txt").write_bytes(b"x")
    report = home.bring(tavern)
    failed = {item.name: item.why for item in pick(report, Status.FAILED, "chat")}
    assert failed.keys() == odd.keys()
    assert ["empty" in failed[name] for name in "abcd"] == [True, True, False, False]
    assert [event["content"] for event in home.events("Cut")] == ["Hi."]
    places = [item.place for item in pick(report, Status.FAILED, "message")]
    assert places[:2] == ["chats/Seraphina/Cut.jsonl:1", "chats/Seraphina/Cut.jsonl:3"]
    assert who(home, "2024-03-01@12h00m00s") == []
