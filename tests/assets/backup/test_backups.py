"""Backups from the store to the store: what comes back, what is refused, and what stays out."""

from __future__ import annotations

import errno
import io
import json
import os
import threading
from typing import TYPE_CHECKING, Any

import pytest

from assets.backup.manifest import NAME
from assets.backup.restoring import restore
from assets.backup.taking import Wishes
from metadata.documents.contract import put
from metadata.errors import BusyError, ConflictError, FullError, InvalidError, UnreadableError
from metadata.files.filesystem import FileSystem
from metadata.keys import PATH
from metadata.sealing import NeedsReentry, Revealed
from server.configuration import load_settings
from server.wiring import open_store

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from server.wiring import Store
    from tests.assets.backup.conftest import Keeper
    from tests.assets.conftest import House

FORMS = ("folder", "backup.zip", "backup.tar", "backup.tar.gz")
API_KEY = "3f333df6-90a4-4fda-8dd3-9485d27cee36"

Records = dict[str, list[object]]


def seal(store: Store) -> None:
    """Store one API key."""
    with store.documents.guard():
        envelope = store.vault.sealer.seal("apiKey", API_KEY, "key", "sk-plain", user=store.owner.id)
        dates = {"createdAt": "2026-01-01T00:00:00.000Z", "updatedAt": "2026-01-01T00:00:00.000Z"}
        record = {"id": API_KEY, "label": "Mine", "provider": "OPENAI", "isActive": True, **envelope, **dates}
        store.documents.apply([put("apiKey", record)])


def revealed(store: Store) -> Revealed | NeedsReentry:
    stored = store.documents.get("apiKey", API_KEY)
    assert stored is not None
    return store.vault.sealer.open("apiKey", API_KEY, "key", stored.body, user=store.owner.id)


def listed(backup: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (backup / NAME).read_text().splitlines()]


@pytest.mark.parametrize("form", FORMS)
def test_every_kind_of_record_and_every_payload_comes_back(
    original_folder: Path, tmp_path: Path, form: str, every_record: Callable[[Store], Records]
) -> None:
    settings = load_settings({}, {"data_dir": original_folder, "durability": "none"}).settings
    with open_store(settings) as store:
        store.records.personas.create(user_id=store.owner.id, name="né ☂", description="d", meta={"shelf": [1, None]})
        before = every_record(store)
        assert all(before[kind] for kind in ("character", "chat", "message", "asset", "apiKey", "account", "session"))
        taken = store.backups.take(form, tmp_path / form)
        assert taken.verified
        payloads = {path.parent.name: path.read_bytes() for path in original_folder.glob("binaries/*/raw")}
    done = restore(FileSystem(), tmp_path / form, tmp_path / "again")
    assert (done.files, done.payloads, done.bytes) == (taken.files, taken.payloads, taken.bytes)
    with open_store(load_settings({}, {"data_dir": tmp_path / "again"}).settings) as store:
        assert every_record(store) == before
    assert {path.parent.name: path.read_bytes() for path in (tmp_path / "again").glob("binaries/*/raw")} == payloads
    assert payloads


@pytest.mark.parametrize("form", FORMS)
def test_a_sealed_value_needs_its_key(house: House, keeper: Keeper, form: str) -> None:
    seal(house.store)
    without, with_key = keeper.take(form), keeper.take(f"k-{form}", include_key=True)
    assert (without.includes_key, without.sealed, with_key.includes_key, with_key.sealed) == (False, 1, True, 1)
    root, done = keeper.restore(form)
    assert (done.has_key, len(done.sealed), (root / PATH).exists()) == (False, 1, False)
    root.joinpath("secrets").mkdir(exist_ok=True)
    (root / PATH).write_bytes((house.root / PATH).read_bytes())
    assert revealed(keeper.opened(root).store) == Revealed("sk-plain")
    root, done = keeper.restore(f"k-{form}")
    assert done.has_key
    assert revealed(keeper.opened(root).store) == Revealed("sk-plain")
    assert (root / PATH).stat().st_mode & 0o777 == 0o600
    assert (root / "settings").stat().st_mode & 0o777 == 0o700


def test_a_stream_is_a_tar_archive(house: House, tmp_path: Path) -> None:
    house.put()
    stream = io.BytesIO()
    assert not house.store.backups.take("-", None, stream=stream).verified
    (tmp_path / "b.tar").write_bytes(stream.getvalue())
    assert restore(FileSystem(), tmp_path / "b.tar", tmp_path / "again").payloads == 1


def test_an_incremental_backup_copies_what_is_new_and_drops_what_is_gone(house: House, keeper: Keeper) -> None:
    kept, gone = house.put(b"kept"), house.put(b"gone")
    assert keeper.take(incremental=True).reused == 0
    inode = (keeper.folder / "backup/payloads" / kept.sha256[:2] / kept.sha256).stat().st_ino
    house.store.assets.forget(gone.id)
    house.collect(grace_s=0)
    new = house.put(b"new")
    taken = keeper.take(incremental=True)
    assert (taken.payloads, taken.reused) == (2, 1)
    assert (keeper.folder / "backup/payloads" / kept.sha256[:2] / kept.sha256).stat().st_ino == inode
    assert {path.name for path in keeper.folder.glob("backup/payloads/*/*")} == {kept.sha256, new.sha256}
    assert len(list(keeper.folder.glob("backup/records/*"))) == 1
    root, _ = keeper.restore()
    assert {one.sha256 for one in keeper.opened(root).store.assets.images.find_all()} == {kept.sha256, new.sha256}


def test_what_rotted_in_the_backup_is_found_when_asked_for(house: House, keeper: Keeper) -> None:
    asset = house.put(b"some bytes")
    keeper.take()
    copy = keeper.folder / "backup/payloads" / asset.sha256[:2] / asset.sha256
    copy.chmod(0o600)
    copy.write_bytes(b"some bytez")
    assert keeper.take(incremental=True).reused == 1
    with pytest.raises(UnreadableError, match="not what the backup's list says"):
        keeper.restore()
    assert keeper.take(incremental=True, rehash=True).reused == 0
    keeper.restore()


def test_a_payload_that_rotted_in_the_store_stays_sound_in_the_backup(house: House, keeper: Keeper) -> None:
    rotten, short, gone = (house.put(data) for data in (b"rots", b"is cut short", b"goes"))
    keeper.take()
    house.raw(rotten.sha256).write_bytes(b"rotz")
    house.raw(short.sha256).write_bytes(b"is")
    house.raw(gone.sha256).unlink()
    assert keeper.take(incremental=True).whole
    root, _ = keeper.restore()
    assert (root / "binaries" / short.sha256 / "raw").read_bytes() == b"is cut short"
    for form in ("fresh", "fresh.zip", "fresh.tar"):
        taken = keeper.take(form)
        assert taken.missing == tuple(sorted(one.sha256 for one in (rotten, short, gone)))
        assert keeper.restore(form)[1].missing == taken.missing


def test_what_is_in_the_trash_stays_out_unless_it_is_used(house: House, keeper: Keeper) -> None:
    garbage, mentioned = house.drop(b"garbage"), house.drop(b"mentioned")
    house.collect(grace_s=0)
    house.character(avatar_url=f"/blobs/{mentioned}")
    assert sorted(house.trash()) == sorted([garbage, mentioned])
    assert keeper.take().payloads == 1
    root, _ = keeper.restore()
    assert [path.parent.name for path in root.glob("binaries/*/raw")] == [mentioned]
    assert keeper.opened(root).store.assets.find(mentioned).size == 9


def test_caches_locks_and_uploads_stay_out(house: House, keeper: Keeper) -> None:
    asset = house.put()
    (house.raw(asset.sha256).parent / "thumb.r1.webp").write_bytes(b"derived")
    keeper.take(include_key=True)
    paths = [line["path"] for line in listed(keeper.folder / "backup") if "path" in line]
    tops = {path.split("/")[0] for path in paths}
    assert not tops & {"cache", "locks", "uploads", "trash", "quarantine"}
    assert not [path for path in paths if path.endswith((".lock", ".tmp", ".webp"))]
    assert not (house.root / "cache" / "backup").exists()


def test_links_and_what_is_no_file_are_passed_over_and_told(house: House, keeper: Keeper, tmp_path: Path) -> None:
    (tmp_path / "outside.json").write_text("{}")
    (house.root / "personas" / "linked.json").symlink_to(tmp_path / "outside.json")
    (house.root / "chats" / "notes.txt").write_text("mine")
    assert keeper.take().passed_over == ("personas/linked.json",)
    root, _ = keeper.restore()
    assert (root / "chats" / "notes.txt").read_text() == "mine"


def test_an_unfinished_operation_comes_along_and_is_finished(house: House, keeper: Keeper) -> None:
    persona = house.store.records.personas.create(user_id=house.store.owner.id, name="p", description="d").id
    (house.root / "settings" / "connection-profiles.json").write_text("nonsense")
    steps = [
        {"path": f"personas/{persona}.json", "kind": "persona", "key": persona, "body": None},
        {"path": "settings/connection-profiles.json", "kind": "apiKey", "key": API_KEY, "body": None},
    ]
    intent = house.root / "intents" / "0c8a5d0e-93f4-4a3b-8f52-6f1d3c2b4a59.json"
    intent.write_text(json.dumps({"version": 1, "steps": steps}))
    assert keeper.take().damaged == (f"intents/{intent.name}", "settings/connection-profiles.json")
    assert intent.exists(), "it cannot be finished while that file is damaged"
    root, _ = keeper.restore()
    assert (root / "intents" / intent.name).exists()
    (root / "settings" / "connection-profiles.json").unlink()
    again = keeper.opened(root)
    assert again.store.records.personas.find_by_id(persona) is None
    assert not list((root / "intents").iterdir())


def test_nothing_is_swept_or_purged_while_a_backup_is_taken(open_house: Callable[..., House], tmp_path: Path) -> None:
    house = open_house(lock_timeout_ms=200)
    garbage, trashed = house.drop(b"garbage"), house.drop(b"trashed")
    house.collect(grace_s=0)
    house.drop(b"garbage")
    plan = house.gc.plan(grace_s=0)
    refused: list[BusyError] = []

    def try_all() -> None:
        attempts: list[Callable[[], object]] = [lambda: house.gc.execute(plan), house.gc.purge]
        for attempt in attempts:
            try:
                attempt()
            except BusyError as error:
                refused.append(error)

    with house.store.engine.locks.lease_shared():
        sweeper = threading.Thread(target=try_all)
        sweeper.start()
        house.put(b"uploads go on")
        sweeper.join()
    assert ["backup is being taken" in error.message for error in refused] == [True, True]
    assert sorted(house.trash()) == [trashed]
    assert house.raw(garbage).exists()
    assert house.store.backups.take("backup", tmp_path / "backup").payloads == 2


def test_one_backup_at_a_time(house: House, keeper: Keeper) -> None:
    refused: list[str] = []

    def take() -> None:
        try:
            keeper.take()
        except BusyError as error:
            refused.append(error.message)

    with house.store.engine.locks.lock_of("locks/backing-up").hold():
        second = threading.Thread(target=take)
        second.start()
        second.join()
    assert refused == ["Another backup of this store is under way; try again when it is done."]
    assert keeper.take().verified


def test_targets_that_are_refused(house: House, keeper: Keeper) -> None:
    (keeper.folder / "full").mkdir()
    (keeper.folder / "full" / "letter.txt").write_text("mine")
    with pytest.raises(ConflictError, match="not empty"):
        keeper.take("full")
    with pytest.raises(InvalidError, match=r"letter\.txt"):
        keeper.take("full", incremental=True)
    (keeper.folder / "b.zip").write_bytes(b"mine")
    with pytest.raises(ConflictError, match="there already"):
        keeper.take("b.zip")
    with pytest.raises(InvalidError, match="no folder"):
        keeper.take("nowhere/b.zip")
    with pytest.raises(InvalidError, match="Only a folder"):
        keeper.take("c.zip", incremental=True)
    for place in (house.root / "backup", house.root.parent, house.root):
        with pytest.raises(InvalidError, match="one in the other"):
            house.store.backups.take("x", place, Wishes(incremental=True))
    assert (keeper.folder / "full" / "letter.txt").read_text() == "mine"


def test_a_folder_of_another_stores_backups_is_refused(keeper: Keeper, tmp_path: Path) -> None:
    keeper.take()
    settings = load_settings({}, {"data_dir": tmp_path / "other"}).settings
    with open_store(settings) as other, pytest.raises(InvalidError, match="another store"):
        other.backups.take("backup", keeper.folder / "backup", Wishes(incremental=True))
    assert keeper.restore()[1].files


def test_a_full_target_leaves_the_backup_before(house: House, keeper: Keeper, monkeypatch: pytest.MonkeyPatch) -> None:
    house.put(b"first")
    before = keeper.take()
    house.put(b"second")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(FileSystem, "fsync", full)
        with pytest.raises(FullError, match="No space left"):
            keeper.take(incremental=True)
        with pytest.raises(FullError, match="No space left"):
            keeper.take("b.zip")
    assert [path.name for path in keeper.folder.iterdir()] == ["backup"]
    assert keeper.restore()[1].at == before.at
    assert keeper.take(incremental=True).payloads == 2


def test_a_forecast_counts_what_a_backup_takes(house: House, keeper: Keeper) -> None:
    house.put()
    seal(house.store)
    foreseen, taken = house.store.backups.foresee("backup"), keeper.take()
    assert (foreseen.files, foreseen.payloads, foreseen.bytes, foreseen.sealed) == (
        taken.files,
        taken.payloads,
        taken.bytes,
        1,
    )
    assert foreseen.document()["copiedBytes"] == 0


def test_a_name_that_no_restore_takes_is_passed_over(house: House, keeper: Keeper) -> None:
    (house.root / "chats" / "odd\u200bname.txt").write_text("mine")
    os.close(os.open(os.fsencode(house.root / "chats") + b"/\xff.txt", os.O_CREAT | os.O_WRONLY))
    (house.root / "chats" / "a" / "b" / "c" / "d" / "e").mkdir(parents=True)
    (house.root / "chats" / "a" / "b" / "c" / "d" / "e" / "deep.txt").write_text("mine")
    assert set(keeper.take().passed_over) == {
        "chats/odd\u200bname.txt",
        "chats/\\udcff.txt",
        "chats/a/b/c/d/e/deep.txt",
    }
    assert keeper.restore()[1].files


def test_one_payload_that_cannot_be_read_does_not_end_a_backup(
    house: House, keeper: Keeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad, good = house.put(b"bad sector"), house.put(b"good")
    inode = house.raw(bad.sha256).stat().st_ino
    read = FileSystem.read

    def failing(self: FileSystem, descriptor: int, length: int) -> bytes:
        if self.fstat(descriptor).st_ino == inode:
            raise OSError(errno.EIO, "Input/output error")
        return read(self, descriptor, length)

    monkeypatch.setattr(FileSystem, "read", failing)
    for form in FORMS:
        assert keeper.take(form).missing == (bad.sha256,)
        root, _ = keeper.restore(form)
        assert [path.parent.name for path in root.glob("binaries/*/raw")] == [good.sha256]
