"""What only the folder's side of the interface does; the rest is `tests/contracts/test_assets.py`."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest

import calotype
from metadata.errors import FullError, InvalidError, NotFoundError, TooLargeError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c6360000002000001e221bc330000000049454e44ae426082"
)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[calotype.LocalStore]:
    with calotype.open(tmp_path / "data", min_free_bytes=0, max_upload_bytes=1_000_000) as store:
        yield store


def staged(store: calotype.LocalStore) -> list[str]:
    return [path.name for path in (store.settings.data_dir / "uploads").iterdir() if not path.name.endswith(".lock")]


def test_records_belong_to_the_first_user(store: calotype.LocalStore) -> None:
    asset = store.assets.put(b"x")
    first = store.users.first()
    assert first is not None
    assert asset.wire["userId"] == first.id == store.inside.owner.id


def test_other_users_records_are_seen_and_can_be_told_apart(store: calotype.LocalStore) -> None:
    other = store.users.create(email="other@example.org")
    mine = store.assets.put(b"x")
    record = store.documents.get("asset", mine.id)
    assert record is not None
    theirs = store.inside.assets.images.create(**{**record.body, "userId": other.id})
    assert [asset.id for asset in store.assets.find(mine.sha256)] == [mine.id, theirs.id]
    assert [asset.id for asset in store.assets.list(user_id=other.id).items] == [theirs.id]
    store.assets.delete(mine.id)
    assert store.assets.have([mine.sha256]) == [mine.sha256], "another's record is none of one's own"


def test_addresses_begin_where_the_settings_say(tmp_path: Path) -> None:
    with calotype.open(tmp_path / "data", public_url="https://p.example/", root_path="/pictures") as store:
        assert store.assets.put(b"x").url.startswith("https://p.example/pictures/blobs/")


def test_what_fails_leaves_nothing(store: calotype.LocalStore) -> None:
    class Breaking(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            if self.tell() > 500_000:
                raise RuntimeError("the caller's own fault")
            return super().read(size)

    with pytest.raises(RuntimeError):
        store.assets.put(Breaking(bytes(900_000)))
    with pytest.raises(TooLargeError):
        store.assets.put(bytes(1_000_001))
    with pytest.raises(InvalidError):
        store.assets.put(b"x", type="painting")
    assert staged(store) == []
    assert [path for path in (store.settings.data_dir / "binaries").iterdir() if path.is_dir()] == []


def test_no_room_is_said_before_a_byte_is_read(tmp_path: Path) -> None:
    with calotype.open(tmp_path / "data", min_free_bytes=2**60) as store, pytest.raises(FullError, match="MIN_FREE"):
        store.assets.put(b"x")


def test_a_payload_that_is_only_mentioned_is_served_and_its_mentions_listed(store: calotype.LocalStore) -> None:
    asset = store.assets.put(b"x")
    other = store.assets.put(b"y", generation_prompt=asset.sha256)
    store.assets.delete(asset.id, force=True)
    assert store.assets.read(asset.sha256) == b"x"
    assert [by.id for by in store.references(asset.sha256)] == [other.id]
    store.assets.delete(other.id)
    with pytest.raises(NotFoundError):
        store.assets.read(asset.sha256)


def test_smaller_pictures_go_with_the_payload(store: calotype.LocalStore) -> None:
    """To the trash they do not come along, and back from there they are made anew; purged, all of it is gone."""
    asset = store.assets.put(PNG, filename="a.png")
    data = store.settings.data_dir
    folder = data / "binaries" / asset.sha256
    assert store.assets.variant(asset.sha256, "thumb", "webp").parent == folder
    assert len(list(folder.iterdir())) == 2
    store.assets.delete(asset.id)
    store.gc.execute(store.gc.plan(grace_s=0))
    assert not folder.exists()
    (entry,) = (data / "trash").glob(f"{asset.sha256}.*")
    assert {path.name for path in entry.iterdir()} == {"raw", "note.json"}
    store.assets.restore(asset.id)
    assert [path.name for path in folder.iterdir()] == ["raw"]
    assert store.assets.variant(asset.sha256, "thumb", "webp").exists()
    store.assets.delete(asset.id, purge=True)
    assert not folder.exists()
    assert not list((data / "trash").glob(f"{asset.sha256}.*"))


def test_smaller_pictures_do_not_fill_the_disk(tmp_path: Path) -> None:
    with calotype.open(tmp_path / "data", min_free_bytes=0) as store:
        asset = store.assets.put(PNG)
        made = store.assets.variant(asset.sha256, "thumb")
    with calotype.open(tmp_path / "data", min_free_bytes=1 << 60) as store:
        with pytest.raises(FullError, match="MIN_FREE_BYTES"):
            store.assets.variant(asset.sha256, "card")
        assert store.assets.variant(asset.sha256, "thumb") == made
