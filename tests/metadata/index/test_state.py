"""What the index remembers of the files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from metadata.files.identity import FileIdentity
from metadata.index.state import (
    FileState,
    Problem,
    clear_pending,
    clear_problems,
    count_unreadable,
    drop_file,
    load_file,
    load_files,
    load_pending,
    load_problems,
    note_pending,
    save_file,
    save_problem,
    unreadable_record,
)

if TYPE_CHECKING:
    from metadata.index.database import Database

SEEN = FileIdentity(dev=1, ino=2, size=3, mtime_ns=2**62, ctime_ns=5)


def test_a_file_is_remembered_as_it_was_saved(database: Database) -> None:
    state = FileState("a/b.jsonl", SEEN, 6, last_start=7, last_crc=2**32 - 1, offset=9, live=10, dead=11)
    with database.writing() as db:
        assert load_file(db, "a/b.jsonl") is None
        save_file(db, state)
        save_file(db, FileState("c", SEEN, 1))
        assert load_file(db, "a/b.jsonl") == state
        assert load_files(db) == {"a/b.jsonl": state, "c": FileState("c", SEEN, 1)}
        drop_file(db, "c")
        assert set(load_files(db)) == {"a/b.jsonl"}


def test_a_later_look_keeps_the_rest() -> None:
    later = FileIdentity(dev=1, ino=2, size=30, mtime_ns=4, ctime_ns=5)
    moved = FileState("a", SEEN, 6, offset=9).at(later)
    assert (moved.identity, moved.offset) == (later, 9)
    assert moved.indexed_ns > 6


def test_notes_are_made_once_and_cleared(database: Database) -> None:
    with database.writing() as db:
        note_pending(db, ["a", "b"])
        note_pending(db, ["a"])
        assert set(load_pending(db)) == {"a", "b"}
        clear_pending(db, "a")
        assert set(load_pending(db)) == {"b"}
        assert load_pending(db)["b"] > 0


def test_problems_are_counted_and_found_by_record(database: Database) -> None:
    bad = Problem("c.json", -1, "character", "k", "unreadable", "torn")
    with database.writing() as db:
        for problem in (bad, bad, Problem("t", 5, "tag", "k", "altered", "x"), Problem("t", 9, "tag", "", "tail", "x")):
            save_problem(db, problem)
        assert len(load_problems(db)) == 3
        assert load_problems(db, "c.json") == [bad]
        assert unreadable_record(db, "character", "k") == bad
        assert unreadable_record(db, "tag", "k") is None
        assert (count_unreadable(db, "character"), count_unreadable(db, "tag")) == (1, 0)
        clear_problems(db, "c.json")
        assert unreadable_record(db, "character", "k") is None
