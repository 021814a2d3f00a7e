"""The trash: what goes in comes out as it was, and nothing else is in there."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from assets.digest import Digest
from assets.trash import Entry

if TYPE_CHECKING:
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
    assert trash.take_back(digest, 9) is False
    assert trash.take_back(digest, 10) is True
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
    raw.write_bytes(b"again")
    trash.put([digest])
    first, second = trash.of(digest)
    assert second.since == first.since + 1
    assert trash.take_back(digest) is True
    assert raw.read_bytes() == b"again"


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
