"""What a plan says would go, what stays and why, and what forbids it."""

from __future__ import annotations

import errno
import json
import os
import shutil
from typing import TYPE_CHECKING

import pytest

from assets.digest import Digest
from assets.fsck import repairing as fsck
from assets.fsck.report import Wishes as Wanted
from assets.gc import Item, Wishes, plan
from assets.gc.planning import still_young
from metadata.errors import InvalidError, UnreadableError
from tests.metadata.records import new_id

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.assets.conftest import House

DAY = 86_400


def reasons(house: House, **wishes: int) -> dict[str, str]:
    """Return every payload that no record names, with what becomes of it."""
    made = house.gc.plan(**wishes)
    return {item.sha256: item.reason for item in (*made.takes, *made.keeps)}


def files(house: House) -> dict[str, int]:
    """Return every file but locks and the index, with the time of its last change."""
    paths = [path for path in house.root.rglob("*") if path.is_file() and path.suffix != ".lock"]
    return {str(path): path.stat().st_mtime_ns for path in paths if not {"cache", "locks"} & set(path.parts)}


def refusals(house: House, **wishes: int) -> list[tuple[str, str | None, bool]]:
    return [(one.reason, one.path, one.yields) for one in house.gc.plan(**wishes).refusals]


def test_a_plan_of_an_empty_store_is_empty(house: House) -> None:
    made = house.gc.plan()
    assert (made.payloads, made.bytes, made.takes, made.keeps, made.refusals) == (0, 0, (), (), ())


def test_each_payload_goes_or_stays_for_a_reason(house: House) -> None:
    old, mentioned = house.drop(b"old"), house.put(b"mentioned")
    house.character(avatar_url=f"/blobs/{mentioned.sha256}")
    house.store.assets.forget(mentioned.id, force=True)
    house.put(b"named")
    house.clock.go(days=2)
    young = house.drop(b"young")
    made = house.gc.plan()
    assert made.takes == (Item(old, 3, "2026-05-01T00:00:00.000Z", "unused"),)
    assert reasons(house) == {old: "unused", mentioned.sha256: "mention", young: "grace"}
    assert {(one.reason, one.payloads, one.bytes) for one in made.kept} == {
        ("record", 1, 5),
        ("mention", 1, 9),
        ("grace", 1, 5),
    }
    assert (made.payloads, made.bytes, made.taken_bytes) == (4, 22, 3)
    assert reasons(house, grace_s=0)[young] == "unused"
    assert json.loads(json.dumps(made.document()))["takes"] == {
        "payloads": 1,
        "bytes": 3,
        "items": [{"sha256": old, "size": 3, "wanted": "2026-05-01T00:00:00.000Z", "reason": "unused"}],
    }


def test_a_plan_changes_nothing(house: House) -> None:
    house.drop()
    before = files(house)
    house.gc.plan(grace_s=0, older_than_s=0)
    assert files(house) == before


@pytest.mark.parametrize(
    ("wanted", "grace_s", "young"),
    [
        ("2026-04-30T12:00:00.000Z", DAY, True),
        ("2026-04-30T00:00:00.000Z", DAY, False),
        ("2026-05-01T00:00:00.000Z", 0, False),
        ("2036-05-01T00:00:00.000Z", 0, False),
        ("2036-05-01T00:00:00.000Z", 1, True),
        ("", DAY, False),
    ],
)
def test_the_grace_and_clocks_that_jump(house: House, wanted: str, grace_s: int, *, young: bool) -> None:
    assert still_young(wanted, grace_s, house.clock.now()) is young


def test_payloads_without_facts_are_as_old_as_their_files(house: House) -> None:
    digest, named = house.drop(b"old"), house.put(b"named")
    (house.root / "binaries/facts.jsonl").unlink()
    (house.root / "binaries" / ("0" * 64)).mkdir()
    house.clock.go(days=-1)
    made = house.gc.plan()
    assert [(item.sha256, item.size, item.reason) for item in made.keeps] == [(digest, 3, "grace")]
    assert named.sha256 not in reasons(house)
    os.utime(house.raw(digest), (1_000_000_000, 1_000_000_000))
    assert reasons(house) == {digest: "unused"}
    assert house.gc.plan().takes[0].wanted == "2001-09-09T01:46:40.000Z"


def test_facts_of_what_is_gone_are_left_over(house: House) -> None:
    digest = house.drop()
    shutil.rmtree(house.raw(digest).parent)
    made = house.gc.plan(grace_s=0)
    assert (made.leftovers, made.takes) == ((digest,), ())


@pytest.mark.parametrize("damage", [b"{", b"\xff\xfe", b"[]"])
def test_a_record_that_cannot_be_read_forbids_it(house: House, damage: bytes) -> None:
    """It may be the only one that mentions a payload; with it out of sight the payload looks unused."""
    digest = house.put(b"avatar")
    who = house.character(avatar_url=f"/blobs/{digest.sha256}")
    house.store.assets.forget(digest.id, force=True)
    path = house.root / f"characters/{who}.json"
    path.write_bytes(damage)
    made = house.gc.plan(grace_s=0)
    assert [(one.path, one.yields) for one in made.refusals] == [(f"characters/{who}.json", False)]
    assert "repair" in made.refusals[0].message


def spoil_first_line(log: Path) -> None:
    lines = log.read_bytes().splitlines(keepends=True)
    log.write_bytes(lines[0].replace(b'"', b"", 1) + b"".join(lines[1:]))


def test_a_damaged_line_of_the_assets_forbids_it(open_house: Callable[..., House]) -> None:
    house = open_house(durability="full")
    house.put(b"one")
    house.put(b"two")
    spoil_first_line(house.root / "binaries/index.jsonl")
    assert refusals(house) == [("unreadable", "binaries/index.jsonl", False)]


def test_a_damaged_end_was_set_aside_and_what_it_names_stays(house: House) -> None:
    asset = house.put(b"one")
    house.put(b"two")
    spoil_first_line(house.root / "binaries/index.jsonl")  # nothing was synced: all of it may be a torn end
    assert reasons(house, grace_s=0) == {asset.sha256: "shadowed"}
    assert refusals(house) == []
    assert [one[0] for one in refusals(house, older_than_s=0)] == ["set-aside"]


def test_damaged_facts_forbid_nothing_but_the_step_on_records(open_house: Callable[..., House]) -> None:
    house = open_house(durability="full")
    house.drop(b"one")
    house.put(b"two")
    spoil_first_line(house.root / "binaries/facts.jsonl")
    assert refusals(house) == []
    assert refusals(house, older_than_s=0) == [("unreadable", "binaries/facts.jsonl", False)]


@pytest.mark.parametrize("path", ["binaries/index.jsonl", "binaries/facts.jsonl"])
def test_a_log_that_may_not_be_read_forbids_it(house: House, monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    house.put()
    opened = house.store.engine.fs.open

    def refuse(place: Path, *args: int) -> int:
        if place == house.root / path:
            raise PermissionError(errno.EACCES, "Permission denied")
        return opened(place, *args)

    monkeypatch.setattr(house.store.engine.fs, "open", refuse)
    os.utime(house.root / path)
    assert refusals(house) == [("unreadable", path, False)]
    with pytest.raises(UnreadableError, match="chown or chmod"):
        house.collect(force=True)


def test_a_link_in_the_place_of_a_record_forbids_it(house: House) -> None:
    who = house.character()
    path = house.root / f"characters/{who}.json"
    path.rename(house.root.parent / "elsewhere.json")
    path.symlink_to(house.root.parent / "elsewhere.json")
    assert refusals(house) == [("unreadable", f"characters/{who}.json", False)]


@pytest.mark.parametrize("what", ["link", "pipe"])
def test_what_is_no_log_forbids_it_and_stops_nobody(open_house: Callable[..., House], what: str) -> None:
    house = open_house(durability="full")
    log = house.root / f"chats/{new_id()}.jsonl"
    if what == "link":
        log.symlink_to(house.root / "binaries/index.jsonl")
    else:
        os.mkfifo(log)
    assert [(reason, path) for reason, path, _ in refusals(house)] == [("unreadable", f"chats/{log.name}")]


def test_a_second_record_of_an_id_keeps_what_it_names(house: House) -> None:
    """It is kept in the file and not served; what it names must be there when somebody sorts the two out."""
    asset, digest = house.put(b"first"), house.drop(b"second")
    line = {**asset.to_record(), "sha256": digest}
    with (house.root / "binaries/index.jsonl").open("a") as log:
        log.write(json.dumps(line) + "\n")
    assert reasons(house, grace_s=0) == {digest: "shadowed"}


def test_an_operation_that_cannot_be_finished_forbids_it(house: House) -> None:
    step = {"path": "tags/tags.json", "kind": "tag", "key": "x", "body": {"id": "x"}}
    (house.root / "tags/tags.json").write_bytes(b"{")
    (house.root / "intents").mkdir(exist_ok=True)
    (house.root / "intents/one.json").write_text(json.dumps({"version": 1, "steps": [step]}))
    assert ("unfinished", "intents/one.json", False) in refusals(house)


def test_an_index_that_lost_records_forbids_it(house: House) -> None:
    house.put()
    with house.store.documents._projection.database.writing() as db:  # noqa: SLF001 - a mistake of ours is played
        db.execute("DELETE FROM k_asset")
    assert refusals(house) == [("miscounted", "binaries/index.jsonl", False)]
    house.store.documents.rebuild()
    assert refusals(house) == []


@pytest.mark.parametrize("emptied", [True, False])
def test_a_list_of_assets_that_is_gone_makes_nothing_garbage(house: House, *, emptied: bool) -> None:
    digest = house.put().sha256
    house.clock.go(days=2)
    log = house.root / "binaries/index.jsonl"
    if emptied:
        log.write_bytes(b"")
    else:
        log.unlink()
    assert refusals(house) == [("lost", "binaries/index.jsonl", False)]
    with pytest.raises(UnreadableError, match="calotype repair"):
        house.collect(grace_s=0, force=True)
    checks = house.store.checks
    checks.repairer.execute(fsck.plan(checks.verifier.run(Wanted()).findings))
    assert refusals(house) == []
    assert house.store.assets.find(Digest(digest)).size == 10


def test_a_list_of_assets_that_began_anew_makes_nothing_garbage(house: House) -> None:
    for number in range(11):
        house.put(b"%d" % number)
    (house.root / "binaries/index.jsonl").unlink()
    house.put(b"next")
    house.clock.go(days=2)
    assert refusals(house) == [("undeleted", "binaries/index.jsonl", True)]
    checks = house.store.checks
    checks.repairer.execute(fsck.plan(checks.verifier.run(Wanted()).findings))
    assert reasons(house) == {}


def test_a_hash_that_may_have_been_altered_forbids_it_until_somebody_says_what_is_right(house: House) -> None:
    asset = house.put()
    house.clock.go(days=2)
    log = house.root / "binaries/index.jsonl"
    before, other = log.read_bytes(), asset.sha256[:-1] + ("0" if asset.sha256[-1] != "0" else "1")
    log.write_bytes(before.replace(asset.sha256.encode(), other.encode()))
    assert refusals(house) == [("altered", "binaries/index.jsonl", False)]
    log.write_bytes(before)
    assert refusals(house) == []
    log.write_bytes(before.replace(b"f.bin", b"g.bin"))
    assert refusals(house) == [("altered", "binaries/index.jsonl", False)]
    verifier = house.store.checks.verifier
    assert verifier.accept(verifier.run(Wanted()))[0] == 1
    assert refusals(house) == []


def test_more_than_a_fifth_of_more_than_a_hundred_has_to_be_insisted_on(house: House) -> None:
    for number in range(81):
        house.put(b"kept %d" % number)
    for number in range(19):
        house.drop(b"gone %d" % number)
    assert refusals(house, grace_s=0) == []
    house.drop(b"gone")
    assert refusals(house, grace_s=0) == []
    house.drop(b"one more")
    assert refusals(house, grace_s=0) == [("share", None, True)]


def test_records_that_vanished_since_the_last_time_forbid_it(house: House) -> None:
    for _ in range(30):
        house.character()
    house.collect()
    shutil.move(house.root / "characters", house.root.parent / "unmounted")
    (found,) = house.gc.plan().refusals
    assert (found.reason, found.yields) == ("census", True)
    assert "character" in found.message
    shutil.move(house.root.parent / "unmounted", house.root / "characters")
    assert refusals(house) == []


def test_records_that_nothing_refers_to(house: House) -> None:
    tag = house.store.records.tags.create(user_id=house.store.owner.id, name="t").id
    loose, tagged = house.put(b"loose"), house.put(b"tagged", tags=[tag])
    shared = house.put(b"shared")
    used, owned = house.put(b"used"), house.put(b"owned", links={"characterId": house.character()})
    house.character(default_image_id=used.id)
    mentioned = house.put(b"mentioned")
    house.character(system_prompt=f"look at {mentioned.sha256}")
    typed = house.put(b"of a character")
    house.store.assets.images.add_tag(typed.id, house.character(), "CHARACTER")
    house.clock.go(days=31)
    house.put(b"shared", type="avatar")
    made = house.gc.plan(older_than_s=30 * DAY)
    assert {one.key for one in made.records} == {loose.id, tagged.id, shared.id}
    assert {(item.sha256, item.reason) for item in made.takes} == {
        (loose.sha256, "unreferenced"),
        (tagged.sha256, "unreferenced"),
    }
    assert owned.id not in {one.key for one in made.records}
    assert house.gc.plan(older_than_s=32 * DAY).records == ()
    assert house.gc.plan().records == ()
    document = made.document()["records"]
    assert isinstance(document, dict)
    assert document["items"][0]["id"] in {loose.id, tagged.id, shared.id}


def test_what_the_trash_holds_comes_back_or_goes(house: House) -> None:
    digest, other = house.drop(b"one"), house.drop(b"two")
    house.collect(grace_s=0)
    house.clock.go(days=7)
    assert [one.sha256 for one in house.gc.plan().purges] == sorted([digest, other])
    house.character(avatar_url=f"/blobs/{digest}")
    made = house.gc.plan()
    assert made.rescues == (digest,)
    assert [(one.sha256, one.size) for one in made.purges] == [(other, 3)]
    house.clock.go(seconds=-1)
    assert house.gc.plan().purges == ()


@pytest.mark.parametrize("wishes", [{"grace_s": -1}, {"grace_s": 0, "older_than_s": -1}])
def test_wishes_that_make_no_sense(house: House, wishes: dict[str, int]) -> None:
    with pytest.raises(InvalidError):
        plan(house.gc.premises, Wishes(**wishes))
    with pytest.raises(InvalidError):
        house.gc.plan(older_than_s=10**15)


def test_a_hand_edit_counts_at_once(house: House) -> None:
    digest, who = house.drop(), house.character()
    path = house.root / f"characters/{who}.json"
    path.write_text(path.read_text().replace('"scenario": "s"', f'"scenario": "{digest}"'))
    assert reasons(house, grace_s=0) == {digest: "mention"}
