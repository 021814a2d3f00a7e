"""Payloads with the records that name them."""

from __future__ import annotations

import hashlib
import io
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import pytest

from assets.blobs.memory import MemoryBlobs
from assets.digest import Digest
from assets.library import Library
from assets.room import Room
from assets.transfer.intake import Intake
from metadata.clock import SystemClock
from metadata.documents.memory import MemoryDocuments
from metadata.errors import ConflictError, InvalidError
from metadata.repositories.facts import FactsRepository
from metadata.repositories.images import ImagesRepository
from metadata.repositories.tags import TagsRepository
from server.configuration import load_settings
from server.importing import intake_of
from server.local import LocalStore
from server.wiring import open_store

if TYPE_CHECKING:
    from pathlib import Path

    from assets.transfer.intake import Seen

GIF = b"GIF89a\x03\x00\x02\x00\x00\x00\x00;"
SHA256 = Digest(hashlib.sha256(GIF).hexdigest())


class Shelf:
    """An intake in memory, with its parts within reach."""

    def __init__(self) -> None:
        documents = MemoryDocuments()
        self.blobs, self.facts = MemoryBlobs(), FactsRepository(documents)
        parts: dict[str, Any] = {"images": ImagesRepository(documents), "tags": TagsRepository(documents)}
        room = Room(None, lambda: 0, SystemClock())
        library = Library(documents, self.blobs, lambda _: nullcontext(), room, facts=self.facts, **parts)
        self.intake = Intake(documents, library, lambda _: nullcontext(), limit=100)


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "picture.txt"
    path.write_bytes(GIF)
    return path


def test_a_file_is_what_its_bytes_say(shelf: Shelf, picture: Path) -> None:
    seen = shelf.intake.look(picture, "picture.txt")
    assert seen.members() == {
        "sha256": SHA256,
        "relativePath": f"binaries/{SHA256}/raw",
        "mimeType": "image/gif",
        "size": len(GIF),
        "width": 3,
        "height": 2,
    }
    assert not shelf.intake.has(SHA256)


def test_the_record_is_written_when_the_bytes_are_there(shelf: Shelf, picture: Path) -> None:
    seen: list[Seen] = []

    def write(one: Seen) -> None:
        assert shelf.intake.has(one.digest)
        seen.append(one)

    shelf.intake.take(picture, "picture.txt", write)
    assert [one.digest for one in seen] == [SHA256]
    assert shelf.facts.get(SHA256).media_type == "image/gif"


def test_bytes_whose_record_is_refused_go_again(shelf: Shelf, picture: Path) -> None:
    def write(_: Seen) -> None:
        raise ConflictError("No.")

    with pytest.raises(ConflictError):
        shelf.intake.take(picture, "picture.txt", write)
    assert not shelf.intake.has(SHA256)
    assert shelf.facts.find_by_id(SHA256) is None


@pytest.mark.parametrize(("content", "match"), [(b"", "empty"), (b"x" * 101, "larger")])
def test_what_is_empty_or_too_large_is_refused(shelf: Shelf, tmp_path: Path, content: bytes, match: str) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    with pytest.raises(InvalidError, match=match):
        shelf.intake.look(path, "file")
    with pytest.raises(InvalidError, match=match):
        shelf.intake.take(path, "file", lambda _: None)
    assert not list(shelf.blobs.scan())


def test_several_are_kept_together_with_what_else_is_told_of_them(shelf: Shelf) -> None:
    staged = [shelf.intake.stage(io.BytesIO(data), "one") for data in (GIF, b"text", GIF)]
    told = {"pictureIdentity": SHA256}
    seen: list[Seen] = []
    shelf.intake.keep([(one, "a.gif", told if one.size != 4 else {}) for one in staged], seen.extend)
    assert [(one.digest, one.facts["mediaType"]) for one in seen] == [
        (SHA256, "image/gif"),
        (staged[1].digest, "text/plain"),
        (SHA256, "image/gif"),
    ]
    assert shelf.facts.get(SHA256).picture_identity == SHA256
    assert set(shelf.blobs.scan()) == {SHA256, staged[1].digest}


def test_nothing_of_several_stays_when_their_records_are_refused(shelf: Shelf) -> None:
    staged = [shelf.intake.stage(io.BytesIO(data), "one") for data in (GIF, b"text")]

    def refuse(_: object) -> None:
        raise ConflictError("No.")

    with pytest.raises(ConflictError):
        shelf.intake.keep([(one, "file", {}) for one in staged], refuse)
    assert not list(shelf.blobs.scan())
    assert shelf.facts.find_by_id(SHA256) is None


def test_nothing_of_several_stays_when_one_cannot_be_published(shelf: Shelf) -> None:
    staged = [shelf.intake.stage(io.BytesIO(data), "one") for data in (GIF, b"text")]
    facts = {"mediaType": 5}  # no fact can say that
    with pytest.raises(InvalidError):
        shelf.intake.keep([(staged[0], "file", {}), (staged[1], "file", facts)], lambda _: None)
    assert not list(shelf.blobs.scan())


def test_bytes_come_back_from_the_trash(tmp_path: Path, picture: Path) -> None:
    settings = load_settings({"DATA_DIR": str(tmp_path / "data"), "CALOTYPE_MIN_FREE_BYTES": "0"}).settings
    with LocalStore(open_store(settings)) as store:
        store.assets.delete(store.assets.put(GIF, filename="a.gif").id)
        store.gc.execute(store.gc.plan(grace_s=0))
        assert [one.sha256 for one in store.gc.trashed()] == [SHA256]
        inside = store.inside
        intake_of(inside).take(picture, "picture.gif", lambda _: None)
        assert store.gc.trashed() == []
        assert inside.records.facts.get(SHA256).frames == 1
