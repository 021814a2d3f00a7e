"""Leaving and coming back through the library: uploads, reads, restores and purges beside the trash."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from assets.digest import Digest
from assets.disposal import uncertain
from metadata.errors import NotFoundError, UnreadableError
from metadata.index.state import Problem

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.assets.conftest import House


def test_an_upload_of_what_is_in_the_trash_takes_it_back(house: House) -> None:
    digest = house.drop()
    inode = house.raw(digest).stat().st_ino
    house.clock.go(days=2)
    house.collect()
    asset = house.put()
    assert (asset.sha256, house.trash()) == (digest, [])
    assert house.raw(digest).stat().st_ino == inode, "moved back, not stored again"
    fact = house.gc.premises.facts.get(digest)
    assert (fact.first_stored_at, fact.last_upload_at) == ("2026-05-01T00:00:00.000Z", "2026-05-03T00:00:00.000Z")


def test_a_copy_in_the_trash_of_another_size_is_not_trusted(house: House) -> None:
    digest = house.drop()
    house.collect(grace_s=0)
    (entry,) = house.gc.premises.disposal.trash.entries()
    (house.root / entry.path / "raw").write_bytes(b"cut")
    house.put()
    assert house.raw(digest).read_bytes() == b"some bytes"
    assert house.trash() == [digest]


def test_a_record_comes_back_with_its_payload(house: House) -> None:
    asset = house.put()
    house.store.assets.forget(asset.id)
    house.collect(grace_s=0)
    assert house.store.assets.restore(asset.id).id == asset.id
    assert house.store.assets.find(Digest(asset.sha256)).media.type == "text/plain"
    assert house.trash() == []


def test_a_payload_that_is_mentioned_again_is_served_from_the_trash(house: House) -> None:
    digest = house.drop()
    house.collect(grace_s=0)
    with pytest.raises(NotFoundError):
        house.store.assets.find(digest)
    house.character(avatar_url=f"/blobs/{digest}")
    found = house.store.assets.find(digest)
    assert (found.size, house.trash(), house.store.assets.missing) == (10, [], 0)
    with house.store.assets.open(digest) as source:
        assert source.read() == b"some bytes"


def test_a_purge_takes_the_copy_in_the_trash_too(house: House) -> None:
    digest = house.drop()
    house.collect(grace_s=0)
    (entry,) = (house.root / "trash").glob(f"{digest}*")
    entry.rename(house.root / "aside")
    asset = house.put()
    (house.root / "aside").rename(entry)
    house.store.assets.forget(asset.id, purge=True)
    assert not house.raw(digest).exists()
    assert list((house.root / "trash").glob(f"{digest}*")) == []


def test_a_purge_leaves_what_a_second_record_of_an_id_names(house: House) -> None:
    """It is kept in the file and not served; what it names must be there when somebody sorts the two out."""
    asset, other = house.put(), house.put(b"other")
    with (house.root / "binaries/index.jsonl").open("a") as log:
        log.write(json.dumps({**other.to_record(), "sha256": asset.sha256}) + "\n")
    house.store.assets.forget(asset.id, purge=True)
    assert house.raw(asset.sha256).exists()


def test_a_purge_waits_until_the_deletion_is_on_the_disk(
    open_house: Callable[..., House], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a power cut could bring the record back, and its bytes would be gone."""
    house = open_house(durability="batch", fsync_interval=1000)
    asset = house.put()
    fs, log = house.store.engine.fs, (house.root / "binaries/index.jsonl").stat().st_ino
    size, synced = fs.fstat, fs.fdatasync
    on_disk, when_moved = [0], []

    def sync(descriptor: int) -> None:
        synced(descriptor)
        if size(descriptor).st_ino == log:
            on_disk.append(size(descriptor).st_size)

    def move(source: Path, target: Path) -> None:
        when_moved.append(((house.root / "binaries/index.jsonl").stat().st_size, on_disk[-1]))
        source.rename(target)

    monkeypatch.setattr(fs, "fdatasync", sync)
    monkeypatch.setattr(fs, "rename", move)
    house.store.assets.forget(asset.id, purge=True)
    assert not house.raw(asset.sha256).exists()
    assert when_moved
    assert all(written == on_disk for written, on_disk in when_moved)


def test_a_purge_is_refused_while_something_cannot_be_read(house: House) -> None:
    asset = house.put()
    (house.root / f"characters/{house.character()}.json").write_bytes(b"{")
    with pytest.raises(UnreadableError):
        house.store.assets.forget(asset.id, purge=True)
    assert house.store.assets.find(Digest(asset.sha256)).size == 10
    house.store.assets.forget(asset.id)
    assert house.raw(asset.sha256).exists()


@pytest.mark.parametrize(
    ("problem", "way"),
    [
        ("unreadable", "repair"),
        ("miscounted", "reindex"),
        ("unfinished", "log"),
        ("altered", "--accept"),
        ("lost", "backup"),
    ],
)
def test_every_refusal_names_the_file_and_the_way_out(problem: str, way: str) -> None:
    error = uncertain(Problem("a.json", -1, "", "", problem, "because"))
    assert "a.json" in error.message
    assert way in error.message
    assert error.details == {"path": "a.json", "problem": problem}
