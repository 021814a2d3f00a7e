"""Connections to the index: lent, given back, lost with their file."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing, contextmanager, nullcontext
from typing import TYPE_CHECKING

import pytest

from metadata.errors import FullError, InternalError, UnreadableError
from metadata.index import database as module
from metadata.index.database import Database, IndexLostError, connect, create, read_meta

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

META = "CREATE TABLE meta(name TEXT PRIMARY KEY, value TEXT NOT NULL)"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "an index?#%.sqlite3"
    with closing(connect(file, bulk=True)) as db:
        create(db, [META, "CREATE TABLE t(x)"], {"a": "1"})
    return file


def rows(database: Database) -> list[object]:
    with database.reading() as db:
        return [row[0] for row in db.execute("SELECT x FROM t ORDER BY x")]


def test_what_is_written_is_read_by_every_connection(path: Path) -> None:
    database = Database(path, nullcontext)
    with database.writing() as db:
        db.execute("INSERT INTO t VALUES(1)")
    with database.reading() as one, database.reading() as two:
        assert one is not two
        assert one.execute("SELECT x FROM t").fetchall() == two.execute("SELECT x FROM t").fetchall() == [(1,)]
    database.close()


def test_a_failed_write_leaves_nothing(path: Path) -> None:
    database = Database(path, nullcontext)

    def fail() -> None:
        with database.writing() as db:
            db.execute("INSERT INTO t VALUES(1)")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert rows(database) == []
    with database.writing() as db:
        db.execute("INSERT INTO t VALUES(2)")
    assert rows(database) == [2]
    database.close()


def test_a_failed_commit_leaves_nothing_and_a_connection_that_works(path: Path) -> None:
    """SQLite leaves the transaction open when a commit fails, of a full disk for one."""
    database = Database(path, nullcontext)
    with database.reading() as db:
        db.execute("PRAGMA foreign_keys=ON")
        db.execute("CREATE TABLE child(x REFERENCES meta(name) DEFERRABLE INITIALLY DEFERRED)")

    def write_what_cannot_be_committed() -> None:
        with database.writing() as again:
            assert again is db
            again.execute("INSERT INTO child VALUES('nobody')")

    with pytest.raises(InternalError):
        write_what_cannot_be_committed()
    with database.writing() as db:
        db.execute("INSERT INTO t VALUES(1)")
    assert rows(database) == [1]
    database.close()


def test_the_writer_lock_is_held_around_a_write_and_not_a_read(path: Path) -> None:
    held: list[str] = []

    @contextmanager
    def lock() -> Iterator[None]:
        held.append("taken")
        yield
        held.append("given")

    database = Database(path, lock)
    assert rows(database) == []
    assert held == []
    with database.writing():
        assert held == ["taken"]
    assert held == ["taken", "given"]
    database.close()


@pytest.mark.parametrize("again", [False, True])
def test_a_file_that_went_or_was_replaced_is_noticed(path: Path, *, again: bool) -> None:
    database = Database(path, nullcontext)
    assert database.intact()
    held = path.with_name("held")
    path.rename(held)  # the inode stays taken, as by an open connection
    if again:
        with closing(connect(path, bulk=True)) as db:
            create(db, [META, "CREATE TABLE t(x)"], {})
    assert not database.intact()
    with pytest.raises(IndexLostError), database.reading():
        pass
    with pytest.raises(IndexLostError), database.writing():
        pass
    database.close()


def test_an_absent_index_is_never_made_by_reading(tmp_path: Path) -> None:
    with pytest.raises((IndexLostError, sqlite3.OperationalError)):
        Database(tmp_path / "none.sqlite3", nullcontext)
    assert list(tmp_path.iterdir()) == []


def test_a_closed_index_says_so_and_takes_back_what_is_out(path: Path) -> None:
    database = Database(path, nullcontext)
    with database.reading() as db:
        database.close()
        assert db.execute("SELECT count(*) FROM t").fetchone() == (0,)
    with pytest.raises(InternalError), database.reading():
        pass
    with pytest.raises(sqlite3.ProgrammingError):
        db.execute("SELECT 1")


def test_in_memory_a_nested_write_joins_and_threads_wait() -> None:
    database = Database(None, nullcontext)
    assert database.path is None
    assert database.intact()
    with database.reading() as db:
        db.execute("CREATE TABLE t(x)")

    def fail() -> None:
        with database.writing() as outer:
            with database.writing() as inner:
                assert inner is outer
                inner.execute("INSERT INTO t VALUES(1)")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert rows(database) == []

    def add() -> None:
        for _ in range(50):
            with database.writing() as db:
                (count,) = db.execute("SELECT count(*) FROM t").fetchone()
                db.execute("INSERT INTO t VALUES(?)", (count,))

    threads = [threading.Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert rows(database) == list(range(200))
    database.close()


def test_meta_is_none_where_there_is_none(path: Path, tmp_path: Path) -> None:
    with closing(connect(path)) as db:
        assert read_meta(db, "a") == "1"
        assert read_meta(db, "b") is None
    with closing(sqlite3.connect(tmp_path / "other.sqlite3")) as db:
        assert read_meta(db, "a") is None


def test_a_damaged_page_says_that_the_index_is_lost(path: Path) -> None:
    database = Database(path, nullcontext)
    with database.writing() as db:
        db.executemany("INSERT INTO t VALUES(?)", [(number,) for number in range(5_000)])
        size = db.execute("PRAGMA page_size").fetchone()[0]
    with database.reading() as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    with path.open("r+b") as file:
        file.seek(size)
        file.write(b"\xff" * size * 8)
    again = Database(path, nullcontext)
    with pytest.raises(IndexLostError) as caught:
        rows(again)
    assert caught.value.damaged
    again.close()


@pytest.mark.parametrize(("room", "kind"), [(True, UnreadableError), (False, FullError)])
def test_a_quota_that_is_reached_is_no_broken_disk(
    path: Path, monkeypatch: pytest.MonkeyPatch, kind: type[Exception], *, room: bool
) -> None:
    """SQLite says the same of both (`tests/crash/test_full_disk.py` reaches a quota)."""
    monkeypatch.setattr(module, "has_room", lambda _: room)
    database = Database(path, nullcontext)
    refused = sqlite3.OperationalError("disk I/O error")
    refused.sqlite_errorcode = sqlite3.SQLITE_IOERR_WRITE

    def fail() -> None:
        with database.writing() as db:
            db.execute("INSERT INTO t VALUES(1)")
            raise refused

    with pytest.raises(kind):
        fail()
    assert rows(database) == []
    database.close()
