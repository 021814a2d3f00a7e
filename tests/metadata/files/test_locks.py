"""Locks inside one process; `tests/races` has several."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from metadata.errors import BusyError, InternalError, InvalidError
from metadata.files.engine import FileEngine
from metadata.files.locks import lock_path_of


@pytest.mark.parametrize(
    ("path", "lock"),
    [
        ("characters/a.json", "characters/.lock"),
        ("personas/b.json", "personas/.lock"),
        ("settings/users/c.json", "settings/users/.lock"),
        ("settings/general.json", "settings/general.json.lock"),
        ("characters/deep/a.json", "characters/deep/a.json.lock"),
        ("chats/index.jsonl", "chats/index.jsonl.lock"),
        ("top.json", "top.json.lock"),
    ],
)
def test_lock_files(engine: FileEngine, path: str, lock: str) -> None:
    assert lock_path_of(path) == lock
    with engine.locks.lock_of(path).hold():
        assert (engine.paths.root / lock).stat().st_mode & 0o777 == 0o600


def test_one_object_for_one_lock_file(engine: FileEngine) -> None:
    lock = engine.locks.lock_of("characters/a.json")
    for number in range(600):
        engine.locks.lock_of(f"chats/{number}.jsonl")
    assert engine.locks.lock_of("characters/b.json") is lock
    with pytest.raises(InvalidError):
        engine.locks.lock_of("../outside")


def test_hold_all_takes_each_lock_once_in_order(engine: FileEngine) -> None:
    paths = ["tags/tags.json", "characters/b.json", "characters/a.json"]
    with engine.locks.hold_all(paths):
        assert all(engine.locks.lock_of(path).held for path in paths)
    with engine.locks.lock_of("tags/tags.json").hold(), pytest.raises(InternalError), engine.locks.hold_all(paths):
        pass
    assert engine.locks.lock_of("characters/a.json").probe()


def test_shards(engine: FileEngine) -> None:
    assert engine.locks.shard(0x0F).name == "locks/0f"
    with pytest.raises(InternalError):
        engine.locks.shard(256)


def test_backup_lease(engine: FileEngine) -> None:
    second, third = FileEngine.open(engine.paths.root).locks, FileEngine.open(engine.paths.root).locks
    shared = engine.locks.lease_shared(), second.lease_shared()
    with shared[0], shared[1], pytest.raises(BusyError), third.lease_exclusive(50):
        pass


def test_start_lock(engine: FileEngine) -> None:
    raised: list[BusyError] = []

    def other() -> None:
        try:
            with engine.locks.start(100):
                pass
        except BusyError as error:
            raised.append(error)

    with engine.locks.start():
        thread = threading.Thread(target=other)
        thread.start()
        thread.join(10)
    assert raised[0].details["path"] == "locks/start"


def test_janitor_takes_old_leftovers_only_when_alone(engine: FileEngine) -> None:
    root = engine.paths.root
    with engine.locks.lock_of("chats/a.jsonl").hold():
        pass
    leftover = root / "chats" / ".a.json.1.0123abcd.tmp"
    leftover.write_bytes(b"")
    (root / "binaries" / ("0" * 64)).mkdir(parents=True)
    payload = root / "binaries" / ("0" * 64) / "x.lock"
    payload.write_bytes(b"")
    other = FileEngine.open(root)
    assert other.locks.collect_leftovers() == 0
    assert other.locks.collect_leftovers(0) == 0, "another one has the store open"
    engine.close()
    with other.locks.lock_of("chats/held.jsonl").hold():
        assert other.locks.collect_leftovers(0) == 2
        assert (root / "chats" / "held.jsonl.lock").exists()
    assert not leftover.exists()
    assert payload.exists()
    assert (root / "locks" / "start").exists()


def test_lock_file_that_cannot_be_made_says_so(engine: FileEngine) -> None:
    engine.paths.root.mkdir()
    (engine.paths.root / "a").write_bytes(b"")
    with pytest.raises(Exception, match="lock file"), engine.locks.lock_of("a/b.json").hold():
        pass


def test_locks_do_not_leak_descriptors(engine: FileEngine) -> None:
    descriptors = Path("/proc/self/fd")
    if not descriptors.exists():
        pytest.skip("the system does not tell how many files are open")
    for number in range(50):
        with engine.locks.lock_of(f"warm-{number}").hold():
            pass
    before = len(list(descriptors.iterdir()))
    for number in range(2000):
        with engine.locks.lock_of(f"f{number}").hold():
            pass
    assert len(list(descriptors.iterdir())) < before + 260


def test_a_closed_store_keeps_no_descriptor(tmp_path: Path) -> None:
    descriptors = Path("/proc/self/fd")
    if not descriptors.exists():
        pytest.skip("the system does not tell how many files are open")
    before = len(list(descriptors.iterdir()))
    engine = FileEngine.open(tmp_path)
    kept = [engine.locks.lock_of(f"chats/{number}.jsonl") for number in range(20)]
    for lock in kept:
        with lock.hold():
            pass
    with engine.locks.gate.exclusive(), engine.locks.shard(7).hold():
        pass
    assert len(list(descriptors.iterdir())) > before + 20
    engine.close()
    # Counted while the locks are still known here: nothing was left to a destructor.
    assert (len(list(descriptors.iterdir())), len(kept)) == (before, 20)
