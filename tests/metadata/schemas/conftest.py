"""Records of every kind, as the original wrote them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from types import ModuleType

Records = dict[str, list[dict[str, Any]]]

NOW = "2026-01-31T12:00:00.000Z"


@pytest.fixture(scope="session")
def records(original: ModuleType) -> Records:
    """Records by kind: the original's, and of our own kinds one with every member."""
    token = {"id": original.KEY, "userId": original.USER, "name": "laptop", "scope": "write", "tokenHash": "0" * 64}
    fact = {"sha256": original.PNG_SHA256, "size": 70, "mediaType": "image/png", "width": 1, "height": 1, "frames": 1}
    return {
        "user": [original.user()],
        "chatSettings": [original.chat_settings()],
        "account": [original.account()],
        "session": [original.session()],
        "verificationToken": [original.verification_token()],
        "apiKey": [original.api_key()],
        "connectionProfile": [original.connection_profile()],
        "imageProfile": [original.image_profile()],
        "tag": original.tags(),
        "character": [original.character(), original.plain_character()],
        "persona": [original.persona()],
        "chat": [original.chat(), original.group_chat()],
        "message": original.events(),
        "asset": original.assets(),
        "accessToken": [{**token, "expiresAt": NOW, "lastUsedAt": NOW, "createdAt": NOW, "updatedAt": NOW}],
        "fact": [{**fact, "alpha": True, "placeholder": "x", "firstStoredAt": NOW, "verifiedAt": NOW}],
    }
