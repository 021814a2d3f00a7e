"""Connections to the index: one SQLite file in WAL mode, a pool of readers, one writer at a time.

The file may vanish or be replaced while it is open (somebody deleted `cache/`, another process rebuilt it). Every
check-out compares the file's (device, inode) with what was opened; a difference raises `IndexLostError`, which the
owner of the database answers by opening or rebuilding it.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import TYPE_CHECKING
from urllib.parse import quote

from ..errors import BusyError, CalotypeError, FullError, InternalError, UnreadableError
from ..files.trouble import has_room

if TYPE_CHECKING:
    from pathlib import Path

    from .touching import Touching

_BUSY_MS = 10_000
_CACHE = -8_192
_BULK_CACHE = -65_536

WriterLock = Callable[[], AbstractContextManager[object]]
"""What a writer holds around its transaction: fair between processes, where SQLite's own wait is not."""


class IndexLostError(CalotypeError):
    """The index's file is not the one that was opened, or is damaged; nothing is lost, it is rebuilt from the files.

    Args:
        message: a sentence.
        damaged: the file is there and must be built anew.
    """

    kind = "internal"

    def __init__(self, message: str, *, damaged: bool = False) -> None:
        super().__init__(message)
        self.damaged = damaged


class Database:
    """One index: `path` is its file, or None for one that lives in memory.

    Args:
        path: the SQLite file; it must exist with its tables already (see `create`).
        writer_lock: the lock of level 4, held around every write transaction.
        touching: learns what write transactions say of payloads; None where nobody asks.
    """

    def __init__(self, path: Path | None, writer_lock: WriterLock, touching: Touching | None = None) -> None:
        self._path = path
        self._writer_lock = writer_lock
        self._touching = touching
        self._idle: list[sqlite3.Connection] = []
        self._mutex = threading.Lock()
        self._memory = threading.RLock()
        self._closed = False
        self._identity = _identity(path)
        first = self._connect()
        self._idle.append(first)

    @property
    def path(self) -> Path | None:
        """The index's file; None in memory."""
        return self._path

    def intact(self) -> bool:
        """Tell whether the file is still the one that was opened (one stat)."""
        return self._path is None or _identity(self._path) == self._identity

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Lend a connection for reads.

        Raises:
            IndexLostError: the file is gone, another one, or damaged.
            FullError, BusyError, UnreadableError: what SQLite said, as our kinds.
        """
        if self._path is None:
            with self._memory:
                yield self._idle[0]
            return
        with _told(self._path):
            connection = self._checkout()
        try:
            with _told(self._path):
                yield connection
        finally:
            self._give_back(connection)

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Lend a connection inside a write transaction: committed at the end, rolled back on any error.

        In memory a nested use joins the outer transaction.

        Raises:
            IndexLostError: the file is gone or another one.
        """
        if self._path is None:
            with self._memory:
                connection = self._idle[0]
                if connection.in_transaction:
                    yield connection
                else:
                    with _transaction(connection):
                        yield connection
            return
        with self._writer_lock(), self.reading() as connection:
            try:
                with _transaction(connection):
                    yield connection
            finally:
                if self._touching is not None:
                    self._touching.settle()

    def close(self) -> None:
        """Close every idle connection; those lent out close when they come back."""
        with self._mutex:
            self._closed = True
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def _checkout(self) -> sqlite3.Connection:
        if not self.intact():
            raise IndexLostError("The index was deleted or replaced; it is opened again.")
        with self._mutex:
            if self._closed:
                raise InternalError("The index is closed.")
            if self._idle:
                return self._idle.pop()
        return self._connect()

    def _give_back(self, connection: sqlite3.Connection) -> None:
        with self._mutex:
            if not self._closed:
                self._idle.append(connection)
                return
        connection.close()

    def _connect(self) -> sqlite3.Connection:
        try:
            connection = connect(self._path)
        except sqlite3.OperationalError as error:
            if self.intact():
                raise
            raise IndexLostError("The index was deleted or replaced; it is opened again.") from error
        if self._touching is not None:
            self._touching.watch(connection)
        return connection


def connect(path: Path | None, *, bulk: bool = False) -> sqlite3.Connection:
    """Open a connection with our settings; an existing file, unless it is to be filled in bulk, or one in memory.

    Raises:
        sqlite3.DatabaseError: the file is not an index, or there is none.
    """
    name = ":memory:" if path is None else f"file:{quote(str(path))}?mode={'rwc' if bulk else 'rw'}"
    connection = sqlite3.connect(name, uri=True, isolation_level=None, check_same_thread=False)
    connection.execute(f"PRAGMA busy_timeout={_BUSY_MS}")
    connection.execute("PRAGMA temp_store=MEMORY")
    connection.execute(f"PRAGMA cache_size={_BULK_CACHE if bulk else _CACHE}")
    if path is not None:
        connection.execute(f"PRAGMA journal_mode={'OFF' if bulk else 'WAL'}")
        connection.execute(f"PRAGMA synchronous={'OFF' if bulk else 'NORMAL'}")
    return connection


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """Turn what SQLite says into our errors; what is neither about the disk nor about its file is a mistake of ours."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}:
            raise IndexLostError(f"The index is damaged ({error}); it is built anew.", damaged=True) from error
        refused = code in {sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM}
        # SQLite takes a quota that is reached for a broken disk.
        if code == sqlite3.SQLITE_FULL or (refused and not has_room(path.parent)):
            raise FullError("The index could not be written: the disk is full. Free some space.") from error
        if code in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
            raise BusyError("The index is in use for too long. Try again in a moment.") from error
        if refused:
            raise UnreadableError(f"The index cannot be used ({error}). Check the permissions of cache/.") from error
        raise InternalError(f"The index refused a question: {error}.") from error


def create(connection: sqlite3.Connection, statements: Sequence[str], meta: dict[str, str]) -> None:
    """Make the tables of an empty index and write its `meta` rows in one transaction."""
    with _transaction(connection):
        for statement in statements:
            connection.execute(statement)
        connection.executemany("INSERT INTO meta(name, value) VALUES(?, ?)", meta.items())


def read_meta(connection: sqlite3.Connection, name: str) -> str | None:
    """Return a `meta` value; None when it, or the table, is not there."""
    with suppress(sqlite3.DatabaseError):
        row = connection.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
        if row is not None:
            return str(row[0])
    return None


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        # SQLite ends some failed transactions itself, and leaves one open whose commit failed.
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _identity(path: Path | None) -> tuple[int, int] | None:
    if path is None:
        return None
    try:
        found = path.stat()
    except FileNotFoundError:
        return (0, 0)
    return (found.st_dev, found.st_ino)
