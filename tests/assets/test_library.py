"""Payloads and records as one thing."""

from __future__ import annotations

import hashlib
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from assets.blobs.memory import MemoryBlobs
from assets.digest import Digest
from assets.library import Library, Upload
from assets.room import Room
from metadata.clock import SystemClock
from metadata.documents.contract import put
from metadata.documents.memory import MemoryDocuments
from metadata.errors import ConflictError, FullError, InvalidError, NotFoundError, StaleError
from metadata.index.query import Query
from metadata.repositories.facts import FactsRepository
from metadata.repositories.images import ImagesRepository
from metadata.repositories.tags import TagsRepository

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assets.library import Stored

USER = "11111111-1111-4111-8111-111111111111"
OTHER = "22222222-2222-4222-8222-222222222222"
NOBODY = "33333333-3333-4333-8333-333333333333"
GIF = b"GIF89a\x03\x00\x02\x00\x00\x00\x00;"


class Shelf:
    """A library in memory, with its parts within reach."""

    def __init__(self) -> None:
        self.documents = MemoryDocuments()
        self.blobs = MemoryBlobs()
        self.facts = FactsRepository(self.documents)
        self.tags = TagsRepository(self.documents)
        self.images = ImagesRepository(self.documents)
        self.held: list[int] = []
        room = Room(None, lambda: 0, SystemClock())
        parts: dict[str, Any] = {"images": self.images, "facts": self.facts, "tags": self.tags}
        self.library = Library(self.documents, self.blobs, self.shard, room, **parts)

    @contextmanager
    def shard(self, byte: int) -> Iterator[None]:
        self.held.append(byte)
        yield

    def store(self, data: bytes, **more: Any) -> Stored:
        upload = Upload(**{"user_id": USER, "filename": "f.gif", **more})
        with self.library.receive() as staging:
            staging.write(data)
            return self.library.store(staging.finish(), upload)

    @property
    def payloads(self) -> int:
        return len(list(self.blobs.scan()))


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


def digest_of(data: bytes) -> Digest:
    return Digest(hashlib.sha256(data).hexdigest())


def test_a_picture_is_stored_with_what_its_bytes_tell(shelf: Shelf) -> None:
    stored = shelf.store(GIF, declared_type="text/plain")
    record = stored.asset.to_record()
    assert (stored.duplicate, stored.fresh) == (False, True)
    assert (record["sha256"], record["size"], record["mimeType"]) == (digest_of(GIF), len(GIF), "image/gif")
    assert (record["width"], record["height"], record["type"], record["source"]) == (3, 2, "image", "upload")
    assert record["_declaredType"] == "text/plain"
    assert record["relativePath"] == f"binaries/{digest_of(GIF)}/raw"
    assert shelf.held == [digest_of(GIF).shard]
    payload = shelf.library.find(digest_of(GIF))
    assert (payload.size, payload.filename, payload.media.type) == (len(GIF), "f.gif", "image/gif")
    with shelf.library.open(digest_of(GIF), 0, 3) as source:
        assert source.read() == GIF[:3]


def test_other_bytes_are_a_file_of_a_chat(shelf: Shelf) -> None:
    assert shelf.store(b"text", declared_type="text/plain").asset.to_record()["type"] == "chat_file"
    assert "_declaredType" not in shelf.store(GIF, declared_type="image/gif").asset.to_record()


def test_the_same_again_is_the_same_record_with_more_tags(shelf: Shelf) -> None:
    first = shelf.store(GIF, tags=["a"])
    again = shelf.store(GIF, filename="other.gif", tags=["A", "b"], source="generated")
    assert (again.duplicate, again.fresh, again.asset.id) == (True, False, first.asset.id)
    record = again.asset.to_record()
    assert (record["filename"], record["source"], len(record["tags"])) == ("f.gif", "upload", 2)
    other = shelf.store(GIF, user_id=OTHER)
    avatar = shelf.store(GIF, type="avatar")
    assert (other.duplicate, other.fresh, avatar.duplicate, shelf.payloads) == (False, False, False, 1)


def test_what_is_refused_leaves_nothing(shelf: Shelf) -> None:
    for data, error, more in (
        (b"", InvalidError, {}),
        (GIF, ConflictError, {"expected": "0" * 64}),
        (GIF, InvalidError, {"type": "nonsense"}),
        (GIF, InvalidError, {"links": {"chatId": NOBODY}}),
        (GIF, InvalidError, {"tags": [NOBODY]}),
        (GIF, InvalidError, {"extra": {"nonsense": 1}}),
    ):
        with pytest.raises(error):
            shelf.store(data, **more)
        assert (shelf.payloads, shelf.images.list().total) == (0, 0), more
        assert shelf.facts.find_by_id(digest_of(data)) is None, more


def test_a_refused_upload_makes_no_tags(shelf: Shelf) -> None:
    for more in ({"links": {"chatId": NOBODY}}, {"type": "nonsense"}, {"tags": ["new", NOBODY]}):
        with pytest.raises(InvalidError):
            shelf.store(GIF, **{"tags": ["new"], **more})
        assert shelf.tags.list().total == 0, more
    first = shelf.store(GIF, tags=["new", "NEW", "other"])
    assert [shelf.tags.get(tag).name for tag in first.asset.tags] == ["new", "other"]
    with pytest.raises(InvalidError):
        shelf.store(GIF + b"x", tags=["new", "never"], links={"chatId": NOBODY})
    assert [tag.name for tag in shelf.tags.find_all()] == ["new", "other"]


def test_a_refused_second_use_leaves_the_facts_of_the_first(shelf: Shelf) -> None:
    shelf.store(GIF)
    with pytest.raises(InvalidError):
        shelf.store(GIF, links={"chatId": NOBODY})
    fact = shelf.facts.get(digest_of(GIF))
    assert (fact.size, fact.width) == (len(GIF), 3)


def test_a_refused_second_use_leaves_the_first_one_s_bytes(shelf: Shelf) -> None:
    shelf.store(GIF)
    with pytest.raises(InvalidError):
        shelf.store(GIF, links={"chatId": NOBODY})
    assert shelf.payloads == 1


def test_bytes_that_are_gone_are_absent_and_counted(shelf: Shelf) -> None:
    shelf.store(GIF)
    shelf.blobs.remove(digest_of(GIF))
    for _ in range(2):
        with pytest.raises(NotFoundError):
            shelf.library.find(digest_of(GIF))
    assert shelf.library.missing == 1
    shelf.store(GIF)
    assert shelf.library.find(digest_of(GIF)).size == len(GIF)
    assert shelf.library.missing == 0


def test_bytes_that_nothing_names_are_absent_though_they_are_there(shelf: Shelf) -> None:
    stored = shelf.store(GIF)
    shelf.library.forget(stored.asset.id)
    assert shelf.payloads == 1
    with pytest.raises(NotFoundError):
        shelf.library.find(digest_of(GIF))
    assert shelf.library.missing == 0
    assert shelf.library.restore(stored.asset.id).to_record() == stored.asset.to_record()
    assert shelf.library.find(digest_of(GIF)).filename == "f.gif"


def test_a_mention_alone_keeps_a_payload(shelf: Shelf) -> None:
    stored = shelf.store(GIF)
    text = {"description": f"“{digest_of(GIF)}”", "name": "A", "personality": "", "scenario": "", "firstMessage": ""}
    dates = {"createdAt": "2026-01-01T00:00:00.000Z", "updatedAt": "2026-01-01T00:00:00.000Z"}
    shelf.documents.apply([put("character", {"id": NOBODY, "userId": USER, **text, **dates})])
    with pytest.raises(ConflictError):
        shelf.library.forget(stored.asset.id)
    shelf.library.forget(stored.asset.id, force=True, purge=True)
    assert shelf.library.find(digest_of(GIF)).filename is None
    assert shelf.payloads == 1


@pytest.mark.parametrize("shared", [False, True])
def test_a_purge_takes_the_bytes_unless_somebody_needs_them(shelf: Shelf, *, shared: bool) -> None:
    stored = shelf.store(GIF)
    if shared:
        shelf.store(GIF, user_id=OTHER)
    shelf.library.forget(stored.asset.id, purge=True)
    assert shelf.payloads == shared
    if not shared:
        with pytest.raises(NotFoundError):
            shelf.library.restore(stored.asset.id)


def test_forgetting_asks_owner_and_version(shelf: Shelf) -> None:
    stored = shelf.store(GIF)
    with pytest.raises(NotFoundError):
        shelf.library.forget(stored.asset.id, owner=OTHER)
    with pytest.raises(StaleError):
        shelf.library.forget(stored.asset.id, if_match="0" * 32)
    assert shelf.images.list(Query()).total == 1


def test_have_tells_of_one_s_own_alone(shelf: Shelf) -> None:
    shelf.store(GIF)
    asked = [digest_of(GIF), digest_of(b"x")]
    assert shelf.library.missing_of(asked, owner=USER) == asked[1:]
    assert shelf.library.missing_of(asked, owner=OTHER) == asked
    assert shelf.library.missing_of(asked, owner=None) == asked[1:]


def test_no_room_no_upload(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: Room) -> None:
        raise FullError("No room.")

    monkeypatch.setattr(Room, "check", full)
    with pytest.raises(FullError):
        shelf.library.receive()
