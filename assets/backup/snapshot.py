"""The records of one moment, copied beside their writers.

All files are copied first while everybody goes on writing. Then the gate is held alone, so that nobody writes a record,
and what changed since is copied again: large journals from their last sound offset on, everything else whole. What
is so copied is the store of that one moment, operations over several files included: finished ones, and the notes of
those that go on in pieces. The pause lasts as long as looking at every file's identity takes, whatever their size.
"""

from __future__ import annotations

import os
import time
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from metadata.errors import InvalidError, UnreadableError
from metadata.files import atomic
from metadata.files.identity import FileIdentity, identity_of
from metadata.files.trouble import told
from metadata.schemas.catalog import CATALOG, kinds_of_path
from metadata.schemas.homes import Lines

from .copying import Opened, opened, pieces
from .manifest import FOLDERS, ROOT_FILES, check_path

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from metadata.files.engine import FileEngine

LARGE: Final = 8 * 1024 * 1024
"""A journal of so many bytes is copied on from where the copy ends; a smaller one is copied anew."""

_PAYLOADS: Final = "binaries"
_HOMES: Final = [kind.home for kind in CATALOG.values()]
_LOGS: Final = frozenset(home.path for home in _HOMES if isinstance(home, Lines) and home.path.startswith("binaries/"))
_NEW = os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW


@dataclass(frozen=True, slots=True)
class Copied:
    """One file's copy.

    Attributes:
        identity: the file's when it was copied.
        at_ns: when that was, nanoseconds since 1970.
        size: how many bytes were copied.
        sound: whether the file keeps these bytes for as long as it is that file.
    """

    identity: FileIdentity
    at_ns: int
    size: int
    sound: bool


@dataclass(slots=True)
class Snapshot:
    """The copies of one moment.

    Attributes:
        stage: the folder they lie in.
        files: their sizes by path; of a journal up to where it was sound.
        passed_over: names that are no plain files, or no names of files in a store.
    """

    stage: Path
    files: dict[str, int] = field(default_factory=dict)
    passed_over: list[str] = field(default_factory=list)


class Photographer:
    """Takes snapshots of one data folder.

    Args:
        engine: the file engine.
        stage: an empty folder for the copies.
        extra: further files, such as keys.
    """

    def __init__(self, engine: FileEngine, stage: Path, extra: tuple[str, ...] = ()) -> None:
        self._engine = engine
        self._fs = engine.fs
        self._stage = stage
        self._extra = extra
        self._copies: dict[str, Copied] = {}
        self._passed_over: list[str] = []
        self._prepared = False

    def prepare(self) -> None:
        """Copy everything beside the writers, so that little is left to be copied in the pause.

        Raises:
            FullError, UnreadableError: a file cannot be copied.
        """
        for path in self.paths():
            try:
                self._copy(path)
            except UnreadableError as error:
                if not isinstance(error.__cause__, FileNotFoundError):  # gone since it was listed
                    raise

    def finish(self) -> Snapshot:
        """Copy what changed; the caller holds the gate alone.

        Raises:
            BusyError, FullError, UnreadableError: a file cannot be copied.
        """
        self._prepared = True
        self._passed_over = [path for path in self._passed_over if path.startswith(f"{_PAYLOADS}/")]
        listed = list(self.paths())
        for path in listed:
            if not self._still(path):
                with self._lock(path):
                    self._copy(path)
        for path in self._copies.keys() - set(listed):
            del self._copies[path]
        return Snapshot(self._stage, {path: self._copies[path].size for path in listed}, self._passed_over)

    def _still(self, path: str) -> bool:
        copied = self._copies.get(path)
        with told(path, "looked at"):
            found = identity_of(self._fs, self._engine.paths.resolve(path))
        return copied is not None and copied.identity == found and not copied.identity.racy(copied.at_ns)

    def _lock(self, path: str) -> AbstractContextManager[None]:
        if path.endswith(".jsonl") and kinds_of_path(path):
            return nullcontext()  # its journal takes it
        return self._engine.locks.lock_of(path).hold() if kinds_of_path(path) else nullcontext()

    def _copy(self, path: str) -> None:
        known, at_ns = self._copies.get(path), time.time_ns()
        whole = self._sound_end(path)
        with told(path, "copied"), opened(self._fs, self._engine.paths.resolve(path)) as source:
            identity = FileIdentity.of(source.stat())
            sound = whole is not None and whole.file == identity.file
            size = whole.size if whole is not None and sound else identity.size
            goes_on = sound and known is not None and known.sound and known.identity.file == identity.file
            self._transfer(path, source, known.size if known is not None and goes_on else 0, size)
        self._copies[path] = Copied(identity, at_ns, size, sound)

    def _sound_end(self, path: str) -> FileIdentity | None:
        """Return up to where a journal of ours is sound; None for other files, and small ones that nobody writes."""
        if not path.endswith(".jsonl") or not kinds_of_path(path):
            return None
        with told(path, "looked at"):
            found = identity_of(self._fs, self._engine.paths.resolve(path))
        # Its lock is not taken for nothing: there is a journal for every chat.
        if found is None or (found.size < LARGE and path not in self._copies):
            return None
        return self._engine.journal(path).sound_end()

    def _transfer(self, path: str, source: Opened, start: int, size: int) -> None:
        place = self._stage / path
        atomic.make_dirs(self._fs, place.parent, mode=0o700, sync=False)
        target = self._fs.open(place, _NEW, 0o600)
        try:
            self._fs.ftruncate(target, start)
            if start == 0 and self._cloned(source, target, size):
                return
            at = start
            for piece in pieces(source.part(start, size)):
                atomic.write_all(self._fs, target, piece, at)
                at += len(piece)
            if at != size:
                raise UnreadableError(f"{path} became shorter while it was copied; try again.", path=path)
        finally:
            self._fs.close(target)

    def _cloned(self, source: Opened, target: int, size: int) -> bool:
        try:
            self._fs.clone(source.descriptor, target)
        except OSError:  # most file systems have no such call, or the two are not on one
            return False
        if self._fs.fstat(target).st_size < size:
            return False
        self._fs.ftruncate(target, size)  # what was appended since is not wanted
        return True

    def paths(self) -> Iterator[str]:
        """Yield the paths of the files that are taken.

        Raises:
            UnreadableError: a folder cannot be listed.
        """
        for path in (*ROOT_FILES, *self._extra):
            with told(path, "looked at"):
                if identity_of(self._fs, self._engine.paths.resolve(path)) is not None:
                    yield path
        for folder in FOLDERS:
            yield from self._beside_payloads() if folder == _PAYLOADS and self._prepared else self._below(folder)

    def _beside_payloads(self) -> Iterator[str]:
        """Yield the files beside the payloads' folders without listing these: there may be a million, and all wait."""
        known = {path for path in self._copies if path.startswith(f"{_PAYLOADS}/")}
        for path in sorted(known | _LOGS):
            with told(path, "looked at"):
                if identity_of(self._fs, self._engine.paths.resolve(path)) is not None:
                    yield path

    def _below(self, folder: str) -> Iterator[str]:
        with told(folder, "listed"):
            try:
                entries = sorted(self._fs.scandir(self._engine.paths.root / folder), key=lambda entry: entry.name)
            except FileNotFoundError:
                return
        for entry in entries:
            path = f"{folder}/{entry.name}"
            if entry.name.endswith((".lock", ".tmp")):
                continue
            if entry.is_dir(follow_symlinks=False):
                if folder != _PAYLOADS:
                    yield from self._below(path)
            elif not entry.is_file(follow_symlinks=False) or not self._plain(path):
                self._passed_over.append(path.encode(errors="backslashreplace").decode())
            else:
                yield path

    def _plain(self, path: str) -> bool:
        try:
            self._engine.paths.resolve(check_path(path))
        except InvalidError:
            return False
        return True
