"""Whose a referring record is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from metadata.belonging import belonging_to, owners_of
from metadata.documents.contract import Referrer, put
from metadata.documents.memory import MemoryDocuments

if TYPE_CHECKING:
    from types import ModuleType


def test_messages_are_their_chats_and_users_their_own(make: ModuleType) -> None:
    documents = MemoryDocuments()
    who = make.character(user=make.OTHER)
    talk = make.chat(who["id"], user=make.OTHER)
    documents.apply([put(kind, body, trusting=True) for kind, body in (("character", who), ("chat", talk))])
    referrers = [
        Referrer("message", f"{talk['id']}/m", "mention", ""),
        Referrer("message", "gone/m", "mention", ""),
        Referrer("user", make.USER, "mention", ""),
        Referrer("character", "c", "defaultImageId", make.OTHER),
        Referrer("fact", "f", "mention", ""),
    ]
    assert owners_of(documents, referrers) == [make.OTHER, "", make.USER, make.OTHER, ""]
    assert [by.kind for by in belonging_to(documents, referrers, make.OTHER)] == ["message", "character"]
    assert belonging_to(documents, [], make.USER) == []
