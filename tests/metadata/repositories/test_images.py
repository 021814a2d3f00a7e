"""Assets: what is the same upload, what is live, tags of all types, and back from the dead."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from metadata.documents.contract import put, remove
from metadata.errors import ConflictError, InvalidError, NotFoundError
from metadata.repositories.images import ImagesRepository

if TYPE_CHECKING:
    from types import ModuleType

    from metadata.documents.memory import MemoryDocuments


@pytest.fixture
def images(documents: MemoryDocuments) -> ImagesRepository:
    return ImagesRepository(documents)


def test_the_same_upload_has_the_same_owner_bytes_type_and_links(
    images: ImagesRepository, documents: MemoryDocuments, make: ModuleType
) -> None:
    chat, who = make.new_id(), make.new_id()
    plain, linked = make.asset(1), make.asset(1, chatId=chat)
    documents.apply([put("asset", record, trusting=True) for record in (plain, linked)])

    def same(user: str = make.USER, kind: str = "image", **links: str | None) -> str | None:
        found = images.find_same(user, make.sha(1), kind, links)
        return None if found is None else found.id

    assert same() == plain["id"]
    assert same(chatId=None) == plain["id"]
    assert same(chatId=chat) == linked["id"]
    assert same(chatId=chat, characterId=who) is None
    assert same(user=make.OTHER) is None
    assert same(kind="avatar") is None


def test_finding_by_each_link(images: ImagesRepository, documents: MemoryDocuments, make: ModuleType) -> None:
    chat, who, said = make.new_id(), make.new_id(), make.new_id()
    record = make.asset(1, type="avatar", chatId=chat, characterId=who, messageId=said)
    documents.apply([put("asset", each, trusting=True) for each in (record, make.asset(2))])
    found = [
        images.find_by_chat_id(chat),
        images.find_by_character_id(who),
        images.find_by_message_id(said),
        images.find_by_type("avatar"),
        images.find_by_sha256(make.sha(1)),
    ]
    assert [[asset.id for asset in each] for each in found] == [[record["id"]]] * 5
    assert images.find_by_sha256(make.sha(1), owner=make.OTHER) == []
    assert images.names(make.sha(1))
    assert not images.names(make.sha(1), owner=make.OTHER)
    assert images.is_live(make.sha(2))
    assert not images.is_live(make.sha(3))


def test_tags_are_put_on_once_and_taken_off(
    images: ImagesRepository, documents: MemoryDocuments, make: ModuleType
) -> None:
    label, who, record = make.tag("x"), make.character(), make.asset(1)
    for kind, body in (("tag", label), ("character", who), ("asset", record)):
        documents.apply([put(kind, body)])
    images.add_tag(record["id"], label["id"])
    images.add_tag(record["id"], label["id"])
    tagged = images.add_tag(record["id"], who["id"], "CHARACTER")
    assert tagged.tags == [label["id"], who["id"]]
    assert tagged.tag_types == {who["id"]: "CHARACTER"}
    bare = images.remove_tag(record["id"], who["id"])
    assert (bare.tags, bare.tag_types) == ([label["id"]], None)
    assert images.remove_tag(record["id"], who["id"]).tags == [label["id"]]
    with pytest.raises(InvalidError):
        images.add_tag(record["id"], make.new_id())
    with pytest.raises(InvalidError):
        images.add_tag(record["id"], label["id"], "NONSENSE")
    with pytest.raises(NotFoundError):
        images.add_tag(record["id"], label["id"], owner=make.OTHER)


def test_what_was_deleted_comes_back_as_it_was(
    images: ImagesRepository, documents: MemoryDocuments, make: ModuleType
) -> None:
    record = make.asset(1)
    documents.apply([put("asset", record)])
    with pytest.raises(ConflictError):
        images.restore(record["id"])
    images.delete(record["id"])
    with pytest.raises(NotFoundError):
        images.restore(record["id"], owner=make.OTHER)
    assert images.restore(record["id"]).to_record() == record
    with pytest.raises(NotFoundError):
        images.restore(make.new_id())


def test_what_comes_back_refers_to_nothing_that_went_meanwhile(
    images: ImagesRepository, documents: MemoryDocuments, make: ModuleType
) -> None:
    kept, gone, who, part = make.tag("kept"), make.tag("gone"), make.character(), make.character("Bob")
    talk = make.chat(part["id"])
    record = make.asset(
        1,
        tags=[kept["id"], gone["id"], who["id"]],
        _tagTypes={who["id"]: "CHARACTER"},
        characterId=who["id"],
        chatId=talk["id"],
    )
    others = [("tag", kept), ("tag", gone), ("character", who), ("character", part), ("chat", talk)]
    documents.apply([*(put(kind, body) for kind, body in others), put("asset", record)])
    images.delete(record["id"])
    documents.apply([remove("tag", gone["id"]), remove("character", who["id"])])
    restored = images.restore(record["id"])
    assert (restored.tags, restored.character_id, restored.chat_id) == ([kept["id"]], None, talk["id"])
    assert not restored.tag_types
    assert images.edit(record["id"], lambda now: now.replaced(filename="b.png")).tags == [kept["id"]]


def test_who_refers_and_who_mentions(images: ImagesRepository, documents: MemoryDocuments, make: ModuleType) -> None:
    record = make.asset(1)
    documents.apply([put("asset", record)])
    who = make.character(defaultImageId=record["id"], avatarUrl=f"/blobs/{make.sha(1)}")
    documents.apply([put("character", who)])
    assert [by.field for by in images.referrers(record["id"])] == ["defaultImageId", "mention"]
