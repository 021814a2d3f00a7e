"""Journals: commits, failures, reading, compaction, durability."""

from __future__ import annotations

import errno
import stat
from typing import TYPE_CHECKING, Any

import pytest

from metadata.errors import (
    BusyError,
    ConflictError,
    FullError,
    InternalError,
    InvalidError,
    NotFoundError,
    StaleError,
    UnreadableError,
)
from metadata.files.engine import FileEngine
from metadata.files.journal import Batch, Damage, Journal, Line

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NAME = "chats/log.jsonl"


def put(journal: Journal, *names: str) -> None:
    """Append records with these ids in one commit."""
    journal.commit(lambda batch: [batch.stage({"id": name}) for name in names])


def ids(journal: Journal) -> list[str]:
    """Return the ids of all lines."""
    return [item.record["id"] for item in journal.read() if isinstance(item, Line)]


class Recorder:
    """Hooks that note what they see."""

    def __init__(self) -> None:
        self.seen: list[Any] = []

    def locked(self, batch: Batch) -> None:
        self.seen.append(("locked", batch.start))

    def durable(self, batch: Batch) -> None:
        self.seen.append(("durable", batch.lines))


def test_commit_returns_what_the_work_returned_and_lines_are_where_it_said(engine: FileEngine) -> None:
    journal = engine.journal(NAME)
    places = journal.commit(lambda batch: [batch.stage({"id": "a"}), batch.stage({"id": "b"})])
    assert [item.offset for item in journal.read() if isinstance(item, Line)] == places
    second = journal.commit(lambda batch: batch.stage({"id": "c"}))
    lines = list(journal.read())
    assert [line.batch for line in lines if isinstance(line, Line)] == [0, 0, second]
    assert list(journal.read(second)) == lines[2:]


def test_hooks_see_the_lines_as_a_reader_will(engine: FileEngine) -> None:
    hooks = Recorder()
    journal = engine.journal(NAME, hooks)
    put(journal, "a", "b")
    assert hooks.seen == [("locked", 0), ("durable", list(journal.read()))]
    assert engine.journal(NAME) is journal


def test_failed_work_reaches_its_caller_and_writes_nothing(engine: FileEngine) -> None:
    journal = engine.journal(NAME)

    def work(batch: Batch) -> None:
        batch.stage({"id": "a"})
        raise ConflictError("taken")

    with pytest.raises(ConflictError):
        journal.commit(work)
    assert journal.stat() is None
    with pytest.raises(InvalidError):
        journal.commit(lambda batch: batch.stage({"id": float("nan")}))
    put(journal, "b")
    assert ids(journal) == ["b"]


def test_failed_hook_fails_the_commit(engine: FileEngine) -> None:
    class Refusing(Recorder):
        def locked(self, batch: Batch) -> None:
            raise BusyError(f"not now: {batch.start}")

    journal = engine.journal(NAME, Refusing())
    with pytest.raises(BusyError):
        put(journal, "a")
    journal.hooks = Recorder()
    put(journal, "b")
    assert ids(journal) == ["b"]


def test_commit_within_a_commit_is_an_error_and_not_a_deadlock(engine: FileEngine) -> None:
    journal = engine.journal(NAME)
    with pytest.raises(InternalError):
        journal.commit(lambda _: put(journal, "a"))
    put(journal, "c")
    assert ids(journal) == ["c"]


def test_lock_timeout_is_an_error_and_the_next_commit_works(tmp_path: Path) -> None:
    holder = FileEngine.open(tmp_path)
    journal = FileEngine.open(tmp_path, lock_timeout_ms=100).journal(NAME)
    with holder.locks.lock_of(NAME).hold(), pytest.raises(BusyError):
        put(journal, "a")
    put(journal, "b")
    assert ids(journal) == ["b"]


def test_read_at_and_identity(engine: FileEngine) -> None:
    journal = engine.journal(NAME)
    with pytest.raises(NotFoundError):
        journal.read_at(0, 10)
    assert list(journal.read()) == []
    put(journal, "a", "b")
    _, second = (item for item in journal.read() if isinstance(item, Line))
    before = journal.stat()
    assert before is not None
    assert journal.read_at(second.offset, second.end - second.offset, identity=before) == second
    with pytest.raises(UnreadableError):
        journal.read_at(second.offset, 10_000)
    with pytest.raises(UnreadableError):
        journal.read_at(second.offset + 1, second.end - second.offset - 1)
    journal.compact(iter)
    with pytest.raises(StaleError):
        list(journal.read(0, identity=before.file))


def test_the_sound_end_leaves_out_a_torn_line(engine: FileEngine) -> None:
    journal = engine.journal(NAME)
    assert journal.sound_end() is None
    put(journal, "a", "b")
    file = engine.paths.resolve(NAME)
    size = file.stat().st_size
    with file.open("ab") as torn:
        torn.write(b'{"id":"c')
    found = journal.sound_end()
    assert found is not None
    assert (found.size, file.stat().st_size, ids(journal)) == (size, size, ["a", "b"])


def test_long_lines_are_read_over_many_chunks(engine: FileEngine) -> None:
    journal = engine.journal(NAME)
    texts = ["x" * size for size in (10, 256 * 1024, 3_000_000, 5)]
    journal.commit(lambda batch: [batch.stage({"id": text}) for text in texts])
    assert ids(journal) == texts
    engine.close()
    again = FileEngine.open(engine.paths.root).journal(NAME)
    put(again, "last")
    assert ids(again) == [*texts, "last"]


def test_a_file_put_in_its_place_is_noticed(engine: FileEngine) -> None:
    journal = engine.journal(NAME)
    put(journal, "a")
    file = engine.paths.resolve(NAME)
    moved = file.with_name("other.jsonl")
    moved.write_bytes(b'{"id":"z"}\n')
    moved.replace(file)
    put(journal, "b")
    assert ids(journal) == ["z", "b"]
    file.unlink()
    put(journal, "c")
    assert ids(journal) == ["c"]


def test_short_writes_are_continued(tmp_path: Path, failing: Any) -> None:
    failing.most = 3
    journal = FileEngine.open(tmp_path, fs=failing).journal(NAME)
    put(journal, "a", "b")
    assert ids(journal) == ["a", "b"]


def test_full_disk_takes_the_write_back(tmp_path: Path, failing: Any) -> None:
    journal = FileEngine.open(tmp_path, fs=failing).journal(NAME)
    put(journal, "a")
    before = (tmp_path / NAME).read_bytes()
    failing.failing, failing.error, failing.most = {"pwrite"}, errno.ENOSPC, 20
    with pytest.raises(FullError):
        put(journal, "b")
    assert (tmp_path / NAME).read_bytes() == before
    failing.failing = set()
    put(journal, "c")
    assert ids(journal) == ["a", "c"]
    assert not (tmp_path / "quarantine").exists()


def test_failed_sync_takes_the_write_back_and_the_journal_is_a_new_file(tmp_path: Path, failing: Any) -> None:
    journal = FileEngine.open(tmp_path, fs=failing).journal(NAME)
    put(journal, "a")
    before = journal.stat()
    failing.failing = {"fdatasync"}
    with pytest.raises(UnreadableError, match="synced"):
        put(journal, "b")
    after = journal.stat()
    assert before is not None
    assert after is not None
    assert after.file != before.file
    assert ids(journal) == ["a"]
    failing.failing = set()
    put(journal, "c")
    assert ids(journal) == ["a", "c"]


def test_journal_that_could_not_be_renewed_is_renewed_by_the_next_writer_of_any_process(
    tmp_path: Path, failing: Any
) -> None:
    journal = FileEngine.open(tmp_path, fs=failing).journal(NAME)
    put(journal, "a")
    before = journal.stat()
    assert before is not None
    failing.failing = {"fdatasync", "fsync"}
    with pytest.raises(UnreadableError):
        put(journal, "b")
    with pytest.raises(UnreadableError):  # the disk still refuses: nothing is appended to the old file
        put(journal, "b")
    other = FileEngine.open(tmp_path).journal(NAME)
    put(other, "c")
    found = other.stat()
    assert found is not None
    assert found.file != before.file
    assert not (tmp_path / NAME).stat().st_mode & stat.S_ISVTX
    failing.failing = set()
    put(journal, "d")
    assert ids(journal) == ["a", "c", "d"]
    assert list((tmp_path / "chats").glob(".*.tmp")) == []


def test_write_that_can_neither_be_synced_nor_cut_is_left_out_of_the_new_file(tmp_path: Path, failing: Any) -> None:
    journal = FileEngine.open(tmp_path, fs=failing).journal(NAME)
    put(journal, "a")
    failing.failing = {"fdatasync", "ftruncate"}
    with pytest.raises(UnreadableError):
        put(journal, "b")
    assert ids(journal) == ["a"]


@pytest.mark.parametrize(("durability", "syncs"), [("full", 25), ("batch", 2), ("none", 0)])
def test_durability_levels(tmp_path: Path, failing: Any, durability: str, syncs: int) -> None:
    engine = FileEngine.open(tmp_path, fs=failing, durability=durability, fsync_interval=10)
    journal = engine.journal(NAME)
    for number in range(25):
        put(journal, str(number))
    assert failing.calls.count("fdatasync") == syncs
    engine.close()
    assert failing.calls.count("fdatasync") == syncs + (durability == "batch")
    assert ("fsync" in failing.calls) is (durability != "none")


def test_in_batches_a_line_says_up_to_where_the_journal_was_synced(tmp_path: Path) -> None:
    journal = FileEngine.open(tmp_path, durability="batch", fsync_interval=3).journal(NAME)
    for name in "abcdefg":
        put(journal, name)
    lines = [item for item in journal.read() if isinstance(item, Line)]
    assert [line.batch for line in lines] == [0, 0, 0, *[lines[2].end] * 3, lines[5].end]


def test_compaction_keeps_what_came_meanwhile(engine: FileEngine) -> None:
    journal = engine.journal(NAME)
    put(journal, "a", "b", "c")
    rounds: list[int] = []

    def rewrite(lines: Iterator[Line | Damage]) -> Iterator[dict[str, Any]]:
        if not rounds:
            put(journal, "late")
        rounds.append(1)
        for line in lines:
            if isinstance(line, Line) and line.record["id"] != "b":
                yield {**line.record, "seen": True}

    journal.compact(rewrite)
    assert [item.record for item in journal.read() if isinstance(item, Line)] == [
        {"id": "a", "seen": True},
        {"id": "c", "seen": True},
        {"id": "late"},
    ]
    assert b"_b" not in engine.read_bytes(NAME)
    put(journal, "after")
    assert ids(journal) == ["a", "c", "late", "after"]


def test_compaction_starts_again_when_the_journal_was_replaced(engine: FileEngine) -> None:
    journal = engine.journal(NAME)
    put(journal, "a", "b")
    rounds: list[int] = []

    def rewrite(lines: Iterator[Line | Damage]) -> Iterator[Line | Damage]:
        rounds.append(1)
        if len(rounds) == 1:
            journal.compact(iter)
        yield from lines

    journal.compact(rewrite)
    assert len(rounds) == 2
    assert ids(journal) == ["a", "b"]


def test_compaction_copies_foreign_and_damaged_lines_byte_for_byte(engine: FileEngine) -> None:
    raw = b'{"id" : "foreign"}\n{"id":#}\n{"id":"altered","_crc":"00000000"}\n{"id":"x"}\n'
    file = engine.paths.resolve(NAME)
    file.parent.mkdir(parents=True)
    file.write_bytes(raw)
    journal = engine.journal(NAME)
    journal.compact(iter)
    assert file.read_bytes() == raw
    journal.compact(lambda lines: (b'{"id":"bytes"}' for _ in lines))
    assert file.read_bytes() == b'{"id":"bytes"}\n' * 4


def test_compaction_of_nothing(engine: FileEngine) -> None:
    engine.journal(NAME).compact(iter)
    assert engine.journal(NAME).stat() is None


def test_failed_compaction_leaves_the_journal_and_no_temporary_file(tmp_path: Path, failing: Any) -> None:
    journal = FileEngine.open(tmp_path, fs=failing).journal(NAME)
    put(journal, "a")
    before = journal.stat()
    failing.failing, failing.error = {"write"}, errno.ENOSPC
    with pytest.raises(FullError):
        journal.compact(iter)
    failing.failing = set()
    assert journal.stat() == before
    assert list((tmp_path / "chats").glob(".*.tmp")) == []


def test_symbolic_link_in_a_journals_place_is_refused(engine: FileEngine, tmp_path: Path) -> None:
    journal = engine.journal(NAME)
    put(journal, "a")
    file = engine.paths.resolve(NAME)
    file.rename(tmp_path / "elsewhere")
    file.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(InvalidError):
        put(journal, "b")
    with pytest.raises(InvalidError):
        list(journal.read())
