"""Whole-file documents and the index: reading one anew, and writing one.

Write: under the document's lock note the path as pending, write the file, then bring the index up to date and clear
the note in one transaction. A note that stays behind makes the next reader look at the file itself.
"""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, cast

from ..clock import Clock, timestamp
from ..errors import InvalidError, NotFoundError, UnreadableError
from ..files.identity import FileIdentity, identity_of
from ..index.projector import Projector, Source
from ..index.state import (
    FileState,
    Problem,
    clear_pending,
    clear_problems,
    drop_file,
    save_file,
    save_problem,
)
from ..index.tables import table_of
from ..schemas.catalog import Kind, kinds_of_path
from ..schemas.homes import OwnFile
from .places import Document, kinds_in, place, record_key, records_in

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Sequence

    from ..files.engine import FileEngine
    from .contract import Record
    from .evaluate import Effect

Key = tuple[str, str]


class WholeFiles:
    """Projects whole-file documents into the index and writes them."""

    def __init__(self, engine: FileEngine, projector: Projector, clock: Clock) -> None:
        self._engine = engine
        self._projector = projector
        self._clock = clock

    def identity(self, path: str) -> FileIdentity | None:
        """Return a file's identity, None when it is absent."""
        return identity_of(self._engine.fs, self._engine.paths.resolve(path))

    def project(self, db: sqlite3.Connection, path: str) -> FileIdentity | None:
        """Bring the index in step with the file, inside a write transaction; return the identity it now speaks of.

        No lock is needed: files change by rename alone, every writer projects in a transaction of its own after it,
        and the identity is compared again here after reading. What the system refused to read is not taken for known:
        the answer is None, and whoever opens the folder or sweeps it looks again.
        """
        while True:
            identity = self.identity(path)
            clear_problems(db, path)
            if identity is None:
                self._projector.forget_path(db, kinds_in(path), path)
                drop_file(db, path)
                return None
            try:
                records = self._read(db, path)
            except UnreadableError as error:
                self._projector.forget_path(db, kinds_in(path), path)
                drop_file(db, path)
                note_unreadable(db, path, error.message)
                return None
            if self.identity(path) == identity:
                self._replace(db, path, records)
                save_file(db, FileState(path, identity, time.time_ns()))
                return identity

    def load(self, path: str) -> Document | None:
        """Return the parsed document, None when the file is absent.

        Raises:
            UnreadableError: it cannot be read or parsed.
        """
        try:
            return cast("Document", self._engine.read_document(path).value)
        except NotFoundError:
            return None

    def write(self, path: str, document: Document | None, effects: Sequence[Effect]) -> FileIdentity | None:
        """Write a document after these effects, under its lock; return its identity, None when the file went."""
        now = timestamp(self._clock.now())
        for effect in effects:
            document = place(path, document, effect.kind, effect.key, effect.after, now)
        if document is None:
            self._engine.remove(path)
            return None
        return self._engine.write_document(path, document, stamp=isinstance(document, dict))

    def project_effects(
        self, db: sqlite3.Connection, path: str, identity: FileIdentity | None, effects: Sequence[Effect]
    ) -> None:
        """Bring the index in step with a write just made under the lock, and clear its note."""
        for effect in effects:
            if effect.after is None:
                self._projector.remove(db, effect.kind, effect.key)
            else:
                self._projector.upsert(db, effect.kind, effect.key, effect.after, Source(path))
        if effects:
            clear_problems(db, path, "altered")  # what was written carries a check value that fits
        if identity is None:
            drop_file(db, path)
        else:
            save_file(db, FileState(path, identity, time.time_ns()))
        clear_pending(db, path)

    def _read(self, db: sqlite3.Connection, path: str) -> dict[Key, tuple[Kind, Record]]:
        """Return the sound records of a file, and note what is wrong with it.

        Raises:
            UnreadableError: the system refused to read it.
        """
        try:
            document = self._engine.read_document(path)
        except NotFoundError:
            return {}
        except UnreadableError as error:
            if "errno" in error.details:
                raise
            note_unreadable(db, path, error.message)
            return {}
        found: dict[Key, tuple[Kind, Record]] = {}
        note = _Notes(db, path)
        try:
            for kind, record in records_in(path, cast("Document", document.value)):
                key = record_key(kind, record)
                # A document of many records was stamped with those in it that we left alone because they are bad.
                trusted = document.check == "sound" and isinstance(kind.home, OwnFile)
                if _sound(kind, key, record, note, trusted=trusted) and key is not None:
                    if (kind.name, key) in found:
                        note(kind, key, "duplicate", f"another record {key} stands before it")
                    else:
                        found[kind.name, key] = (kind, record)
        except UnreadableError as error:
            note_unreadable(db, path, error.message)
        if document.check == "altered":
            note(None, "", "altered", "its check value does not fit: it was edited by hand, or damaged")
        return found

    def _replace(self, db: sqlite3.Connection, path: str, records: dict[Key, tuple[Kind, Record]]) -> None:
        known: dict[Key, str] = {}
        for kind in kinds_in(path):
            rows = db.execute(f"SELECT key, body FROM {table_of(kind)} WHERE path = ?", (path,))
            known.update({(kind.name, key): body for key, body in rows})
            for name, key in known.keys() - records.keys():
                if name == kind.name:
                    self._projector.remove(db, kind, key)
        for (name, key), (kind, record) in records.items():
            if known.get((name, key)) != json.dumps(record, separators=(",", ":")):
                self._projector.upsert(db, kind, key, record, Source(path))


def note_unreadable(db: sqlite3.Connection, path: str, reason: str) -> None:
    """Note that a whole file cannot be read, for every kind of record that it holds."""
    for located in kinds_of_path(path):
        named = isinstance(located.kind.home, OwnFile) or located.kind.name == "user"
        key = located.variable if named else ""
        place_of_kind = -1 if key else -2 - kinds_in(path).index(located.kind)
        save_problem(db, Problem(path, place_of_kind, located.kind.name, key, "unreadable", reason))


class _Notes:
    """Notes findings about the records of one file, each at a place of its own."""

    def __init__(self, db: sqlite3.Connection, path: str) -> None:
        self._db = db
        self._path = path
        self._place = 0

    def __call__(self, kind: Kind | None, key: str, problem: str, reason: str) -> None:
        self._place += 1
        name = "" if kind is None else kind.name
        save_problem(self._db, Problem(self._path, self._place, name, key, problem, reason))


def _sound(kind: Kind, key: str | None, record: Record, note: Callable[..., None], *, trusted: bool) -> bool:
    if key is None:
        note(kind, "", "unreadable", f"a {kind.name} has no {' and '.join(kind.key)}")
        return False
    if trusted:
        return True
    try:
        kind.model.from_record(record)
    except InvalidError as error:
        note(kind, key, "unreadable", error.message)
        return False
    return True
