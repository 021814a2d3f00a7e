"""Backups taken while others upload, edit, delete, link, compact and collect without any grace: each restores whole.

What an application relies on is checked in every restored store: a full check finds nothing, each record has its
payload, and what was made in one operation is there in whole or not at all. A backup as one must not take it,
payloads first and without the lease, is caught by the same checks.
"""

from __future__ import annotations

import os
import random
import shutil
import time
import traceback
from contextlib import contextmanager, nullcontext, suppress
from typing import TYPE_CHECKING

import pytest

from assets.backup import backups
from assets.backup.restoring import restore
from assets.backup.taking import Taking, Wishes
from assets.digest import Digest
from assets.fsck.report import Wishes as Checked
from assets.upload import Upload
from metadata.errors import BusyError, CalotypeError
from metadata.files.filesystem import FileSystem
from server.configuration import load_settings
from server.wiring import open_checks, open_store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from assets.backup.report import Taken
    from server.wiring import Store

TEXTS = {"description": "d", "personality": "p", "scenario": "s", "first_message": "f"}
FORMS = ("folder", "b.zip", "b.tar", "b.tar.gz")


class Worker:
    """One process's part: a store of its own over the common folder."""

    def __init__(self, folder: Path, number: int, stop: Path) -> None:
        self.store: Store = opened(folder)
        self.choice = random.Random(number)  # noqa: S311 - a test's
        self.user = self.store.records.users.create(email=f"u{number}@example.org").id
        self.stop = stop
        self.steps = 0

    def goes_on(self) -> bool:
        """Tell whether the test still runs."""
        self.steps += 1
        return not self.stop.exists()

    def put(self, data: bytes, **links: str) -> str:
        """Upload a payload; return its record's id."""
        with self.store.assets.receive() as staging:
            staging.write(data)
            staged = staging.finish()
        return self.store.assets.store(staged, Upload(user_id=self.user, filename="f", links=links)).asset.id


def opened(folder: Path, lock_timeout_ms: int = 60_000) -> Store:
    more = {"min_free_bytes": 0, "trash_s": 0, "lock_timeout_ms": lock_timeout_ms, "durability": "none"}
    return open_store(load_settings({}, {"data_dir": folder, **more}).settings)


def uploads(worker: Worker) -> None:
    """Upload and delete again."""
    kept: list[str] = []
    while worker.goes_on():
        of_its_own = worker.steps % 2  # the others come again and again, also from the trash
        name = worker.steps if of_its_own else worker.choice.randrange(20)
        kept.append(worker.put(b"%d-%d" % (of_its_own, name) * 999))
        kept = list(dict.fromkeys(kept))
        if len(kept) > 8:
            worker.store.assets.forget(kept.pop(0), force=True)


def edits(worker: Worker) -> None:
    """Make characters with pictures and personas linked to them, change them, and delete them: several files each."""
    records = worker.store.records
    mine: list[str] = []
    while worker.goes_on():
        picture = worker.put(b"avatar %d" % (worker.steps % 7) * 500)
        who = records.characters.create(user_id=worker.user, name="n", **TEXTS, default_image_id=picture).id
        me = records.personas.create(user_id=worker.user, name="p", description="d").id
        records.characters.add_persona(who, me)
        mine.append(who)
        if len(mine) > 4:
            records.characters.delete(mine.pop(0), force=True)
            records.personas.delete(me)


def talks(worker: Worker) -> None:
    """Append to a chat, and compact."""
    records = worker.store.records
    who = records.characters.create(user_id=worker.user, name="n", **TEXTS).id
    profile = records.connections.create(user_id=worker.user, name="c", provider="X", model_name="m").id
    chat = records.chats.create(character_id=who, title="t", user_id=worker.user, connection_profile_id=profile).id
    while worker.goes_on():
        event = str(records.messages.append(chat, {"role": "USER", "content": "m" * 200}).to_record()["id"])
        if worker.steps % 3 == 0:
            records.messages.edit_message(chat, event, lambda one: one.replaced(content="edited"))
        if worker.steps % 20 == 0:
            worker.store.documents.compact()


def sweeps(worker: Worker) -> None:
    """Collect all the time, and keep nothing in the trash."""
    while worker.goes_on():
        with suppress(CalotypeError):  # a backup is being taken
            worker.store.gc.execute(worker.store.gc.plan(grace_s=0), force=True)


@contextmanager
def at_work(folder: Path, works: list[Callable[[Worker], None]]) -> Iterator[None]:
    """Let each work go on in a process of its own meanwhile."""
    stop = folder.parent / "stop"
    children = []
    for number, work in enumerate(works):
        child = os.fork()
        if child == 0:
            status = 1
            try:
                work(Worker(folder, number, stop))
                status = 0
            except BaseException:  # noqa: BLE001 - a child must not go on as if it were the test run
                traceback.print_exc()
            finally:
                os._exit(status)
        children.append(child)
    try:
        yield
    finally:
        stop.touch()
        statuses = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
    assert statuses == [0] * len(works)


def wrong_with(root: Path) -> list[str]:
    """Return what is wrong with a restored store."""
    with opened(root) as store:
        lost = [
            f"{asset.id} names {asset.sha256}, which is missing"
            for asset in store.assets.images.find_all()
            if not (root / "binaries" / Digest(asset.sha256) / "raw").exists()
        ]
    with open_checks(load_settings({}, {"data_dir": root}).settings) as checks:
        found = checks.verifier.run(Checked(full=True)).findings
    return lost + [f"{one.kind} {one.about}: {one.evidence}" for one in found if one.weight.value == "damage"]


def taken_and_restored(store: Store, folder: Path, number: int) -> list[str]:
    """Take one backup, each time of another form; restore it and return what is wrong."""
    form = FORMS[number % len(FORMS)]
    place = folder / ("folder" if form == "folder" else f"{number}-{form}")
    taken = store.backups.take(form, place, Wishes(incremental=form == "folder"))
    root = folder / f"restored-{number}"
    restore(FileSystem(), place, root)
    wrong = wrong_with(root) + [f"{sha256} could not be had" for sha256 in taken.missing]
    shutil.rmtree(root)
    if form != "folder":
        place.unlink()
    return wrong


@pytest.mark.heavy
@pytest.mark.timeout(3600)
def test_every_backup_under_load_restores_whole(
    tmp_path: Path, counts: Callable[[int, int, int], int], promise: Callable[[str, int, int], None]
) -> None:
    data, folder = tmp_path / "data", tmp_path / "backups"
    folder.mkdir()
    opened(data).close()
    count = counts(2, 5, 200)
    with at_work(data, [uploads, edits, talks, sweeps]), opened(data) as store:
        _settle(store)
        wrong = [(number, taken_and_restored(store, folder, number)) for number in range(count)]
    bad = [one for one in wrong if one[1]]
    promise("backups under load, restored and verified", count, len(bad))
    assert bad == []


def _settle(store: Store) -> None:
    """Wait until everybody has made something."""
    deadline = time.monotonic() + 60
    while sum(1 for _ in store.assets.images.find_all()) < 6 and time.monotonic() < deadline:
        time.sleep(0.05)


class PayloadsFirst(Taking):
    """A backup as one must not take it: the payloads before the records that name them."""

    handed_on = False

    def run(self) -> Taken:
        """Hand on the payloads first, and go on when somebody has uploaded since."""
        super().payloads()
        self.handed_on = True
        journal = self._engine.paths.resolve("binaries/index.jsonl")
        size, deadline = journal.stat().st_size, time.monotonic() + 60
        while journal.stat().st_size == size and time.monotonic() < deadline:
            time.sleep(0.01)
        return super().run()

    def payloads(self) -> set[str]:
        """Do nothing the second time; what is missing is for the checks to find."""
        return set() if self.handed_on else super().payloads()


@pytest.mark.heavy
@pytest.mark.timeout(900)
def test_the_same_checks_catch_a_backup_that_takes_payloads_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, promise: Callable[[str, int, int], None]
) -> None:
    data, folder = tmp_path / "data", tmp_path / "backups"
    folder.mkdir()
    opened(data).close()
    with at_work(data, [uploads, sweeps]), opened(data) as store:
        _settle(store)
        monkeypatch.setattr(backups, "Taking", PayloadsFirst)
        monkeypatch.setattr(store.engine.locks, "lease_shared", nullcontext)
        wrong: list[str] = []
        for number in range(1, 40):
            wrong = taken_and_restored(store, folder, number)
            if wrong:
                break
    found = [one for one in wrong if "which is missing" in one]
    promise("control, must be bad: backups that take payloads first", number, bool(found))
    assert found


@pytest.mark.parametrize("leased", [True, False])
def test_only_the_lease_keeps_a_sweep_from_taking_what_a_backup_is_about_to_copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, promise: Callable[[str, int, int], None], *, leased: bool
) -> None:
    data, told = tmp_path / "data", []
    with opened(data) as store, opened(data, lock_timeout_ms=50) as other:
        with store.assets.receive() as staging:
            staging.write(b"some bytes")
            staged = staging.finish()
        asset = store.assets.store(staged, Upload(user_id=store.owner.id, filename="f")).asset.id

        class Overtaken(Taking):
            """A backup in which a record is deleted and swept after the records were copied."""

            def payloads(self) -> set[str]:
                other.assets.forget(asset)
                for _ in range(2):  # to the trash, and out of it
                    try:
                        other.gc.execute(other.gc.plan(grace_s=0), force=True)
                    except BusyError as error:
                        told.append(error)
                return super().payloads()

        monkeypatch.setattr(backups, "Taking", Overtaken)
        if not leased:
            monkeypatch.setattr(store.engine.locks, "lease_shared", nullcontext)
        wrong = taken_and_restored(store, tmp_path, 1)
    assert (len(told), bool(wrong)) == ((2, False) if leased else (0, True))
    if not leased:
        promise("control, must be bad: backups without their lease", 1, len(wrong))
