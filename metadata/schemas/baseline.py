"""The data folder with nothing in it: the original's nine files, `.gitkeep`, and its folders."""

from __future__ import annotations

import json
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from .containers import CONTAINERS, empty_container

if TYPE_CHECKING:
    from collections.abc import Mapping

FOLDERS = ("settings", "characters", "personas", "chats", "binaries", "auth", "tags", "image-profiles", "cache")
"""The original's folders at the top of the data folder."""

JOURNALS = (
    "auth/sessions.jsonl",
    "auth/verification-tokens.jsonl",
    "chats/index.jsonl",
    "binaries/index.jsonl",
)
"""The original's journals that are there from the beginning, empty."""


def baseline(
    now: str, *, user: Mapping[str, Any] | None = None, chat_settings: Mapping[str, Any] | None = None
) -> Mapping[str, bytes]:
    """Return the content of every file of an empty store by its path.

    Args:
        now: the timestamps of the documents.
        user: the first user's record; None writes null.
        chat_settings: its chat settings' record; None writes null.
    """
    documents = {path: empty_container(path, now) for path in CONTAINERS}
    documents["settings/general.json"] |= {"user": user, "chatSettings": chat_settings}
    files = {path: _encoded(document) for path, document in documents.items()}
    return MappingProxyType(files | dict.fromkeys((*JOURNALS, ".gitkeep"), b""))


def _encoded(document: Mapping[str, object]) -> bytes:
    # The one layer below has no codec; these documents are plain, and carry no check value so that they can be edited.
    return (json.dumps(document, ensure_ascii=False, indent=2) + "\n").encode()
