"""Kill -9 at every file-system call of a backup and of a restore: what was there stays, and nothing is half a store."""

from __future__ import annotations

import os
import shutil
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from assets.backup.manifest import NAME
from assets.backup.restoring import restore
from assets.backup.taking import Wishes
from assets.digest import Digest
from assets.upload import Upload
from metadata.errors import CalotypeError, InvalidError
from metadata.files.filesystem import FileSystem
from metadata.files.folder import MARKER
from server.configuration import load_settings
from server.wiring import open_store

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from server.wiring import Store

FORMS = ("folder", "b.zip", "b.tar")


@pytest.fixture(scope="session")
def deadly(load_beside: Callable[[Path], ModuleType]) -> ModuleType:
    """The module of the file system that kills its process before the n-th change."""
    return load_beside(Path(__file__).with_name("test_kill_operations.py"))


def opened(folder: Path, fs: FileSystem | None = None) -> Store:
    return open_store(load_settings({}, {"data_dir": folder, "min_free_bytes": 0}).settings, fs=fs)


def populated(folder: Path, *names: str) -> set[str]:
    """Store files of these names; return the hashes of all that are stored then."""
    with opened(folder) as store:
        for name in names:
            with store.assets.receive() as staging:
                staging.write(name.encode() * 50)
                staged = staging.finish()
            store.assets.store(staged, Upload(user_id=store.owner.id, filename=name))
        return {one.sha256 for one in store.assets.images.find_all()}


def contents(place: Path, root: Path) -> set[str]:
    """Restore a backup, check that every record has its payload, and return their hashes."""
    restore(FileSystem(), place, root)
    with opened(root) as store:
        found = {one.sha256 for one in store.assets.images.find_all()}
        assert all(store.assets.find(Digest(sha256)).size for sha256 in found)
    shutil.rmtree(root)
    return found


def killed(deadly: ModuleType, calls: int, prepare: Callable[[Any], Callable[[], object]]) -> bool:
    """Do something in a process of its own that dies at a call; tell whether it did."""
    child = os.fork()
    if child == 0:
        fs: Any = deadly.DeadlyFileSystem()
        act = prepare(fs)
        fs.left = calls
        act()
        os._exit(0)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert status in {0, -signal.SIGKILL}
    return status != 0


@pytest.mark.heavy
@pytest.mark.timeout(900)
@pytest.mark.parametrize("form", FORMS)
def test_a_backup_cut_off_anywhere_leaves_the_one_before(
    tmp_path: Path, deadly: ModuleType, scale: int, form: str
) -> None:
    data, template = tmp_path / "data", tmp_path / "template"
    before = populated(data, "first", "second")
    template.mkdir()
    if form == "folder":
        with opened(data) as store:
            store.backups.take(form, template / form)
    with opened(data) as store:
        store.assets.forget(next(iter(store.assets.images.find_all())).id)
        store.gc.execute(store.gc.plan(grace_s=0), force=True)
    after = populated(data, "third")
    assert before != after
    died, seen = 0, set()
    for calls in range(1, 2_000, max(1, 37 // scale)):
        place = tmp_path / str(calls)
        shutil.copytree(template, place)

        def prepare(fs: Any, place: Path = place) -> Callable[[], object]:
            store = opened(data, fs)
            wishes = Wishes(incremental=form == "folder")
            return lambda: store.backups.take(form, place / form, wishes)

        cut = killed(deadly, calls, prepare)
        died += cut
        seen.add(_outcome(place / form, tmp_path / "restored", before, after))
        if form == "folder":  # the next one finishes, and leaves nothing of the one that died
            with opened(data) as store:
                store.backups.take(form, place / form, Wishes(incremental=True))
            assert contents(place / form, tmp_path / "restored") == after
            assert len(list((place / form / "payloads").glob("*/*"))) == len(after)
            assert len(list((place / form / "records").iterdir())) == 1
            assert not list((place / form).rglob("*.tmp"))
        shutil.rmtree(place)
        if not cut:
            break
    assert died >= 2
    assert seen == ({"before", "after"} if form == "folder" else {"absent", "after"})
    assert not (data / "cache" / "backup").exists()


def _outcome(place: Path, root: Path, before: set[str], after: set[str]) -> str:
    if not place.exists():
        return "absent"
    found = contents(place, root)
    assert found in (before, after)
    return "before" if found == before else "after"


@pytest.mark.heavy
@pytest.mark.timeout(900)
def test_a_first_backup_into_a_folder_cut_off_anywhere_is_none_and_can_be_taken_again(
    tmp_path: Path, deadly: ModuleType, scale: int
) -> None:
    data = tmp_path / "data"
    after = populated(data, "first", "second")
    died = 0
    for calls in range(1, 2_000, max(1, 53 // scale)):
        place = tmp_path / str(calls)

        def prepare(fs: Any, place: Path = place) -> Callable[[], object]:
            store = opened(data, fs)
            return lambda: store.backups.take("folder", place)

        cut = killed(deadly, calls, prepare)
        died += cut
        if not (place / NAME).exists():
            with pytest.raises(CalotypeError, match="no backup"):
                restore(FileSystem(), place, tmp_path / "restored")
        with opened(data) as store:
            store.backups.take("folder", place, Wishes(incremental=True))
        assert contents(place, tmp_path / "restored") == after
        shutil.rmtree(place)
        if not cut:
            break
    assert died >= 2


@pytest.mark.heavy
@pytest.mark.timeout(900)
@pytest.mark.parametrize("form", FORMS)
def test_a_restore_cut_off_anywhere_leaves_no_store(tmp_path: Path, deadly: ModuleType, scale: int, form: str) -> None:
    data = tmp_path / "data"
    whole = populated(data, "first", "second")
    with opened(data) as store:
        store.backups.take(form, tmp_path / form)
    died = 0
    for calls in range(1, 2_000, max(1, 23 // scale)):
        root = tmp_path / str(calls)
        cut = killed(deadly, calls, lambda fs, root=root: lambda: restore(fs, tmp_path / form, root))  # type: ignore[misc] # a default
        died += cut
        if (root / MARKER).exists():
            with opened(root) as store:
                assert {one.sha256 for one in store.assets.images.find_all()} == whole
        elif root.exists() and any(root.iterdir()):
            with pytest.raises(InvalidError, match=r"not whole|holds other things"):
                opened(root)
        shutil.rmtree(root, ignore_errors=True)
        if not cut:
            break
    assert died >= 2
