"""Kill -9 at every file-system call of a collection, and of what brings payloads back: nothing live is ever gone."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from assets.digest import Digest
from assets.upload import Upload
from server.configuration import load_settings
from server.wiring import open_store

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from metadata.files.filesystem import FileSystem
    from server.wiring import Store

TEXTS = {"name": "n", "description": "d", "personality": "p", "scenario": "s", "first_message": "f"}
NAMES = ("named", "mentioned", "rescued", "garbage", "more garbage", "loose", "over")
CONTENT = {name: name.encode() * 50 for name in NAMES}
HASH = {name: Digest(hashlib.sha256(data).hexdigest()) for name, data in CONTENT.items()}
LIVE = ("named", "mentioned", "rescued")


@pytest.fixture(scope="session")
def deadly(load_beside: Callable[[Path], ModuleType]) -> ModuleType:
    """The module of the file system that kills its process before the n-th change."""
    return load_beside(Path(__file__).with_name("test_kill_operations.py"))


def opened(folder: Path, fs: FileSystem | None = None) -> Store:
    settings = load_settings({}, {"data_dir": folder, "min_free_bytes": 0}).settings
    return open_store(settings, fs=fs)


def upload(store: Store, name: str) -> str:
    with store.assets.receive() as staging:
        staging.write(CONTENT[name])
        staged = staging.finish()
    return store.assets.store(staged, Upload(user_id=store.owner.id, filename=name)).asset.id


def collect(store: Store) -> dict[str, object]:
    report = store.gc.execute(store.gc.plan(grace_s=0, older_than_s=0), force=True)
    return {name: value for name, value in report.document().items() if value}


def populated(folder: Path) -> None:
    """Leave one payload for every way that a collection knows."""
    store = opened(folder)
    characters = store.records.characters
    for name in ("rescued", "over"):
        store.assets.forget(upload(store, name))
    collect(store)
    (entry,) = (folder / "trash").glob(f"{HASH['over']}.*")
    entry.rename(folder / "trash" / f"{HASH['over']}.1000000000")
    ids = {name: upload(store, name) for name in NAMES if name not in {"rescued", "over"}}
    owner = {"user_id": store.owner.id, **TEXTS}
    characters.create(**owner, default_image_id=ids["named"])
    for name in ("mentioned", "rescued"):
        characters.create(**owner, avatar_url=f"/blobs/{HASH[name]}")
    store.assets.forget(ids["mentioned"], force=True)
    for name in ("garbage", "more garbage"):
        store.assets.forget(ids[name])
    store.close()


def places(folder: Path) -> dict[str, set[str]]:
    """Return where each payload lies, whole."""
    found: dict[str, set[str]] = {name: set() for name in NAMES}
    for name in NAMES:
        for raw in [*folder.glob(f"binaries/{HASH[name]}/raw"), *folder.glob(f"trash/{HASH[name]}.*/raw")]:
            assert raw.read_bytes() == CONTENT[name]
            if not raw.parent.name.endswith(".gone"):
                found[name].add(raw.parent.parent.name)
    return found


def killed(deadly: ModuleType, folder: Path, calls: int, operation: Callable[[Store], object]) -> bool:
    """Do something in a process of its own that dies at a call; tell whether it did."""
    child = os.fork()
    if child == 0:
        fs: Any = deadly.DeadlyFileSystem()
        store = opened(folder, fs)
        fs.left = calls
        operation(store)
        os._exit(0)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert status in {0, -signal.SIGKILL}
    return status != 0


@pytest.mark.heavy
@pytest.mark.timeout(900)
def test_a_collection_cut_off_anywhere_harms_nothing_and_the_next_one_finishes(
    tmp_path: Path, deadly: ModuleType, scale: int
) -> None:
    template = tmp_path / "template"
    populated(template)
    died = 0
    for calls in range(1, 2_000, 6 if scale == 1 else 1):
        folder = tmp_path / str(calls)
        shutil.copytree(template, folder)
        cut = killed(deadly, folder, calls, collect)
        found = places(folder)
        assert all(len(found[name]) == 1 for name in NAMES if name != "over"), (calls, found)
        store = opened(folder)
        for name in LIVE:
            digest = HASH[name]
            assert store.assets.find(digest).size == len(CONTENT[name]), calls
        # A torn line was never acknowledged; what it names is kept until somebody has looked at it.
        shutil.rmtree(folder / "quarantine")
        collect(store)
        _check_finished(folder, store)
        store.close()
        shutil.rmtree(folder)
        died += cut
        if not cut:
            break
    assert died >= 8


def _check_finished(folder: Path, store: Store) -> None:
    found = places(folder)
    assert {name for name in NAMES if "binaries" in found[name]} == set(LIVE)
    assert {name for name in NAMES if "trash" in found[name]} == {"garbage", "more garbage", "loose"}
    assert store.gc.premises.disposal.usage.known() == {HASH[name] for name in LIVE}
    assert [path.name for path in folder.glob("trash/*") if path.name.endswith(".gone")] == []
    assert [asset.sha256 for asset in store.assets.images.find_all()] == [HASH["named"]]
    assert collect(store) == {}
    for name in ("garbage", "more garbage"):
        assert len(store.gc.restore(HASH[name]).records) == 1


OPERATIONS: dict[str, Callable[[Store], object]] = {
    "upload": lambda store: upload(store, "garbage"),
    "restore": lambda store: store.gc.restore(HASH["garbage"]),
    "purge": lambda store: store.gc.purge(),
}


@pytest.mark.heavy
@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", OPERATIONS)
def test_a_way_out_of_the_trash_cut_off_anywhere_can_be_taken_again(
    tmp_path: Path, deadly: ModuleType, scale: int, name: str
) -> None:
    template = tmp_path / "template"
    populated(template)
    store = opened(template)
    collect(store)
    store.close()
    died = 0
    for calls in range(1, 2_000, 3 if scale == 1 else 1):
        folder = tmp_path / str(calls)
        shutil.copytree(template, folder)
        cut = killed(deadly, folder, calls, OPERATIONS[name])
        found = places(folder)
        assert all(found[one] == {"binaries"} for one in LIVE), (calls, found)
        assert name == "purge" or len(found["garbage"]) == 1, (calls, found)
        store = opened(folder)
        upload(store, "garbage")
        assert store.assets.find(HASH["garbage"]).size == len(CONTENT["garbage"])
        assert places(folder)["garbage"] == {"binaries"}
        assert [path.name for path in (folder / "binaries" / HASH["garbage"]).iterdir()] == ["raw"]
        store.close()
        shutil.rmtree(folder)
        died += cut
        if not cut:
            break
    assert died >= 3
