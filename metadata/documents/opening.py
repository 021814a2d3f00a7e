"""The index's file: opening it, judging whether it may be believed, building it anew.

Everything here runs under the start lock, so that recovery happens once however many processes start. An index is
believed when its fingerprint is this catalog's and SQLite can read it. After a restart of the machine every file is
compared with it before anything is answered; within one boot its notes and offsets are enough.
"""

from __future__ import annotations

import logging
import os
import secrets
import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import InvalidError, UnreadableError
from ..files import atomic
from ..index import texts
from ..index.database import Database, IndexLostError, connect, create, read_meta
from ..index.state import FileState, load_files
from ..index.tables import fingerprint, may_be_late, statements
from ..index.touching import Touching
from ..schemas.catalog import CATALOG
from ..schemas.homes import InMember, LinesPerParent, OwnFile
from .places import is_journal, kinds_in
from .removals import hide_all
from .tails import DamagedTailError, Tails
from .whole import note_unreadable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ..files.engine import FileEngine
    from ..files.filesystem import FileSystem
    from .whole import WholeFiles

_log = logging.getLogger("calotype.index")

NAME = "index.sqlite3"
WRITER_LOCK = "locks/index"
_ATTEMPTS = 5
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class IndexFile:
    """Where the index lies and how it comes to be.

    Args:
        engine: the file engine.
        tails: projects journals.
        whole: projects whole-file documents.
        folder: the folder of the index; it is made when it is missing.
    """

    def __init__(self, engine: FileEngine, tails: Tails, whole: WholeFiles, folder: Path) -> None:
        self._engine = engine
        self._tails = tails
        self._whole = whole
        self._folder = folder
        self._path = folder / NAME

    def open(self, *, rebuild: bool = False) -> Database:
        """Open the index, building it first when there is none to be believed, or when asked to."""
        with self._engine.locks.start():
            for _ in range(_ATTEMPTS - 1):
                try:
                    return self._open(rebuild=rebuild)
                except (IndexLostError, sqlite3.OperationalError, FileNotFoundError):
                    if self._path.is_file():
                        raise
                    # Somebody deletes the folder while it is being filled.
            return self._open(rebuild=rebuild)

    def _open(self, *, rebuild: bool) -> Database:
        if rebuild or not self._believable():
            self._build()
        touching = Touching(self._engine.epochs.tell)
        database = Database(self._path, self._engine.locks.lock_of(WRITER_LOCK).hold, touching)
        with database.reading() as db:
            settled = boot_id() != "" and read_meta(db, "boot") == boot_id()
        self._sweep(database, logs_only=settled)
        with database.writing() as db:
            hide_all(db, self._engine)
        return database

    def differing(self, database: Database) -> list[str]:
        """Return the files that are not as the index last saw them, or are too young to tell."""
        with database.reading() as db:
            known = load_files(db)
        paths = dict.fromkeys([*known, *self.paths()])
        return [path for path in paths if not self._settled(path, known)]

    def _settled(self, path: str, known: Mapping[str, FileState]) -> bool:
        state = known.get(path)
        try:
            identity = self._tails.identity(path)
        except InvalidError:
            return False  # a link, which is refused; whoever looks at it says so
        if state is None or identity is None:
            return state is None and identity is None
        return state.identity == identity and not identity.racy(state.indexed_ns)

    def _believable(self) -> bool:
        if not self._path.is_file():
            return False
        try:
            with closing(connect(self._path)) as db:
                return read_meta(db, "fingerprint") == fingerprint(CATALOG)
        except sqlite3.DatabaseError as error:
            _log.warning("The index cannot be read (%s); it is built anew from the files.", error)
            return False

    def _sweep(self, database: Database, *, logs_only: bool) -> None:
        with database.reading() as db:
            known = load_files(db)
        for path in self.differing(database):
            if logs_only and path in known and not is_journal(path):
                continue
            try:
                self.finish_line(path)
                with database.writing() as db:
                    self._project(db, path, recovered=False)
            except DamagedTailError:
                self._engine.journal(path).recover()
                with database.writing() as db:
                    self._project(db, path, recovered=True)
            except (UnreadableError, InvalidError) as error:
                with database.writing() as db:
                    note_unreadable(db, path, error.message)
        with database.writing() as db:
            db.execute("INSERT OR REPLACE INTO meta(name, value) VALUES('boot', ?)", (boot_id(),))

    def _build(self) -> None:
        """Build a new index beside the old one and put it in its place; readers of the old one notice."""
        fs = self._engine.fs
        atomic.make_dirs(fs, self._folder, mode=0o700, sync=False)
        self._clear_drafts()
        draft = self._folder / f"{NAME}.{secrets.token_hex(4)}.tmp"
        # It will hold every secret's hash; what SQLite makes beside it takes its permissions from it.
        fs.close(fs.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        try:
            with closing(connect(draft, bulk=True)) as db:
                # No boot id yet: what changed while this was being built is found by the sweep that follows.
                every = statements(CATALOG)
                # Indexes are several times cheaper to make over full tables than to keep while these fill.
                late = [statement for statement in every if may_be_late(statement)]
                create(
                    db,
                    [statement for statement in every if statement not in late],
                    {"fingerprint": fingerprint(CATALOG)},
                )
                db.execute("BEGIN")
                texts.expect_many(db, CATALOG.values())
                for path in self.paths():
                    self._project_new(db, path)
                texts.all_came(db, CATALOG.values())
                for statement in late:
                    db.execute(statement)
                db.execute("COMMIT")
                db.execute("PRAGMA journal_mode=WAL")
            _sync(fs, draft)
            with self._engine.locks.lock_of(WRITER_LOCK).hold():
                # The old log must go with the old file: SQLite would replay it over the new one.
                for name in (NAME, f"{NAME}-wal", f"{NAME}-shm"):
                    atomic.remove_file(fs, self._folder / name)
                atomic.move(fs, draft, self._path)
            self._engine.epochs.tell_all()
        finally:
            self._clear_drafts()

    def _clear_drafts(self) -> None:
        """Remove what this build, or one that was killed, left; the start lock is held."""
        for path in self._folder.glob(f"{NAME}.*.tmp*"):
            with suppress(FileNotFoundError):
                path.unlink()

    def _project_new(self, db: sqlite3.Connection, path: str) -> None:
        try:
            self.finish_line(path)
            self._project(db, path, recovered=False)
        except DamagedTailError:
            self._engine.journal(path).recover()
            self._tails.forget(db, path)
            self._project(db, path, recovered=True)
        except (UnreadableError, InvalidError) as error:
            # One file that the system refuses hides its own records and no others.
            note_unreadable(db, path, error.message)

    def finish_line(self, path: str) -> None:
        """Have a journal's last line ended or set aside: what an editor left without a line break is a record too."""
        identity = self._tails.identity(path) if is_journal(path) else None
        size = 0 if identity is None else identity.size
        if size > 0 and self._engine.read_bytes(path, size - 1, 1) != b"\n":
            self._engine.journal(path).recover()

    def _project(self, db: sqlite3.Connection, path: str, *, recovered: bool) -> None:
        if is_journal(path):
            self._tails.project(db, path, recovered=recovered)
        else:
            self._whole.project(db, path)

    def paths(self) -> Iterator[str]:
        """Yield every file of the catalog that may exist, users and tags before what refers to them."""
        seen: set[str] = set()
        for kind in CATALOG.values():
            home = kind.home
            names: list[str] = []
            if isinstance(home, (OwnFile, LinesPerParent)):
                names = [f"{home.folder}/{name}" for name in self._engine.list(home.folder)]
            elif isinstance(home, InMember):
                names = [home.path, *(f"{home.also}/{name}" for name in self._engine.list(home.also))]
            else:
                names = [home.path]
            for path in names:
                if path not in seen and kinds_in(path):
                    seen.add(path)
                    yield path


def _sync(fs: FileSystem, path: Path) -> None:
    descriptor = fs.open(path, os.O_RDWR)
    try:
        atomic.sync_file(fs, descriptor)
    finally:
        fs.close(descriptor)


def boot_id() -> str:
    """Return what names this run of the machine, empty where that is not known."""
    try:
        return _BOOT_ID.read_text().strip()
    except OSError:
        # Elsewhere than on Linux every opening counts as a new boot: slower, never wrong.
        return ""
