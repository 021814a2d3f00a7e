"""The collection with a store's own settings: restoring, purging, and the timer."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from metadata.errors import BusyError, ConflictError, InvalidError, NotFoundError, UnreadableError

if TYPE_CHECKING:
    from tests.assets.conftest import House


def test_the_grace_is_the_stores_unless_asked_otherwise(house: House) -> None:
    house.drop()
    house.clock.go(hours=23)
    assert house.gc.plan().takes == ()
    assert len(house.gc.plan(grace_s=3600).takes) == 1
    house.clock.go(hours=2)
    assert len(house.gc.plan().takes) == 1


def test_restoring_brings_the_records_back_too(house: House) -> None:
    one, two = house.put(), house.put(type="avatar")
    house.store.assets.forget(one.id)
    house.store.assets.forget(two.id)
    house.clock.go(days=2)
    house.collect()
    done = house.gc.restore(one.sha256)
    assert (set(done.records), done.refused) == ({one.id, two.id}, ())
    assert house.store.assets.find(house.drop()).size == 10
    assert house.collect(grace_s=0) == {}


def test_records_come_back_for_as_long_as_their_payload_does(house: House) -> None:
    kept, two = house.put(b"kept"), house.put()
    for one in (kept, two):
        house.store.assets.forget(one.id)
    house.clock.go(days=5)
    house.collect()
    house.clock.go(days=5)
    house.store.documents.compact()
    assert house.gc.restore(kept.sha256).records == (kept.id,)
    assert house.store.assets.images.get(kept.id) == kept
    (note,) = house.root.glob("trash/*/note.json")
    note.write_bytes(note.read_bytes().replace(two.id.encode(), b"..."))
    assert [key for key, _ in house.gc.restore(two.sha256).refused] == ["..."]


def test_what_no_collection_took_yet_gets_its_records_back(house: House) -> None:
    asset = house.put()
    house.store.assets.forget(asset.id)
    assert house.gc.restore(asset.sha256).records == (asset.id,)
    with pytest.raises(NotFoundError, match="in its place"):
        house.gc.restore(asset.sha256)


def test_what_rotted_in_the_trash_is_not_restored(house: House) -> None:
    asset = house.put()
    house.store.assets.forget(asset.id)
    house.collect(grace_s=0)
    (raw,) = house.root.glob("trash/*/raw")
    raw.write_bytes(b"some bytez")
    with pytest.raises(UnreadableError, match="Upload the file again"):
        house.gc.restore(asset.sha256)
    assert list(house.store.assets.images.find_all()) == []


def test_records_of_a_user_who_is_gone_stay_deleted(house: House) -> None:
    users = house.store.records.users
    user = users.create(email="u@example.org").id
    asset = house.put(user_id=user)
    house.store.assets.forget(asset.id)
    users.delete(user)
    ((refused, why),) = house.gc.restore(asset.sha256).refused
    assert (refused, "is gone" in why) == (asset.id, True)
    with pytest.raises(ConflictError, match="is gone"):
        house.store.assets.restore(asset.id)


def test_restoring_without_records_gives_a_grace(house: House) -> None:
    house.put(b"kept")
    digest = house.drop()
    house.clock.go(days=8)
    house.store.documents.compact()
    house.collect()
    assert house.gc.restore(digest).records == ()
    assert house.gc.plan().takes == ()
    house.clock.go(days=1)
    assert [item.sha256 for item in house.gc.plan().takes] == [digest]


def test_restoring_what_is_not_there(house: House) -> None:
    with pytest.raises(NotFoundError):
        house.gc.restore("0" * 64)
    with pytest.raises(InvalidError):
        house.gc.restore("nonsense")


def test_purging_some_or_all(house: House) -> None:
    one, two, three = (house.drop(b"%d" % number) for number in range(3))
    house.collect(grace_s=0)
    assert house.gc.purge([one]).purged == 1
    with pytest.raises(NotFoundError):
        house.gc.purge([one, two])
    assert sorted(house.trash()) == sorted([two, three])
    house.character(avatar_url=f"/blobs/{two}")
    report = house.gc.purge()
    assert (report.purged, report.purged_bytes, report.rescued) == (1, 1, 1)
    assert house.trash() == []
    assert house.store.assets.find(two).size == 1


def test_purging_waits_until_everything_can_be_read(house: House) -> None:
    house.drop()
    house.collect(grace_s=0)
    who = house.character()
    (house.root / f"characters/{who}.json").write_bytes(b"{")
    with pytest.raises(UnreadableError):
        house.gc.purge()
    assert len(house.trash()) == 1


def test_the_timer_runs_when_it_is_time(house: House) -> None:
    assert house.gc.run_if_due(3600) is not None
    house.drop()
    house.clock.go(days=2)
    report = house.gc.run_if_due(3600)
    assert report is not None
    assert report.taken == 1
    house.clock.go(seconds=3599)
    assert house.gc.run_if_due(3600) is None
    house.clock.go(days=-3650)
    assert house.gc.run_if_due(3600) is not None, "a clock that was set back must not stop it for ten years"


def test_the_timer_never_insists_and_tells_what_blocked_it(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("assets.gc.planning.SHARE_FROM", 2)
    for number in range(3):
        house.drop(b"%d" % number)
    house.clock.go(days=2)
    with pytest.raises(ConflictError):
        house.gc.run_if_due(86_400)
    assert "insist" in house.gc.last.blocked
    assert house.trash() == []
    assert house.gc.run_if_due(86_400) is None
    house.clock.go(hours=1)
    with pytest.raises(ConflictError):
        house.gc.run_if_due(86_400)
    house.collect(force=True)
    assert house.gc.last.blocked == ""


def test_a_busy_timer_tries_again_at_once(house: House) -> None:
    lock = house.store.engine.locks.lock_of("locks/gc")
    other = type(house)(house.root)
    with other.store.engine.locks.lock_of("locks/gc").hold(), pytest.raises(BusyError):
        house.gc.run_if_due(3600)
    other.store.close()
    assert not lock.held
    assert house.gc.last.at == ""
    assert house.gc.run_if_due(3600) is not None


@pytest.mark.parametrize("text", ["{", "[]", '{"at": 5, "census": {"asset": "many"}, "blocked": null}'])
def test_a_state_that_makes_no_sense_is_none(house: House, text: str) -> None:
    (house.root / "trash/collection.json").write_text(text)
    assert house.gc.last.since(house.clock.now()) is None
    assert dict(house.gc.last.census) == {}
    assert house.gc.run_if_due(3600) is not None
    assert json.loads((house.root / "trash/collection.json").read_text())["census"]["asset"] == 0


def test_what_is_used_again_can_be_had_back_at_once(house: House) -> None:
    digest = house.drop()
    house.drop(b"other")
    house.collect(grace_s=0)
    assert house.gc.rescue() == 0
    house.character(avatar_url=f"/blobs/{digest}")
    assert house.gc.rescue() == 1
    assert house.raw(digest).read_bytes() == b"some bytes"
    assert len(house.trash()) == 1


def test_what_quarantine_names_is_not_purged(house: House) -> None:
    digest = house.drop()
    house.collect(grace_s=0)
    (house.root / "quarantine/piece").write_text(f'{{"sha256": "{digest}"')
    assert house.gc.purge().rescued == 1
    assert house.raw(digest).exists()
