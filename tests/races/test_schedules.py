"""Uploads, deletions, mentions, restores and collections in every order of their steps: no live payload is ever gone.

All run on real code over one folder. Each schedule has a payload of its own; grace and undo window are zero, so what is
taken wrongly is gone. The broken variants show that the same schedules find what they must.
"""

from __future__ import annotations

import hashlib
import itertools
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from assets.digest import Digest
from assets.gc import Collection
from assets.upload import Upload
from metadata.errors import BusyError, CalotypeError, NotFoundError
from server.configuration import load_settings
from server.wiring import open_store
from tests.races.copies import backup_delete_and_sweep, orphaned, unfaithful, variant_delete_and_sweep

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import ModuleType

    from server.wiring import Store

SCHEDULES = 40
ROW = "schedules of uploads, deletions, sweeps, restores and copies"
TEXTS = {"name": "n", "description": "d", "personality": "p", "scenario": "s", "first_message": "f"}


@pytest.fixture(scope="session")
def schedules(load_beside: Callable[[Path], ModuleType]) -> ModuleType:
    """The explorer."""
    return load_beside(Path(__file__).with_name("schedules.py"))


class Stage:
    """A folder, three stores over it, and a payload for one schedule after the other."""

    def __init__(self, folder: Path, schedules: ModuleType) -> None:
        self.folder = folder
        chosen = {"data_dir": folder, "min_free_bytes": 0, "durability": "none", "trash_s": 0}
        settings = load_settings({}, chosen).settings
        self.stores: list[Store] = [open_store(settings, fs=schedules.Yielding()) for _ in range(3)]
        self.one, self.two, self.three = self.stores
        self.users = [self.one.records.users.create(email=f"u{number}@example.org").id for number in range(3)]
        self.number = itertools.count()
        self.premises = self.three.gc.premises
        self.next()

    def next(self) -> None:
        """Go on to another payload."""
        self.data = b"payload %d" % next(self.number)
        self.digest = Digest(hashlib.sha256(self.data).hexdigest())

    def put(self, store: Store, user: int) -> str:
        """Upload the payload; return the record's id."""
        with store.assets.receive() as staging:
            staging.write(self.data)
            staged = staging.finish()
        return store.assets.store(staged, Upload(user_id=self.users[user], filename="f")).asset.id

    def garbage(self) -> str:
        """Leave the payload without a record; return the id that it had."""
        asset = self.put(self.one, 2)
        self.one.assets.forget(asset)
        return asset

    def sweep(self) -> None:
        """Collect, without any grace."""
        gc = Collection(self.premises, 0)
        gc.execute(gc.plan(), force=True)

    def lost(self) -> str | None:
        """Say what is wrong: a record names bytes that are not in their place, or a text some that cannot be had."""
        named = self.one.assets.images.find_by_sha256(self.digest)
        mentioned = self.one.documents.mentions(self.digest)
        try:
            if mentioned and not named:
                self.one.assets.find(self.digest)
            if mentioned or named:
                with self.one.assets.blobs.open(self.digest) as source:
                    return None if source.read() == self.data else "other bytes"
        except NotFoundError:
            return f"{len(named)} record(s) and {len(mentioned)} text(s) need it, and it is gone"
        return None

    def clean(self) -> None:
        """Take this payload's records away, so that the store stays small."""
        for asset in self.one.assets.images.find_by_sha256(self.digest):
            self.one.assets.forget(asset.id, force=True)
        for who in self.one.records.characters.find_all():
            self.one.records.characters.delete(who.id)


@pytest.fixture
def stage(tmp_path: Path, schedules: ModuleType, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    """Three stores over one folder, whose locks and files stop for the explorer."""
    made = Stage(tmp_path / "data", schedules)
    schedules.schedule_locks(monkeypatch)
    yield made
    for store in made.stores:
        store.close()


def upload_and_sweep(stage: Stage) -> list[tuple[str, Callable[[], object]]]:
    stage.garbage()
    return [("upload", lambda: stage.put(stage.one, 0)), ("sweep", stage.sweep)]


def two_uploads_and_sweep(stage: Stage) -> list[tuple[str, Callable[[], object]]]:
    stage.garbage()
    return [
        ("upload", lambda: stage.put(stage.one, 0)),
        ("another", lambda: stage.put(stage.two, 1)),
        ("sweep", stage.sweep),
    ]


def upload_delete_and_sweep(stage: Stage) -> list[tuple[str, Callable[[], object]]]:
    asset = stage.put(stage.one, 2)
    return [
        ("delete", lambda: stage.two.assets.forget(asset)),
        ("upload", lambda: stage.put(stage.one, 0)),
        ("sweep", stage.sweep),
    ]


def mention_delete_and_sweep(stage: Stage) -> list[tuple[str, Callable[[], object]]]:
    asset = stage.put(stage.one, 2)
    characters = stage.one.records.characters
    who = characters.create(user_id=stage.users[0], **TEXTS).id
    url = f"/blobs/{stage.digest}"
    return [
        ("mention", lambda: characters.edit(who, lambda current: current.replaced(avatar_url=url))),
        ("delete", lambda: stage.two.assets.forget(asset, force=True)),
        ("sweep", stage.sweep),
    ]


def restore_and_sweep(stage: Stage) -> list[tuple[str, Callable[[], object]]]:
    asset = stage.garbage()
    return [("restore", lambda: stage.one.assets.restore(asset)), ("sweep", stage.sweep)]


def upload_purge_and_sweep(stage: Stage) -> list[tuple[str, Callable[[], object]]]:
    asset = stage.put(stage.one, 2)
    return [
        ("purge", lambda: stage.two.assets.forget(asset, purge=True)),
        ("upload", lambda: stage.put(stage.one, 0)),
        ("sweep", stage.sweep),
    ]


SCENARIOS = [
    upload_and_sweep,
    two_uploads_and_sweep,
    upload_delete_and_sweep,
    mention_delete_and_sweep,
    restore_and_sweep,
    upload_purge_and_sweep,
]
EXPECTED = (BusyError, NotFoundError)
"""What a program may be told: a collection is under way; what was to be restored or swept is gone for good."""


def played(stage: Stage, scenario: Callable[[Stage], list[Any]]) -> Callable[[Any], str | None]:
    def once(run: Any) -> str | None:
        stage.next()
        programs = scenario(stage)
        raised = [error for error in run(programs) if not isinstance(error, EXPECTED)]
        wrong = f"raised {raised[0]!r}" if raised else stage.lost()
        stage.clean()
        return wrong

    return once


@pytest.mark.heavy
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
def test_no_order_of_steps_loses_a_live_payload(
    stage: Stage,
    schedules: ModuleType,
    counts: Callable[[int, int, int], int],
    scenario: Callable[[Stage], list[Any]],
    promise: Callable[[str, int, int], None],
) -> None:
    found = schedules.explore(played(stage, scenario), limit=counts(SCHEDULES, 350, 3_500))
    promise(ROW, found.schedules, len(found.bad))
    assert found.bad == []
    assert found.schedules >= SCHEDULES


def without_its_lock(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    del monkeypatch
    stage.premises = replace(stage.premises, shards=lambda _: nullcontext())


def without_looking_again(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither before a payload is moved nor after it: either alone is enough while the lock is held."""
    monkeypatch.setattr("assets.gc.execution._Run._needed", lambda *_: False)
    monkeypatch.setattr(stage.premises.disposal.usage, "live_among", lambda _: set())


def with_uploads_that_hold_no_lock(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stage.one.assets, "_shards", lambda _: nullcontext())


@pytest.mark.heavy
@pytest.mark.timeout(2400)
@pytest.mark.parametrize(
    ("scenario", "check"), [(variant_delete_and_sweep, orphaned), (backup_delete_and_sweep, unfaithful)]
)
def test_no_order_of_steps_leaves_half_a_copy(
    stage: Stage,
    schedules: ModuleType,
    counts: Callable[[int, int, int], int],
    scenario: Callable[[Stage], list[Any]],
    check: Callable[[Stage], str | None],
    promise: Callable[[str, int, int], None],
) -> None:
    lost = played(stage, scenario)
    found = schedules.explore(lambda run: lost(run) or check(stage), limit=counts(20, 200, 2_000))
    promise(ROW, found.schedules, len(found.bad))
    assert found.bad == []
    assert found.schedules >= 20


@pytest.mark.heavy
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("broken", [without_its_lock, without_looking_again, with_uploads_that_hold_no_lock])
def test_the_same_schedules_catch_a_broken_sweep(
    stage: Stage,
    schedules: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    broken: Callable[[Stage, pytest.MonkeyPatch], None],
) -> None:
    def forgiving(run: Any) -> str | None:
        stage.next()
        programs = upload_and_sweep(stage)
        errors = run(programs)
        assert all(isinstance(error, CalotypeError) for error in errors), errors
        wrong = stage.lost()
        stage.clean()
        return wrong

    broken(stage, monkeypatch)
    found = schedules.explore(forgiving, limit=600, until_bad=True)
    assert found.bad, f"{found.schedules} schedules found nothing"
    assert "gone" in found.bad[0][0]
