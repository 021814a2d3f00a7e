"""Keeping the index in step with the files: what is checked before a row is believed, and what follows a write.

Journals cost a reader one stat; their new lines are projected by whoever sees them first. A whole-file document is
compared by its identity when it is one of few (arrays, the users' settings) or asked for by id; for collections of one
file each, lists trust the index, which every writer keeps, and a sweep finds what was edited by hand.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from ..errors import BusyError, CalotypeError, InvalidError, UnreadableError
from ..files.ballast import Ballast
from ..index.database import Database, IndexLostError
from ..index.projector import Projector
from ..index.state import Problem, clear_pending, load_file, load_pending, load_problems, note_pending
from ..schemas.catalog import CATALOG
from ..schemas.homes import InMember, Lines, LinesPerParent, OwnFile
from .evaluate import Effect
from .opening import IndexFile
from .places import checked_id, fixed_path, is_journal, kinds_in
from .tails import DamagedTailError, Tails
from .whole import WholeFiles

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from ..clock import Clock
    from ..files.engine import FileEngine
    from ..files.identity import FileIdentity
    from ..schemas.catalog import Kind

T = TypeVar("T")
J = TypeVar("J", bound="Effect | CalotypeError")

_log = logging.getLogger("calotype.index")

NOTE_AGE_NS = 100_000_000
"""A pending note older than this may be a dead writer's; its lock is probed (protocols.md, "The index")."""

_ATTEMPTS = 10


class Projection:
    """The index and the ways into it, with what this process knows to be in step already.

    Args:
        engine: the file engine.
        clock: the time in documents that are written.
        cache_dir: the folder of the index.

    Attributes:
        ballast: let go where the index has no room to follow the files: nothing could be answered without that.
    """

    def __init__(self, engine: FileEngine, clock: Clock, cache_dir: Path) -> None:
        projector = Projector()
        self.engine = engine
        self.tails = Tails(engine, projector)
        self.whole = WholeFiles(engine, projector, clock)
        self._file = IndexFile(engine, self.tails, self.whole, cache_dir)
        self.ballast = Ballast(engine.fs, [engine.paths.resolve("locks"), cache_dir])
        self._seen: dict[str, FileIdentity | None] = {}
        self._mutex = threading.RLock()
        self.database: Database = self._file.open()
        with self.database.reading() as db:
            # Known to be due, however young: nothing here was acknowledged to a reader of this process yet.
            self._due = set(load_pending(db))

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Lend a connection of the index as it now is."""
        with self.database.reading() as db:
            yield db

    def answer(self, question: Callable[[], T]) -> T:
        """Ask something of the index; when its file was deleted or replaced, open it anew and ask again."""
        for _ in range(_ATTEMPTS - 1):
            database = self.database
            try:
                return question()
            except IndexLostError as error:
                self._reopen(database, rebuild=error.damaged)
        return question()

    def refresh(self, kind: Kind, key: str | None = None) -> None:
        """Make the index fit to answer for one record, or (key None) for a list of its kind.

        Raises:
            NotFoundError: the key can name no record.
            UnreadableError: the one file that holds all records of this kind cannot be read.
            BusyError: a damaged journal could not be locked for its repair.
        """
        self._settle_notes()
        for path in self._paths(kind, key):
            self.follow(path)
        if not isinstance(kind.home, (OwnFile, Lines, LinesPerParent)):
            self._refuse_unreadable(kind, kind.home.path)

    def refresh_sources(self) -> None:
        """Make the index fit to answer who refers to what, or mentions it."""
        for kind in CATALOG.values():
            if kind.refs or kind.mentions:
                self.refresh(kind)

    def follow(self, path: str) -> None:
        """Make the index say what one file says."""
        identity = self.tails.identity(path)
        if path in self._seen and self._seen[path] == identity:
            return
        with self.database.reading() as db:
            state = load_file(db, path)
        if (None if state is None else state.identity) == identity:
            self.saw(path, identity)
        elif is_journal(path):
            self.saw(path, self.ballast.spared(lambda: self._follow_journal(path)))
        else:
            self.ballast.spared(lambda: self._project_whole(path))

    def follow_locked(self, path: str) -> None:
        """Do the same for a journal whose lock the caller holds and whose tail was recovered."""
        identity = self.tails.identity(path)
        if path not in self._seen or self._seen[path] != identity:
            self._seen[path] = self.ballast.spared(lambda: self._project_journal(path, recovered=True))

    def saw(self, path: str, identity: FileIdentity | None) -> None:
        """Remember that the index speaks of a file with this identity; absent ones are asked for without end."""
        if identity is None:
            self._seen.pop(path, None)
        else:
            self._seen[path] = identity

    def write_whole(self, path: str, judge: Callable[[], list[J]]) -> list[J]:
        """Change the records of one whole-file document: note, truth, then index; see the contract for errors.

        Args:
            path: the document.
            judge: judges the changes under the lock; what it answers beside effects is passed through.
        """
        with self.engine.locks.lock_of(path).hold():
            with self.database.writing() as db:
                note_pending(db, [path])
            try:
                self.follow(path)
                self.check_readable(path)
                document = self.whole.load(path)
                effects = judge()
                busy = [effect for effect in effects if isinstance(effect, Effect) and not effect.idle]
                identity = self.whole.write(path, document, busy) if busy else self.whole.identity(path)
            except BaseException:
                # The file may or may not have changed; with the lock held, looking at it settles it.
                self.settle(path)
                raise
            if self.attempt(path, lambda db: self.whole.project_effects(db, path, identity, busy)):
                self.saw(path, identity)
            return effects

    def attempt(self, what: str, step: Callable[[sqlite3.Connection], None], *, reopen: bool = True) -> bool:
        """Run a step on the index after the truth is durable; a failure is logged, not raised: files are the truth.

        Args:
            what: the file it is about.
            step: writes to the index.
            reopen: open a lost index anew for it. Not under a journal's lock: whoever opens it may need that lock.
        """

        def write() -> None:
            with self.database.writing() as db:
                step(db)

        try:
            if reopen:
                self.answer(lambda: self.ballast.spared(write))
            else:
                self.ballast.spared(write)
        except (sqlite3.Error, CalotypeError, OSError) as error:
            self._seen.pop(what, None)
            self._due.add(what)
            self.engine.epochs.tell_all()  # nobody knows of what
            _log.warning("The index could not take %s (%s); the next reader brings it up to date.", what, error)
            return False
        return True

    def settle(self, path: str) -> None:
        """Make the index say what a whole-file document says now; the caller holds its lock."""
        if self.attempt(path, partial(self._settle_locked, path=path)):
            self._due.discard(path)

    def sweep(self) -> list[Problem]:
        """Compare every file with the index and project those that differ; return those that cannot be looked at.

        Raises:
            UnreadableError: a folder cannot be listed.
        """
        failed = []
        for path in self._file.differing(self.database):
            try:
                if is_journal(path):
                    self._file.finish_line(path)
                    self.follow(path)
                else:
                    self._project_whole(path)  # also where it looks the same: it may be too young for a change to show
            except (UnreadableError, InvalidError) as error:
                _log.warning("%s cannot be looked at: %s", path, error.message)
                failed.append(Problem(path, -1, kinds_in(path)[0].name, "", "unreadable", error.message))
        return failed

    def paths(self) -> list[str]:
        """Return every file of the catalog that is there, as far as names tell."""
        return list(self._file.paths())

    def rebuild(self) -> None:
        """Make the index anew from the files."""
        self._reopen(self.database, rebuild=True)

    def close(self) -> None:
        """Close the index."""
        self.database.close()

    def _paths(self, kind: Kind, key: str | None) -> list[str]:
        home = kind.home
        if isinstance(home, InMember):
            further = [home.path_of(checked_id(kind, key))] if key is not None and kind.name == "user" else []
            return [home.path, *further]
        if key is None and isinstance(home, (OwnFile, LinesPerParent)):
            return []
        path = fixed_path(kind, key or "")
        return [] if path is None else [path]

    def _project_whole(self, path: str) -> None:
        with self.database.writing() as db:
            identity = self.whole.project(db, path)
        self.saw(path, identity)

    def _follow_journal(self, path: str) -> FileIdentity | None:
        try:
            return self._project_journal(path, recovered=False)
        except DamagedTailError:
            self.engine.journal(path).recover()
            return self._project_journal(path, recovered=True)

    def _project_journal(self, path: str, *, recovered: bool) -> FileIdentity | None:
        with self.database.writing() as db:
            return self.tails.project(db, path, recovered=recovered)

    def _settle_notes(self) -> None:
        with self.database.reading() as db:
            notes = load_pending(db)
        for path, noted in notes.items():
            lock = self.engine.locks.lock_of(path)
            # A held lock means a writer at work: its old row is served until it is done.
            if (path in self._due or time.time_ns() - noted > NOTE_AGE_NS) and lock.probe():
                try:
                    with lock.hold():
                        self.settle(path)
                except BusyError as error:
                    _log.warning("%s was left unfinished and cannot be looked at yet: %s", path, error.message)

    def _settle_locked(self, db: sqlite3.Connection, path: str) -> None:
        self._seen.pop(path, None)
        self.whole.project(db, path)
        clear_pending(db, path)

    def check_readable(self, path: str) -> None:
        """Return when a whole-file document can be read, as far as the index knows.

        Raises:
            UnreadableError: it cannot, so it must not be written over.
        """
        for kind in kinds_in(path):
            self._refuse_unreadable(kind, path)

    def _refuse_unreadable(self, kind: Kind, path: str) -> None:
        with self.database.reading() as db:
            problems = load_problems(db, path)
        for problem in problems:
            if problem.kind == kind.name and problem.place < -1 and problem.problem == "unreadable":
                raise UnreadableError(f"{path} cannot be read: {problem.reason}", path=path)

    def _reopen(self, lost: Database, *, rebuild: bool = False) -> None:
        with self._mutex:
            if self.database is lost:
                # Closed last: while the new one is being built, others read the old one, or find that it is gone.
                self.database = self._file.open(rebuild=rebuild)
                self._seen.clear()
                lost.close()
