"""Whose a referring record is; the index knows it of most, and of messages and users it follows from another record."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .documents.contract import Documents, Referrer


def owners_of(documents: Documents, referrers: Sequence[Referrer]) -> list[str]:
    """Return the user of each referrer: a message is its chat's, a user is its own; empty where nobody is known."""
    chats = documents.many("chat", [by.key.partition("/")[0] for by in referrers if by.kind == "message"])

    def owner_of(by: Referrer) -> str:
        if by.kind == "message":
            chat = chats.get(by.key.partition("/")[0])
            return "" if chat is None else str(chat.body.get("userId", ""))
        return by.key if by.kind == "user" else by.owner or ""

    return [owner_of(by) for by in referrers]


def belonging_to(documents: Documents, referrers: Sequence[Referrer], owner: str) -> list[Referrer]:
    """Return the referrers that are a user's."""
    owners = owners_of(documents, referrers)
    return [by for by, user in zip(referrers, owners, strict=True) if user == owner]
