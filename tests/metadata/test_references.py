"""What has to happen when a record goes, by the table of protocols.md, "References and mentions"."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from metadata.documents.contract import put
from metadata.documents.memory import MemoryDocuments
from metadata.documents.removals import LISTED
from metadata.errors import ConflictError
from metadata.index.query import Query
from metadata.references import removal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

Record = dict[str, Any]


@pytest.fixture
def store() -> Iterator[MemoryDocuments]:
    opened = MemoryDocuments()
    yield opened
    opened.close()


def add(store: MemoryDocuments, kind: str, record: Record) -> str:
    store.apply([put(kind, record)])
    return str(record.get("id"))


def delete(store: MemoryDocuments, kind: str, key: str, *, force: bool = False) -> None:
    store.apply(removal(store, kind, key, force=force))


def body(store: MemoryDocuments, kind: str, key: str) -> Record | None:
    found = store.get(kind, key)
    return None if found is None else found.body


def test_a_tag_leaves_every_list(store: MemoryDocuments, make: ModuleType) -> None:
    gone, stays = add(store, "tag", make.tag("a")), add(store, "tag", make.tag("b"))
    picture = add(store, "asset", make.asset(1, tags=[gone, stays]))
    who = add(store, "character", make.character(tags=[stays, gone]))
    delete(store, "tag", gone)
    for kind, key in (("asset", picture), ("character", who)):
        found = body(store, kind, key)
        assert found is not None
        assert found["tags"] == [stays]
    assert store.referrers("tag", gone) == []


def test_an_asset_in_use_is_refused_with_where_and_cleared_when_forced(
    store: MemoryDocuments, make: ModuleType
) -> None:
    picture = add(store, "asset", make.asset(1))
    who = add(store, "character", make.character(defaultImageId=picture))
    with pytest.raises(ConflictError) as caught:
        delete(store, "asset", picture)
    assert caught.value.details["referrers"] == [{"kind": "character", "id": who, "field": "defaultImageId"}]
    assert body(store, "asset", picture) is not None
    delete(store, "asset", picture, force=True)
    assert body(store, "asset", picture) is None
    assert "defaultImageId" not in (body(store, "character", who) or {})


def test_a_mention_refuses_unless_forced_and_unless_it_is_another_user_s(
    store: MemoryDocuments, make: ModuleType
) -> None:
    picture = add(store, "asset", make.asset(1))
    add(store, "character", make.character(user=make.OTHER, avatarUrl=f"/blobs/{make.sha(1)}"))
    assert len(removal(store, "asset", picture)) == 1
    who = add(store, "character", make.character(avatarUrl=f"/blobs/{make.sha(1)}"))
    with pytest.raises(ConflictError) as caught:
        delete(store, "asset", picture)
    assert caught.value.details["referrers"] == [{"kind": "character", "id": who, "field": "mention"}]
    delete(store, "asset", picture, force=True)
    assert body(store, "asset", picture) is None


def test_a_character_with_chats_is_refused_and_takes_them_along_when_forced(
    store: MemoryDocuments, make: ModuleType
) -> None:
    who = add(store, "character", make.character())
    talk = add(store, "chat", make.chat(who))
    said = make.message(talk)
    store.apply([put("message", said)])
    part = add(store, "asset", make.asset(1, type="chat_file", chatId=talk))
    linked = add(store, "asset", make.asset(2, chatId=talk, messageId=said["id"], characterId=who, tags=[who]))
    with pytest.raises(ConflictError) as caught:
        delete(store, "character", who)
    assert {found["kind"] for found in caught.value.details["referrers"]} == {"chat"}  # type: ignore[attr-defined] # a list of mappings
    delete(store, "character", who, force=True)
    for kind, key in (("character", who), ("chat", talk), ("asset", part), ("message", f"{talk}/{said['id']}")):
        assert body(store, kind, key) is None, kind
    left = body(store, "asset", linked) or {}
    assert not {"chatId", "messageId", "characterId"} & left.keys()
    assert left["tags"] == []


def test_what_goes_along_does_not_refuse(store: MemoryDocuments, make: ModuleType) -> None:
    """A chat's own file is attached to its own message and mentioned there; both go, so nothing is in the way."""
    who = add(store, "character", make.character())
    talk = add(store, "chat", make.chat(who))
    part = add(store, "asset", make.asset(1, type="chat_file", chatId=talk))
    store.apply([put("message", make.message(talk, f"see {make.sha(1)}", attachments=[part]))])
    delete(store, "chat", talk)
    assert body(store, "asset", part) is None
    assert store.find("message", Query()).total == 0


def test_what_stays_refuses_for_what_would_go_along(store: MemoryDocuments, make: ModuleType) -> None:
    who = add(store, "character", make.character())
    talk, other = add(store, "chat", make.chat(who)), add(store, "chat", make.chat(who))
    part = add(store, "asset", make.asset(1, type="chat_file", chatId=talk))
    store.apply([put("message", make.message(other, attachments=[part]))])
    with pytest.raises(ConflictError):
        delete(store, "chat", talk)
    assert body(store, "chat", talk) is not None


def test_a_message_s_namesake_in_another_chat_keeps_its_files(store: MemoryDocuments, make: ModuleType) -> None:
    """A copied chat has messages of the same ids; a message is named by its chat and its id together."""
    who = add(store, "character", make.character())
    talk, copied = add(store, "chat", make.chat(who)), add(store, "chat", make.chat(who))
    said = make.message(talk)
    store.apply([put("message", said)])
    store.apply([put("message", {**said, "chatId": copied})])
    mine = add(store, "asset", make.asset(1, chatId=talk, messageId=said["id"]))
    theirs = add(store, "asset", make.asset(2, chatId=copied, messageId=said["id"]))
    delete(store, "message", f"{talk}/{said['id']}")
    assert "messageId" not in (body(store, "asset", mine) or {})
    assert (body(store, "asset", theirs) or {})["messageId"] == said["id"]


def test_a_user_is_refused_while_it_owns_records(store: MemoryDocuments, make: ModuleType) -> None:
    owner = add(store, "user", make.user("a@b.c"))
    token = add(store, "accessToken", make.access_token(1, owner))
    label = add(store, "tag", make.tag("t", owner))
    with pytest.raises(ConflictError) as caught:
        delete(store, "user", owner)
    assert caught.value.details["referrers"] == [{"kind": "tag", "id": label, "field": "userId"}]
    delete(store, "tag", label)
    delete(store, "user", owner)
    assert body(store, "accessToken", token) is None, "nobody may come in with a dead user's token"


def test_a_user_takes_everything_along_when_forced(store: MemoryDocuments, make: ModuleType) -> None:
    owner = add(store, "user", make.user("a@b.c"))
    who = add(store, "character", make.character(user=owner))
    add(store, "chat", make.chat(who, user=owner))
    picture = add(store, "asset", make.asset(1, owner))
    add(store, "character", make.character(user=owner, defaultImageId=picture))
    delete(store, "user", owner, force=True)
    for kind in ("user", "character", "chat", "asset"):
        assert store.find(kind, Query()).total == 0, kind


def test_a_refusal_lists_a_hundred_and_counts_all(store: MemoryDocuments, make: ModuleType) -> None:
    picture = add(store, "asset", make.asset(1))
    store.apply([put("character", make.character(defaultImageId=picture)) for _ in range(LISTED + 5)])
    with pytest.raises(ConflictError) as caught:
        delete(store, "asset", picture)
    details = caught.value.details
    assert details["count"] == LISTED + 5
    assert len(details["referrers"]) == LISTED  # type: ignore[arg-type] # a list


def test_two_references_of_one_record_are_both_settled(store: MemoryDocuments, make: ModuleType) -> None:
    picture, talk = add(store, "asset", make.asset(1)), make.new_id()
    overrides = [{"chatId": talk, "imageId": picture}]
    record = make.character(defaultImageId=picture, avatarOverrides=overrides)
    store.apply([put("character", record, trusting=True)])
    delete(store, "asset", picture, force=True)
    found = body(store, "character", record["id"]) or {}
    assert "defaultImageId" not in found
    assert found["avatarOverrides"] == []
