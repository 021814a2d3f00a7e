"""Records of every shape the tests of this floor need, as plain mappings with on-disk names.

Tests get this module by the fixture `make` of `conftest.py`.
"""

from __future__ import annotations

import uuid
from typing import Any

Record = dict[str, Any]

T0 = "2026-01-01T00:00:00.000Z"
USER = "11111111-1111-4111-8111-111111111111"
OTHER = "22222222-2222-4222-8222-222222222222"
DATES = {"createdAt": T0, "updatedAt": T0}


def new_id() -> str:
    """Return a fresh id."""
    return str(uuid.uuid4())


def sha(number: int) -> str:
    """Return a digest of one's own."""
    return f"{number:064x}"


def tag(name: str, user: str = USER, **more: object) -> Record:
    """Return a tag."""
    return {"id": new_id(), "userId": user, "name": name, "nameLower": name.casefold(), **DATES, **more}


def asset(number: int = 1, user: str = USER, **more: object) -> Record:
    """Return an asset whose payload, size and second of creation follow from a number."""
    named = {"id": new_id(), "sha256": sha(number), "type": "image", "userId": user}
    about = {"filename": f"picture {number}.png", "relativePath": f"binaries/{sha(number)}/raw"}
    rest = {"mimeType": "image/png", "size": number, "source": "upload", "tags": []}
    dates = {"createdAt": f"2026-01-01T00:00:{number % 60:02d}.000Z", "updatedAt": T0}
    return {**named, **about, **rest, **dates, **more}


def character(name: str = "Alice", user: str = USER, **more: object) -> Record:
    """Return a character."""
    texts = {"name": name, "description": "d", "personality": "p", "scenario": "s", "firstMessage": "f"}
    rest = {"isFavorite": False, "personaLinks": [], "tags": [], "avatarOverrides": []}
    return {"id": new_id(), "userId": user, **texts, **rest, **DATES, **more}


def chat(character_id: str, user: str = USER, **more: object) -> Record:
    """Return a chat of the later shape with one participant."""
    who = {"id": new_id(), "type": "CHARACTER", "characterId": character_id, "displayOrder": 0, "isActive": True}
    rest = {"participants": [who], "title": "A talk", "tags": [], "messageCount": 0}
    return {"id": new_id(), "userId": user, **rest, **DATES, **more}


def message(chat_id: str, content: str = "Hello.", **more: object) -> Record:
    """Return a message as it is in memory, with its chat's id."""
    said = {"type": "message", "id": new_id(), "role": "USER", "content": content, "attachments": []}
    return {"chatId": chat_id, **said, "createdAt": T0, **more}


def user(email: str, **more: object) -> Record:
    """Return a user."""
    return {"id": new_id(), "email": email, **DATES, **more}


def access_token(number: int, owner: str = USER, **more: object) -> Record:
    """Return an access token."""
    rest = {"name": f"token {number}", "scope": "read", "tokenHash": sha(number)}
    return {"id": new_id(), "userId": owner, **rest, **DATES, **more}
