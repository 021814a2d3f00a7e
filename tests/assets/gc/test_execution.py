"""Carrying a plan out: what it does, what it spares, what stops it."""

from __future__ import annotations

import hashlib
import json
import threading
from typing import TYPE_CHECKING

import pytest

from assets.gc.execution import purge
from metadata.errors import BusyError, ConflictError, NotFoundError, UnreadableError

if TYPE_CHECKING:
    from tests.assets.conftest import House


def test_garbage_goes_to_the_trash_with_what_was_known_of_it(house: House) -> None:
    kept, digest = house.put(b"kept"), house.drop()
    (house.raw(digest).parent / "thumb.r1.webp").write_bytes(b"derived")
    fact = house.store.gc.premises.facts.get(digest).to_record()
    assert house.collect(grace_s=0) == {"taken": 1, "takenBytes": 10}
    (entry,) = (house.root / "trash").glob(f"{digest}.*")
    assert entry.name == f"{digest}.{int(house.clock.now().timestamp())}"
    assert sorted(path.name for path in entry.iterdir()) == ["note.json", "raw"]
    assert json.loads((entry / "note.json").read_text())["fact"] == fact
    assert (entry / "raw").read_bytes() == b"some bytes"
    assert not house.raw(digest).parent.exists()
    assert house.gc.premises.facts.find_by_id(digest) is None
    assert house.raw(kept.sha256).read_bytes() == b"kept"
    assert house.collect(grace_s=0) == {}


def test_what_is_wanted_again_between_plan_and_act_is_spared(house: House) -> None:
    named, mentioned, uploaded, goes = (house.drop(b"%d" % number) for number in range(4))
    house.clock.go(days=2)
    plan = house.gc.plan()
    house.put(b"0")
    house.character(avatar_url=f"/blobs/{mentioned}")
    house.drop(b"2")
    report = house.gc.execute(plan)
    assert (report.taken, report.spared) == (1, 3)
    assert house.trash() == [goes]
    assert all(house.raw(digest).exists() for digest in (named, mentioned, uploaded))


def test_many_payloads_of_one_shard_go_in_batches(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("assets.gc.execution.BATCH", 2)
    texts = [text for text in map(str, range(3000)) if hashlib.sha256(text.encode()).hexdigest().startswith("00")]
    found = [house.drop(text.encode()) for text in [*texts[:5], "other"]]
    assert house.collect(grace_s=0)["taken"] == 6
    assert sorted(house.trash()) == sorted(found)


def test_time_in_the_trash_ends(house: House) -> None:
    digest = house.drop()
    house.collect(grace_s=0)
    house.clock.go(days=7, seconds=-1)
    assert house.collect() == {}
    house.clock.go(seconds=1)
    assert house.collect() == {"purged": 1, "purgedBytes": 10}
    assert (house.trash(), list((house.root / "trash").glob(f"{digest}*"))) == ([], [])


def test_what_is_mentioned_again_comes_back_from_the_trash(house: House) -> None:
    digest = house.drop()
    house.collect(grace_s=0)
    house.clock.go(days=30)
    house.character(avatar_url=f"/blobs/{digest}")
    assert house.collect() == {"rescued": 1}
    assert house.raw(digest).read_bytes() == b"some bytes"
    assert house.gc.premises.facts.get(digest).first_stored_at == "2026-05-01T00:00:00.000Z"


def test_a_mention_between_plan_and_purge_saves_the_payload(house: House) -> None:
    digest = house.drop()
    house.collect(grace_s=0)
    house.clock.go(days=30)
    plan = house.gc.plan()
    assert [one.sha256 for one in plan.purges] == [digest]
    house.character(avatar_url=f"/blobs/{digest}")
    report = house.gc.execute(plan)
    assert (report.purged, report.rescued) == (0, 1)
    assert house.store.assets.find(digest).size == 10


def test_records_go_if_nothing_has_come_to_refer_to_them(house: House) -> None:
    loose, used = house.put(b"loose"), house.put(b"used")
    house.clock.go(days=31)
    plan = house.gc.plan(older_than_s=30 * 86_400)
    house.character(default_image_id=used.id)
    report = house.gc.execute(plan)
    assert (report.records, report.taken, report.spared) == (1, 1, 1)
    with pytest.raises(NotFoundError):
        house.store.assets.images.get(loose.id)
    assert house.store.assets.images.get(used.id).id == used.id
    assert house.gc.restore(loose.sha256).records == (loose.id,)


def test_a_refusal_that_yields_gives_way_to_insisting(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("assets.gc.planning.SHARE_FROM", 2)
    for number in range(3):
        house.drop(b"%d" % number)
    plan = house.gc.plan(grace_s=0)
    with pytest.raises(ConflictError) as caught:
        house.gc.execute(plan)
    assert caught.value.details["reason"] == "share"
    assert house.trash() == []
    assert house.gc.execute(plan, force=True).taken == 3


def test_damage_is_never_insisted_away(house: House) -> None:
    house.drop()
    who = house.character()
    plan = house.gc.plan(grace_s=0)
    (house.root / f"characters/{who}.json").write_bytes(b"{")
    for wanted in (plan, house.gc.plan(grace_s=0)):
        with pytest.raises(UnreadableError) as caught:
            house.gc.execute(wanted, force=True)
        assert caught.value.details["path"] == f"characters/{who}.json"
    assert house.trash() == []


def test_a_backup_keeps_every_payload_where_it_is(house: House) -> None:
    house.drop()
    house.store.engine.locks._lease._timeout_ms = 50  # noqa: SLF001 - not five seconds
    held, over = threading.Event(), threading.Event()

    def backup() -> None:
        with house.store.engine.locks.lease_shared():
            held.set()
            over.wait(60)

    thread = threading.Thread(target=backup)
    thread.start()
    assert held.wait(60)
    with pytest.raises(BusyError, match="backup"):
        house.collect(grace_s=0)
    kept = house.put(b"kept")
    with pytest.raises(BusyError):
        house.store.assets.forget(kept.id, purge=True)
    over.set()
    thread.join()
    assert house.store.assets.images.get(kept.id).id == kept.id
    assert house.collect(grace_s=0)["taken"] == 1


def test_one_collection_at_a_time(house: House) -> None:
    house.drop()
    plan = house.gc.plan(grace_s=0)
    with house.gc.premises.state.alone(), pytest.raises(BusyError, match="Another garbage collection"):
        threading_execute(house, plan)
    assert house.gc.execute(plan).taken == 1


def threading_execute(house: House, plan: object) -> None:
    """Execute in a thread of its own: a thread that holds the lock itself is a mistake of ours, and told so."""
    raised: list[BaseException] = []

    def run() -> None:
        try:
            house.gc.execute(plan)  # type: ignore[arg-type] # a plan
        except BusyError as error:
            raised.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    raise raised[0]


def test_facts_that_are_left_over_go(house: House) -> None:
    digest = house.drop()
    house.raw(digest).unlink()
    house.raw(digest).parent.rmdir()
    assert house.collect(grace_s=0) == {}
    assert house.gc.premises.facts.find_by_id(digest) is None


def test_an_operation_that_got_stuck_meanwhile_stops_the_sweep(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """It may be about to bring a record that names the payload."""
    house.drop()
    plan = house.gc.plan(grace_s=0)
    usage = house.gc.premises.disposal.usage
    monkeypatch.setattr(usage, "catch_up", list)
    monkeypatch.setattr(usage, "_waiting", lambda: ["intents/one.json"])
    with pytest.raises(UnreadableError, match=r"intents/one\.json"):
        house.gc.execute(plan)
    monkeypatch.undo()
    house.gc.execute(plan)
    (entry,) = house.gc.premises.disposal.trash.entries()
    monkeypatch.setattr(usage, "_waiting", lambda: ["intents/one.json"])
    with pytest.raises(UnreadableError):
        purge(house.gc.premises, [entry])
    assert len(house.trash()) == 1


def test_the_note_of_a_rotten_payload_keeps_nothing(house: House) -> None:
    digest = house.drop()
    (house.root / "quarantine/x.note.json").write_text(json.dumps({"was": f"binaries/{digest}"}))
    assert house.collect(grace_s=0)["taken"] == 1


@pytest.mark.parametrize("stands", [None, b"", b"some bytez"])
def test_what_stands_in_the_place_of_a_used_payload_does_not_let_it_go(house: House, stands: bytes | None) -> None:
    digest = house.drop()
    house.collect(grace_s=0)
    house.character(avatar_url=f"/blobs/{digest}")
    house.raw(digest).parent.mkdir()
    if stands is not None:
        house.raw(digest).write_bytes(stands)
    house.clock.go(days=30)
    (entry,) = house.gc.premises.disposal.trash.entries()
    assert purge(house.gc.premises, [entry]) == {"rescued": 1}
    assert house.raw(digest).read_bytes() == b"some bytes"


def test_the_rotten_rest_of_a_used_payload_is_not_thrown_away(house: House) -> None:
    digest = house.drop()
    house.collect(grace_s=0)
    (raw,) = house.root.glob("trash/*/raw")
    raw.write_bytes(b"some bytez")
    house.character(avatar_url=f"/blobs/{digest}")
    house.clock.go(days=30)
    assert house.collect() == {}
    assert house.gc.purge().purged == 0
    assert raw.exists()
    house.put()
    assert house.collect() == {"purged": 1, "purgedBytes": 10}
    assert house.store.assets.find(digest).size == 10
