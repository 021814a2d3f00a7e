"""The trash: what goes in comes out as it was, and nothing else is in there."""

from __future__ import annotations

import errno
import json
from typing import TYPE_CHECKING

import pytest

from assets.digest import Digest
from assets.trash import Entry
from metadata.errors import UnreadableError

if TYPE_CHECKING:
    from collections.abc import Callable

    from assets.trash import Trash
    from tests.assets.conftest import House


@pytest.fixture
def trash(house: House) -> Trash:
    return house.gc.premises.disposal.trash


def test_there_and_back_again(house: House, trash: Trash) -> None:
    digest = house.drop()
    fact = house.gc.premises.facts.get(digest)
    assert trash.put([digest]) == [digest]
    (entry,) = trash.entries()
    assert (entry, trash.size(entry)) == (Entry(digest, int(house.clock.now().timestamp())), 10)
    assert trash.fact(entry) == fact.to_record()
    assert trash.take_back(digest) is True
    assert [path.name for path in house.raw(digest).parent.iterdir()] == ["raw"]
    assert (house.gc.premises.facts.get(digest), trash.entries()) == (fact, [])
    assert trash.take_back(digest) is False


def test_an_entry_without_a_note_is_sound(house: House, trash: Trash) -> None:
    digest = house.drop()
    trash.put([digest])
    (entry,) = trash.entries()
    note = house.root / entry.path / "note.json"
    for text in (b"{", b"[]", b'{"fact": 1}', json.dumps({"fact": {"sha256": "0" * 64}}).encode()):
        note.write_bytes(text)
        assert trash.fact(entry) is None
    note.unlink()
    assert trash.take_back(digest) is True
    assert house.raw(digest).read_bytes() == b"some bytes"


def test_a_note_that_is_no_fact_any_more_hinders_nothing(house: House, trash: Trash) -> None:
    digest = house.drop()
    trash.put([digest])
    (entry,) = trash.entries()
    (house.root / entry.path / "note.json").write_text(json.dumps({"fact": {"sha256": digest, "size": "many"}}))
    assert trash.take_back(digest) is True
    assert house.gc.premises.facts.find_by_id(digest) is None


def test_twice_in_one_second(house: House, trash: Trash) -> None:
    digest = house.drop()
    trash.put([digest])
    raw = house.raw(digest)
    raw.parent.mkdir()
    raw.write_bytes(b"some bytes")
    trash.put([digest])
    first, second = trash.of(digest)
    assert second.since == first.since + 1
    assert trash.take_back(digest) is True
    assert trash.entries() == [first]
    assert (trash.stands(digest), trash.take_back(digest)) == (True, False)


@pytest.mark.parametrize("bad", [b"some bytez", b"some", b""])
def test_what_rotted_there_does_not_come_back(house: House, trash: Trash, bad: bytes) -> None:
    digest = house.drop()
    trash.put([digest])
    (entry,) = trash.entries()
    (house.root / entry.path / "raw").write_bytes(bad)
    assert trash.take_back(digest) is False
    assert trash.entries() == [entry]
    assert house.put().sha256 == digest
    assert house.raw(digest).read_bytes() == b"some bytes"


@pytest.mark.parametrize("bad", [None, b"", b"some bytez"])
def test_what_is_no_payload_makes_way_for_the_one_in_the_trash(house: House, trash: Trash, bad: bytes | None) -> None:
    digest = house.drop()
    trash.put([digest])
    house.raw(digest).parent.mkdir()
    if bad is not None:
        house.raw(digest).write_bytes(bad)
    (entry,) = trash.entries()
    (house.root / entry.path / "note.json").unlink()  # so that the index learns nothing
    told = list(house.store.engine.epochs.values())
    assert trash.take_back(digest) is True
    now = house.store.engine.epochs.values()
    assert [shard for shard in range(256) if now[shard] != told[shard]] == [digest.shard]
    assert house.raw(digest).read_bytes() == b"some bytes"
    assert len(list((house.root / "quarantine").glob(f"{digest}.*"))) == 1


def test_a_disk_that_gives_the_bytes_no_more_is_as_good_as_rot(
    house: House, trash: Trash, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest = house.drop()
    trash.put([digest])

    def fails(number: int) -> Callable[..., bytes]:
        def read(*_: object) -> bytes:
            raise OSError(number, "refused")

        return read

    monkeypatch.setattr(house.store.engine.fs, "pread", fails(errno.EIO))
    assert trash.take_back(digest) is False
    monkeypatch.setattr(house.store.engine.fs, "pread", fails(errno.ENOMEM))
    with pytest.raises(UnreadableError):
        trash.take_back(digest)
    monkeypatch.undo()
    assert trash.take_back(digest) is True


def test_a_note_keeps_the_deleted_records(house: House, trash: Trash) -> None:
    asset = house.put()
    house.store.assets.forget(asset.id)
    digest = Digest(asset.sha256)
    trash.put([digest], house.gc.premises.disposal.usage.graves)
    assert trash.buried(digest) == {asset.id: asset.to_record()}


def test_an_interrupted_move_is_finished(house: House, trash: Trash) -> None:
    digest = house.drop()
    now = int(house.clock.now().timestamp())
    (house.raw(digest).parent / "thumb.r1.webp").write_bytes(b"derived")
    house.raw(digest).parent.rename(house.root / f"trash/{digest}.{now}")
    assert trash.put([digest]) == []
    (entry,) = trash.entries()
    assert trash.fact(entry) is not None
    assert sorted(path.name for path in (house.root / entry.path).iterdir()) == ["note.json", "raw"]
    assert house.gc.premises.facts.find_by_id(digest) is None


def test_what_is_doomed_is_gone_at_once_and_cleared_later(house: House, trash: Trash) -> None:
    digest = house.drop()
    trash.put([digest])
    (entry,) = trash.entries()
    assert trash.doom([entry]) == [entry]
    assert trash.doom([entry]) == []
    assert (trash.entries(), trash.take_back(digest)) == ([], False)
    assert (house.root / f"{entry.path}.gone").is_dir()
    trash.clear()
    assert list((house.root / "trash").iterdir()) == []


def test_foreign_names_are_left_alone(house: House, trash: Trash) -> None:
    folder = house.root / "trash"
    for name in ("notes.txt", "0" * 64, f"{'0' * 64}.x", f"{'0' * 64}.1.gone.keep"):
        (folder / name).mkdir()
    (folder / f"{'1' * 64}.5").mkdir()
    trash.clear()
    assert len(list(folder.iterdir())) == 5
    (empty,) = trash.entries()
    assert trash.size(empty) is None
    assert trash.take_back(Digest("1" * 64)) is False


def test_what_another_process_put_there_is_seen(house: House, trash: Trash) -> None:
    digest = house.drop()
    assert trash.of(digest) == []
    house.raw(digest).parent.rename(house.root / f"trash/{digest}.5")
    assert trash.of(digest) == [Entry(digest, 5)]
