"""A folder of SillyTavern, made of generated cards and chats, or of the real files of the corpus."""

from __future__ import annotations

import base64
import json
import shutil
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

HEADER = {"chat_metadata": {"note_prompt": "Be kind."}, "user_name": "unused", "character_name": "unused"}
OLD_HEADER = {"user_name": "Ada", "character_name": "Seraphina", "create_date": "2023-6-19@16h07m12s"}
LONG_AGO = "2023-06-19T16:07:12.000Z"
CHAT = "chats/Seraphina/Seraphina - 2023-6-19@16h07m12s.jsonl"
OLD_CHAT = "chats/Seraphina/First steps.jsonl"
GROUP_CHAT = "group chats/2024-03-01@12h00m00s.jsonl"


def said(text: str, *, user: bool = False, **members: Any) -> dict[str, Any]:
    """A line of a chat."""
    name = "Ada" if user else "Seraphina"
    return {"name": name, "is_user": user, "is_system": False, "mes": text, "extra": {}, **members}


def log(lines: Iterable[dict[str, Any] | str], end: str = "\n") -> bytes:
    """A chat's file; text in place of a line is written as it is."""
    return end.join(line if isinstance(line, str) else json.dumps(line) for line in lines).encode()


def long_log(count: int) -> bytes:
    """A chat with so many lines, every third with two alternatives."""
    lines = [said(f"Line {n}", user=n % 2 == 0, send_date=1_700_000_000_000 + n * 60_000) for n in range(count)]
    for line in lines[1::3]:
        line |= {"swipes": ["Something else", line["mes"]], "swipe_id": 1}
    return log([HEADER, *lines])


def settings(**more: Any) -> dict[str, Any]:
    """The settings: two tags, one persona that is connected with Seraphina, and a password."""
    connections = [{"type": "character", "id": "Seraphina.png"}]
    persona = {"description": "Tall.", "title": "the Countess", "connections": connections}
    return {
        "tags": [{"id": "1", "name": "Forest", "color": "green"}, {"id": "2", "name": "Empty"}],
        "tag_map": {"Seraphina.png": ["1"], "17": ["2"]},
        "user_avatar": "ada.png",
        "username": "Ada",
        "power_user": {
            "personas": {"ada.png": "Ada", "other.png": "Other"},
            "persona_descriptions": {"ada.png": persona},
            "default_persona": "ada.png",
        },
        "oai_settings": {"proxy_password": "open sesame", "temp": 1},
        **more,
    }


def write_folder(root: Path, card: Callable[[str], bytes], picture: Callable[[int], bytes]) -> Path:
    """Write a user's folder below an installation's, and return it.

    Args:
        root: the installation.
        card: makes a card's file for a character of this name.
        picture: makes a picture that differs with the number.
    """
    user = root / "data/default-user"
    data = "data:image/png;base64," + base64.b64encode(picture(6)).decode()
    swiped = said("Welcome.", swipes=["Halt!", "Welcome."], swipe_id=1, send_date="June 19, 2023 4:07pm")
    shared = [
        {**swiped, "extra": {"image": "/user/images/Seraphina/1.png", "inline_image": True}},
        said(
            "Hello.", user=True, send_date=1687190833000, extra={"file": {"url": "/user/files/n.txt", "name": "n.txt"}}
        ),
        said("Look.", send_date="2023-06-19T16:08:00.000Z", extra={"media": [{"url": data, "type": "image"}]}),
    ]
    group = {"id": "17", "name": "Party", "members": ["Seraphina.png", "Bob.png"], "chats": ["2024-03-01@12h00m00s"]}
    files: dict[str, bytes] = {
        "settings.json": json.dumps(settings()).encode(),
        "secrets.json": b'{"api_key_openai": "sk-123"}',
        "characters/Seraphina.png": card("Seraphina"),
        "characters/Bob.png": card("Bob"),
        "characters/Seraphina/joy.png": picture(1),
        "characters/Seraphina/winter/joy-1.png": picture(2),
        "User Avatars/ada.png": picture(3),
        "User Avatars/unused.png": picture(4),
        "backgrounds/forest.png": picture(5),
        "user/images/Seraphina/1.png": picture(7),
        "user/images/alone.png": picture(8),
        "user/files/n.txt": b"notes",
        CHAT: b"\xef\xbb\xbf" + log([HEADER, *shared, '{"name": "Sera', said("After.", send_date=LONG_AGO)], "\r\n"),
        OLD_CHAT: log([OLD_HEADER, shared[1], said("Gone?", extra={"image": "/user/images/gone.png"})]),
        "groups/17.json": json.dumps(group).encode(),
        GROUP_CHAT: log([said("We."), {**said("I."), "name": "Bob"}]),
        "worlds/Eldoria.json": b'{"entries": {}}',
        "themes/Dark.json": b'{"name": "Dark"}',
        "thumbnails/bg/forest.png": picture(5),
        "backups/chat_seraphina.jsonl": b"{}",
        "extensions/mine/index.js": b"run()",
    }
    for name, content in files.items():
        (user / name).parent.mkdir(parents=True, exist_ok=True)
        (user / name).write_bytes(content)
    return user


def write_real_folder(root: Path, corpus: Path) -> Path:
    """Write an older installation with the real files of the corpus, and return the user's folder."""
    user = root / "public"
    tavern = corpus / "tavern"
    for name in ("worlds", "User Avatars", "chats/default_Seraphina"):
        (user / name).mkdir(parents=True)
    shutil.copytree(tavern / "Seraphina", user / "characters/Seraphina")
    shutil.copytree(tavern / "backgrounds", user / "backgrounds")
    shutil.copy(tavern / "default_Seraphina.png", user / "characters")
    shutil.copy(tavern / "settings.json", user)
    shutil.copy(tavern / "Eldoria.json", user / "worlds")
    shutil.copy(tavern / "user-default.png", user / "User Avatars")
    lines = [said("Hi", user=True, name="User"), said("Hello", swipes=["Hello", "Ho"], swipe_id=0)]
    chats = user / "chats/default_Seraphina"
    (chats / "new.jsonl").write_bytes(b"\xef\xbb\xbf" + log([HEADER, *lines, "damaged"]))
    (chats / "old.jsonl").write_bytes(log([OLD_HEADER, *lines], "\r\n"))
    return user
