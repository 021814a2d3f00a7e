"""Documents through the engine: reading, writing, the cache, permissions."""

from __future__ import annotations

import errno
import os
import time
from typing import TYPE_CHECKING, Any

import pytest

from metadata.errors import FullError, InvalidError, NotFoundError, UnreadableError
from metadata.files.engine import FileEngine
from metadata.files.identity import identity_of

if TYPE_CHECKING:
    from pathlib import Path


def aged(path: Path, seconds: float = 10) -> None:
    """Make a file look older, as if it had lain there."""
    when = time.time() - seconds
    os.utime(path, (when, when))


def test_document_comes_back(engine: FileEngine) -> None:
    identity = engine.write_document("tags/tags.json", {"version": 1, "tags": []}, stamp=True)
    document = engine.read_document("tags/tags.json")
    assert (document.value, document.check, document.identity) == ({"version": 1, "tags": []}, "sound", identity)
    assert identity == identity_of(engine.fs, engine.paths.resolve("tags/tags.json"))


def test_absent_unreadable_and_value_are_three_answers(engine: FileEngine) -> None:
    with pytest.raises(NotFoundError):
        engine.read_document("a.json")
    engine.write_bytes("a.json", b"{")
    with pytest.raises(UnreadableError, match=r"a\.json"):
        engine.read_document("a.json")
    engine.paths.resolve("folder").mkdir()
    with pytest.raises(UnreadableError, match="not a file"):
        engine.read_document("folder")
    with pytest.raises(NotFoundError):
        engine.read_document("a.json/b.json")


def test_deeply_nested_document_is_served_from_the_cache_too(engine: FileEngine) -> None:
    engine.write_bytes("deep.json", b"[" * 700 + b"]" * 700)
    aged(engine.paths.resolve("deep.json"))
    assert engine.read_document("deep.json") == engine.read_document("deep.json")
    assert engine.cache.stats()["hits"] == 1


def test_pipe_does_not_block_the_reader(engine: FileEngine) -> None:
    engine.paths.root.mkdir()
    os.mkfifo(engine.paths.root / "pipe.json")
    with pytest.raises(UnreadableError):
        engine.read_document("pipe.json")


def test_full_disk(tmp_path: Path, failing: Any) -> None:
    engine = FileEngine.open(tmp_path, fs=failing)
    engine.write_document("a.json", [1], stamp=False)
    failing.failing, failing.error = {"fsync"}, 28
    with pytest.raises(FullError):
        engine.write_document("a.json", [2], stamp=False)
    assert engine.read_document("a.json").value == [1]


def test_secrets_are_the_owners_alone(engine: FileEngine) -> None:
    previous = os.umask(0o002)
    try:
        engine.write_bytes("settings/users/a.json", b"{}")
        engine.journal("auth/sessions.jsonl").commit(lambda batch: batch.stage({"sessionToken": "x"}))
        engine.write_bytes("characters/a.json", b"{}")
        engine.journal("chats/index.jsonl").commit(lambda batch: batch.stage({"id": "x"}))
    finally:
        os.umask(previous)

    def mode(path: str) -> int:
        return engine.paths.resolve(path).stat().st_mode & 0o777

    assert [mode(path) for path in ("settings", "settings/users", "auth")] == [0o700] * 3
    assert [mode(path) for path in ("settings/users/a.json", "auth/sessions.jsonl")] == [0o600] * 2
    assert [mode(path) for path in ("characters/a.json", "chats/index.jsonl")] == [0o664] * 2
    assert mode("chats") == 0o775


def test_cache_is_believed_only_while_the_file_is_the_same(engine: FileEngine) -> None:
    engine.write_document("a.json", {"n": [1]}, stamp=False)
    file = engine.paths.resolve("a.json")
    engine.read_document("a.json")
    assert engine.cache.stats()["size"] == 0, "too young to tell"
    aged(file)
    engine.read_document("a.json").value["n"].append(2)
    assert engine.read_document("a.json").value == {"n": [1]}
    assert engine.cache.stats()["hits"] == 1
    file.write_text('{"n": [7]}')
    assert engine.read_document("a.json").value == {"n": [7]}
    aged(file, 5)
    engine.read_document("a.json")
    engine.write_document("a.json", {"n": 9}, stamp=False)
    assert engine.read_document("a.json").value == {"n": 9}
    engine.remove("a.json")
    with pytest.raises(NotFoundError):
        engine.read_document("a.json")


def test_list_remove_and_read_bytes(engine: FileEngine) -> None:
    assert engine.list("chats") == []
    engine.remove("chats/a.jsonl")
    engine.write_bytes("chats/b.jsonl", b"0123456789")
    engine.write_bytes("chats/a.jsonl", b"")
    with engine.locks.lock_of("chats/a.jsonl").hold():
        assert engine.list("chats") == ["a.jsonl", "b.jsonl"]
    assert engine.read_bytes("chats/b.jsonl", 3, 4) == b"3456"
    assert engine.read_bytes("chats/b.jsonl", 8, 40) == b"89"
    assert engine.read_bytes("chats/b.jsonl") == b"0123456789"
    with pytest.raises(InvalidError):
        engine.list("../")


def test_what_others_wrote_is_brought_to_the_disk_and_what_is_no_file_left_alone(
    engine: FileEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, synced = engine.paths.root, []
    root.mkdir(exist_ok=True)

    def sync(descriptor: int) -> None:
        synced.append(os.fstat(descriptor).st_ino)

    monkeypatch.setattr(engine.fs, "fdatasync", sync)
    (root / "a.jsonl").write_bytes(b"x")
    os.mkfifo(root / "pipe.jsonl")
    (root / "folder.jsonl").mkdir()
    for name in ("a", "pipe", "folder", "absent"):
        engine.bring_to_disk(f"{name}.jsonl")
    assert synced == [(root / "a.jsonl").stat().st_ino]

    def fail(_: int) -> None:
        raise OSError(errno.EIO, "refused")

    monkeypatch.setattr(engine.fs, "fdatasync", fail)
    with pytest.raises(UnreadableError):
        engine.bring_to_disk("a.jsonl")
