"""A data folder as the original application wrote it, version 1, written without any of our code.

Facts: `entities.md`. Whole-file documents are JSON with two-space indent and no final newline, journals are compact
JSON lines; ids are UUIDs of several versions; sealed values are hex; `auth/accounts.json` is a bare array; the bytes of
pictures lie in `public/uploads/` beside the data folder and not in `binaries/`, and some recorded hashes are random.
One picture lies where the schemas say, `binaries/<sha256>/raw`, as if it had been moved there.

Tests get it by the fixtures `original_folder` and `original` of `tests/conftest.py`.
"""

from __future__ import annotations

import base64
import hashlib
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

Record = dict[str, Any]

USER = "6f9619ff-8b86-4011-b42d-00c04fc964ff"
SETTINGS = "1b4e28ba-2fa1-11d2-883f-0016d3cca427"
KEY = "3f333df6-90a4-4fda-8dd3-9485d27cee36"
CONNECTION = "8f14e45f-ceea-467f-9a36-dedd4bea2543"
IMAGE_PROFILE = "45c48cce-2e2d-4fbd-aa1a-fc51c7c6ad26"
TAG, TAG_2 = "018f3c5e-7b2a-7cde-8f01-23456789abcd", "c9f0f895-fb98-4b91-9159-c2ce2dbd0a3f"
CHARACTER, CHARACTER_2 = "e4da3b7f-bbce-4345-9777-2b0674a318d5", "1679091c-5a88-4faf-a5f1-cbe2f2b0f0f0"
PERSONA = "a87ff679-a2f3-471d-9181-a67b7542122c"
CHAT, CHAT_2 = "eccbc87e-4b5c-4e2f-a828-308fd9f2a7ba", "c81e728d-9d4c-4f63-af06-7f89cc14862c"
MESSAGE, MESSAGE_2, SUMMARY, STRANGE = (
    "c4ca4238-a0b9-4382-8dcc-509a6f75849b",
    "cfcd2084-95d5-45ef-a6e7-dff9f98764da",
    "d3d94468-02a4-4259-a55d-38e6d163e820",
    "6512bd43-d9ca-46e0-ac99-0b0a82652dca",
)
ASSET, ASSET_LOST, ASSET_FILE = (
    "c20ad4d7-6fe9-4759-aa27-a0c99bff6710",
    "c51ce410-c124-410e-8db5-e4b97fc2af39",
    "aab32389-22bc-4c25-a6f6-06eb525ffdc5",
)
NOW = "2025-11-22T09:30:00.000Z"

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
PNG_SHA256 = hashlib.sha256(PNG).hexdigest()
NOTE = b"The plan, in full.\n"
RANDOM_SHA256 = "9b74c9897bac770ffc029102a200c5de9b74c9897bac770ffc029102a200c5de"
SEALED = {
    "ciphertext": "8d3f1c00a1b2",
    "iv": "00112233445566778899aabbccddeeff",
    "authTag": "f0e1d2c3b4a5968778695a4b3c2d1e0f",
}
DATES = {"createdAt": NOW, "updatedAt": NOW}


def user() -> Record:
    """Return the only user, with a bcrypt hash and both sealed fields."""
    return {
        "id": USER,
        "email": "ada@example.org",
        "name": "Ada",
        "image": f"/avatars/{PNG_SHA256}",
        "emailVerified": NOW,
        "passwordHash": "$2b$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy",
        "totp": {**SEALED, "enabled": True, "verifiedAt": NOW},
        "backupCodes": {**SEALED, "createdAt": NOW},
        **DATES,
    }


def chat_settings() -> Record:
    """Return the user's chat settings, with a member of a later version."""
    return {
        "id": SETTINGS,
        "userId": USER,
        "avatarDisplayMode": "GROUP_ONLY",
        "avatarDisplayStyle": "RECTANGULAR",
        "tagStyles": {TAG: {"emoji": "🌲", "bold": True}},
        **DATES,
    }


def account() -> Record:
    """Return an OAuth account; it has no timestamps."""
    return {
        "id": "9bf31c7f-f062-436a-96d3-c8bd1f8f2ff3",
        "userId": USER,
        "type": "oauth",
        "provider": "google",
        "providerAccountId": "108204268033311374519",
        "refresh_token": None,
        "access_token": "ya29.a0AfH6SMB",
        "expires_at": 1763805600,
        "token_type": "Bearer",
        "scope": "openid email profile",
        "id_token": "eyJhbGciOiJSUzI1NiJ9.e30.AA",
        "session_state": None,
    }


def session() -> Record:
    """Return a session whose token is plain."""
    return {
        "id": "c74d97b0-1eae-457e-844a-a9d5bade7baf",
        "sessionToken": "70efdf2e-c9b0-4860-8ff0-1234567890ab",
        "userId": USER,
        "expires": "2025-12-22T09:30:00.000Z",
    }


def verification_token() -> Record:
    """Return a token that proves an address."""
    return {"identifier": "ada@example.org", "token": "b6d767d2f8ed5d21a44b0e5886680cb9", "expires": NOW}


def api_key() -> Record:
    """Return a provider's key, sealed as hex."""
    return {"id": KEY, "label": "Main", "provider": "ANTHROPIC", **SEALED, "isActive": True, "lastUsed": None, **DATES}


def connection_profile() -> Record:
    """Return a profile of a language model."""
    return {
        "id": CONNECTION,
        "userId": USER,
        "name": "Everyday",
        "provider": "ANTHROPIC",
        "apiKeyId": KEY,
        "baseUrl": None,
        "modelName": "model-large",
        "parameters": {"temperature": 0.7, "max_tokens": 1000, "stop": ["###"], "stream": True, "top_p": 1.0},
        "isDefault": True,
        "tags": [TAG],
        **DATES,
    }


def image_profile() -> Record:
    """Return a profile of an image model, from a provider that the enums do not know."""
    return {
        "id": IMAGE_PROFILE,
        "userId": USER,
        "name": "Portraits",
        "provider": "SOME_LATER_PROVIDER",
        "apiKeyId": KEY,
        "baseUrl": None,
        "modelName": "pictures-3",
        "parameters": {},
        "isDefault": False,
        "tags": [],
        **DATES,
    }


def tags() -> list[Record]:
    """Return two tags."""
    pairs = ((TAG, "Forest"), (TAG_2, "Straße"))
    return [{"id": i, "userId": USER, "name": name, "nameLower": name.lower(), **DATES} for i, name in pairs]


def character() -> Record:
    """Return a character with every member."""
    return {
        "id": CHARACTER,
        "userId": USER,
        "name": "Alice",
        "title": "Of the looking glass",
        "description": "Curious.",
        "personality": "Polite, stubborn.",
        "scenario": "A tea party.",
        "firstMessage": "Who are you?",
        "exampleDialogues": None,
        "systemPrompt": None,
        "avatarUrl": f"/blobs/{PNG_SHA256}",
        "defaultImageId": ASSET,
        "sillyTavernData": {"spec": "chara_card_v2", "data": {"name": "Alice", "extensions": {"depth": 4}}},
        "isFavorite": True,
        "personaLinks": [{"personaId": PERSONA, "isDefault": True}],
        "tags": [TAG],
        "avatarOverrides": [{"chatId": CHAT, "imageId": ASSET}],
        **DATES,
    }


def plain_character() -> Record:
    """Return a character without optional members."""
    texts = {"description": "", "personality": "", "scenario": "", "firstMessage": ""}
    return {"id": CHARACTER_2, "userId": USER, "name": "Bob", **texts, **DATES}


def persona() -> Record:
    """Return a persona with every member."""
    return {
        "id": PERSONA,
        "userId": USER,
        "name": "The Visitor",
        "title": None,
        "description": "Somebody from above.",
        "personalityTraits": "Quiet",
        "avatarUrl": None,
        "defaultImageId": None,
        "sillyTavernData": None,
        "characterLinks": [CHARACTER],
        "tags": [],
        **DATES,
    }


def chat() -> Record:
    """Return a chat of the first shape."""
    return {
        "id": CHAT,
        "userId": USER,
        "characterId": CHARACTER,
        "personaId": PERSONA,
        "connectionProfileId": CONNECTION,
        "imageProfileId": None,
        "title": "Tea",
        "contextSummary": None,
        "sillyTavernMetadata": {"note_prompt": ""},
        "tags": [TAG_2],
        "messageCount": 2,
        "lastMessageAt": NOW,
        **DATES,
    }


def group_chat() -> Record:
    """Return a chat of the later shape, with participants."""
    base = {"systemPromptOverride": None, "isActive": True, **DATES}
    one = {
        "id": "37693cfc-7480-49e4-9d87-b8c7d8b9aacd",
        "type": "CHARACTER",
        "characterId": CHARACTER_2,
        "connectionProfileId": CONNECTION,
        "imageProfileId": IMAGE_PROFILE,
        "displayOrder": 0,
        **base,
    }
    two = {
        "id": "1ff1de77-4005-48da-93f4-2943881c655f",
        "type": "PERSONA",
        "personaId": PERSONA,
        "displayOrder": 1,
        **base,
    }
    return {
        "id": CHAT_2,
        "userId": USER,
        "participants": [one, two],
        "title": "A group",
        "tags": [],
        "messageCount": 0,
        **DATES,
    }


def events() -> list[Record]:
    """Return a chat's events: messages, one cut inside an emoji, a summary, and one of an unknown type."""
    return [
        {
            "type": "message",
            "id": MESSAGE,
            "role": "USER",
            "content": "Look at this.",
            "rawResponse": None,
            "tokenCount": 12,
            "swipeGroupId": None,
            "swipeIndex": None,
            "attachments": [ASSET],
            "createdAt": NOW,
        },
        {
            "type": "message",
            "id": MESSAGE_2,
            "role": "ASSISTANT",
            "content": "Lovely \ud83d",
            "rawResponse": {"usage": {"output_tokens": 3.0}},
            "swipeGroupId": "first",
            "swipeIndex": 0,
            "attachments": [],
            "createdAt": NOW,
        },
        {"type": "context-summary", "id": SUMMARY, "context": "Alice was shown a picture.", "createdAt": NOW},
        {"type": "dice-roll", "id": STRANGE, "sides": 20, "value": 17, "createdAt": NOW},
    ]


def assets() -> list[Record]:
    """Return three assets: bytes in place, bytes outside under a random hash, and a chat's file outside."""
    outside = f"uploads/images/{USER}/portrait.png", f"uploads/chat-files/{CHAT}/plan.txt"
    note_sha256 = hashlib.sha256(NOTE).hexdigest()
    first = _asset(ASSET, PNG_SHA256, "image", "alice.png", f"binaries/{PNG_SHA256}/raw")
    lost = _asset(ASSET_LOST, RANDOM_SHA256, "avatar", "portrait.png", outside[0])
    file = _asset(ASSET_FILE, note_sha256, "chat_file", "plan.txt", outside[1])
    return [
        first | {"width": 1, "height": 1, "tags": [TAG, CHARACTER]},
        lost | {"characterId": CHARACTER},
        file | {"mimeType": "text/plain", "size": len(NOTE), "chatId": CHAT, "messageId": MESSAGE},
    ]


def _asset(asset: str, sha256: str, use: str, filename: str, path: str) -> Record:
    return {
        "id": asset,
        "sha256": sha256,
        "type": use,
        "userId": USER,
        "filename": filename,
        "relativePath": path,
        "mimeType": "image/png",
        "size": len(PNG),
        "width": None,
        "height": None,
        "source": "upload",
        "generationPrompt": None,
        "generationModel": None,
        "chatId": None,
        "characterId": None,
        "messageId": None,
        "tags": [],
        **DATES,
    }


def documents(*, bare_accounts: bool = True) -> dict[str, Any]:
    """Return the whole-file documents by path."""
    accounts: Any = [account()] if bare_accounts else {"version": 1, "accounts": [account()], **DATES}
    return {
        "settings/general.json": {"version": 1, "user": user(), "chatSettings": chat_settings(), **DATES},
        "settings/connection-profiles.json": {
            "version": 1,
            "apiKeys": [api_key()],
            "llmProfiles": [connection_profile()],
            **DATES,
        },
        "auth/accounts.json": accounts,
        "tags/tags.json": {"version": 1, "tags": tags(), **DATES},
        "image-profiles/image-profiles.json": {"version": 1, "profiles": [image_profile()], **DATES},
        f"characters/{CHARACTER}.json": character(),
        f"characters/{CHARACTER_2}.json": plain_character(),
        f"personas/{PERSONA}.json": persona(),
    }


def journals() -> dict[str, list[Record]]:
    """Return the journals by path."""
    return {
        "auth/sessions.jsonl": [session()],
        "auth/verification-tokens.jsonl": [verification_token()],
        "chats/index.jsonl": [chat(), group_chat()],
        f"chats/{CHAT}.jsonl": events(),
        "binaries/index.jsonl": assets(),
    }


def write_folder(application: Path, *, bare_accounts: bool = True) -> Path:
    """Write the application's `data/` and `public/` folders and return the data folder.

    Args:
        application: the application's root; made if absent.
        bare_accounts: whether `auth/accounts.json` is the array itself, as it is in practice.
    """
    data = application / "data"
    for path, document in documents(bare_accounts=bare_accounts).items():
        _write(data / path, json.dumps(document, ensure_ascii=False, indent=2).encode())
    for path, records in journals().items():
        _write(data / path, _lines(records))
    _write(data / ".gitkeep", b"")
    (data / "cache").mkdir()
    _write(data / "binaries" / PNG_SHA256 / "raw", PNG)
    _write(application / f"public/uploads/images/{USER}/portrait.png", PNG)
    _write(application / f"public/uploads/chat-files/{CHAT}/plan.txt", NOTE)
    return data


def _lines(records: Sequence[Mapping[str, Any]]) -> bytes:
    lines = (json.dumps(record, ensure_ascii=False, separators=(",", ":")) for record in records)
    # JavaScript writes a lone surrogate as an escape and everything else as it is; this handler happens to agree.
    return "".join(f"{line}\n" for line in lines).encode("utf-8", "backslashreplace")


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
