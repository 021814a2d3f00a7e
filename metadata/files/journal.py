"""One append log: durable group commits, reading, recovery, compaction."""

from __future__ import annotations

import os
import time
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Protocol, TypeVar
from weakref import WeakMethod

from ..errors import BusyError, NotFoundError, StaleError, UnreadableError
from . import atomic
from .appender import Appender
from .batch import Batch
from .compaction import Moves, Recall, Replace, Rewrite, Source
from .group import Group
from .identity import FileIdentity, identity_of
from .lines import Damage, Line, read_exactly, read_line, scan
from .recovery import damages
from .trouble import told

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .bundle import Bundle

__all__ = ["Batch", "Damage", "Hooks", "Journal", "Line", "Moves", "NoHooks", "Recall"]

T = TypeVar("T")

_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
_ATTEMPTS = 5


class Hooks(Protocol):
    """What the owner of a journal does around each group commit, under the journal's lock."""

    def locked(self, batch: Batch) -> None:
        """Run before the first work, when the tail is sound; what it raises fails the whole group."""

    def durable(self, batch: Batch) -> None:
        """Run when the lines are written and synced as the durability level says."""


def _weakly(perform: Callable[[float], None]) -> Callable[[float], None]:
    """Return a call of a method that does not keep its object alive.

    A journal and its queue would keep each other, and its open file with them, until the collector comes by: a process
    that goes through the logs of a thousand chats runs out of descriptors before that.
    """
    method = WeakMethod(perform)

    def call(born: float) -> None:
        found = method()
        if found is not None:  # it always is: whoever waits in the queue holds the journal
            found(born)

    return call


class NoHooks:
    """Does nothing."""

    def locked(self, batch: Batch) -> None:
        """Do nothing."""

    def durable(self, batch: Batch) -> None:
        """Do nothing."""


class Journal:
    """One JSONL file as an append log, for any number of threads and processes.

    Args:
        path: the relative path.
        engine: the store's file engine, or the part of it that a journal needs.
        hooks: what its owner does around each commit.
    """

    def __init__(self, path: str, engine: Bundle, hooks: Hooks | None = None) -> None:
        self.path = path
        self.hooks: Hooks = hooks or NoHooks()
        self._fs = engine.fs
        self._flusher = engine.flusher
        self._file = engine.paths.resolve(path)
        self._mode = engine.mode_of(path)
        self._lock = engine.locks.lock_of(path)
        self._timeout_ms = engine.lock_timeout_ms
        self._appender = Appender(path, engine)
        self._group = Group(_weakly(self._perform))
        self._pid = os.getpid()

    def commit(self, work: Callable[[Batch], T]) -> T:
        """Append what `work` stages, durably, together with what others stage meanwhile; return what it returned.

        Args:
            work: judges and stages; it runs under the journal's lock, maybe on another caller's thread. What it
                raises reaches its caller alone, and none of its lines is written.

        Raises:
            BusyError: the lock was not free in time.
            FullError: no room; nothing of the group is written.
            UnreadableError: the disk refused; nothing of the group counts as written.
        """
        if self._pid != os.getpid():  # a fork: the queue's threads stayed behind
            self._pid = os.getpid()
            self._group = Group(_weakly(self._perform))
        return self._group.run(work)

    def read(
        self, start: int = 0, *, identity: tuple[int, int] | FileIdentity | None = None
    ) -> Iterator[Line | Damage]:
        """Yield the lines from offset `start` up to the last line break; nothing when the journal is absent.

        Args:
            start: the offset of a line.
            identity: the file that the offset belongs to.

        Raises:
            StaleError: the journal is another file than `identity` now.
            UnreadableError: it cannot be read.
        """
        try:
            with self._reading(identity) as descriptor:
                yield from scan(self._fs, descriptor, self.path, start)
        except NotFoundError:
            return

    def read_at(self, offset: int, length: int, *, identity: tuple[int, int] | FileIdentity | None = None) -> Line:
        """Return the line at a place.

        Args:
            offset: the byte it begins at.
            length: bytes, with its line break.
            identity: the file that the offset belongs to.

        Raises:
            NotFoundError: there is no journal.
            StaleError: as `read`.
            UnreadableError: no sound line is there.
        """
        with self._reading(identity) as descriptor:
            raw = read_exactly(self._fs, descriptor, length, offset)
        if len(raw) < length or not raw.endswith(b"\n"):
            raise UnreadableError(f"{self.path} has no line of {length} bytes at byte {offset}.", path=self.path)
        item = read_line(self.path, offset, offset + length, raw[:-1])
        if isinstance(item, Damage):
            raise UnreadableError(f"{self.path}, byte {offset}: {item.reason}", path=self.path)
        return item

    def recover(self) -> list[Damage]:
        """Repair a torn tail, read the whole journal and return what was or is wrong with it; rot is left in place.

        A thread that holds the journal's lock already goes on holding it.

        Raises:
            BusyError: the lock was not free in time.
            FullError: no room in quarantine.
            UnreadableError: the journal cannot be read, or not repaired.
        """
        with nullcontext() if self._lock.held else self._lock.hold(), told(self.path, "recovered"):
            found = self._appender.recover()
            if found is None:
                return []
            handle, torn = found
            return [*torn, *damages(self._fs, handle.descriptor, self.path)]

    def stat(self) -> FileIdentity | None:
        """Return the journal's identity, None when it is absent.

        Raises:
            UnreadableError: it cannot be looked at.
        """
        with told(self.path, "looked at"):
            return identity_of(self._fs, self._file)

    def sound_end(self) -> FileIdentity | None:
        """Repair a torn tail and return the journal's identity, whose size is then a sound offset; None when absent.

        What stands before that offset never changes while the identity's `file` is the one that the path names.

        Raises:
            BusyError, FullError, UnreadableError: as `recover`.
        """
        with self._lock.hold(), told(self.path, "looked at"):
            if identity_of(self._fs, self._file) is None:
                return None
            self._appender.writable()
            return identity_of(self._fs, self._file)

    def compact(self, rewrite: Rewrite, replace: Replace | None = None) -> None:
        """Replace the journal by what `rewrite` makes of it; writers go on meanwhile, and their lines are kept.

        Args:
            rewrite: reads all the lines it is given and yields what shall stand there: records (written with a check
                value), bytes (written as they are), or lines and damage it was given (foreign, altered and damaged
                ones byte for byte). It is called again when the journal was replaced meanwhile.
            replace: does the replacing, for an owner who has more to do then; see `Replace`.

        Raises:
            BusyError: the lock was not free, or the journal was replaced again and again.
            FullError: no room; the journal is as it was.
            UnreadableError: the disk refused; the journal is as it was.
        """
        for _ in range(_ATTEMPTS):
            if self._compacted(rewrite, replace or _replace):
                return
        raise BusyError(f"{self.path} was replaced each time it was being compacted.", path=self.path)

    def close(self) -> None:
        """Sync what waits for a sync, and close the file; a later commit opens it again.

        Raises:
            BusyError: the lock was not free in time.
            UnreadableError: the sync failed.
        """
        with self._lock.hold():
            self._appender.close()

    @contextmanager
    def _reading(self, identity: tuple[int, int] | FileIdentity | None) -> Iterator[int]:
        with told(self.path, "read"):
            try:
                descriptor = self._fs.open(self._file, _READ)
            except (FileNotFoundError, NotADirectoryError) as error:
                raise NotFoundError(f"There is no {self.path}.", path=self.path) from error
            try:
                expected = identity.file if isinstance(identity, FileIdentity) else identity
                if expected is not None and FileIdentity.of(self._fs.fstat(descriptor)).file != expected:
                    raise StaleError(f"{self.path} was rewritten meanwhile.", path=self.path)
                yield descriptor
            finally:
                self._fs.close(descriptor)

    def _perform(self, born: float) -> None:
        waited_ms = int((time.monotonic() - born) * 1000)
        with self._lock.hold(max(0, self._timeout_ms - waited_ms)):
            with told(self.path, "opened for writing"):
                handle = self._appender.writable()
            batch = Batch(handle.end, handle.file, handle.end if self._flusher.every_append else handle.synced)
            try:
                self.hooks.locked(batch)
                for ticket in self._group.take():
                    ticket.run(batch)
                if batch.count:
                    self._appender.append(handle, batch)
            finally:
                self._appender.settle(handle)
            if batch.count:
                self.hooks.durable(batch)

    def _compacted(self, rewrite: Rewrite, replace: Replace) -> bool:
        with self._lock.hold(), told(self.path, "compacted"):
            if identity_of(self._fs, self._file) is None:
                return True
            handle = self._appender.writable()
            file, limit = handle.file, handle.end  # what comes later may still be taken back by its writer
        try:
            with self._reading(file) as descriptor, atomic.Draft(self._fs, self._file, mode=self._mode) as draft:
                source = Source(self._fs, descriptor, self.path)
                source.copy(rewrite(source.lines(0, limit)), draft)
                if self._flusher.whole_files:
                    draft.settle()  # most of it; what is left for the rename's own sync is short
                return self._replaced(source, draft, (file, limit), replace)
        except (NotFoundError, StaleError):
            return False

    def _replaced(
        self, source: Source, draft: atomic.Draft, copied: tuple[tuple[int, int], int], replace: Replace
    ) -> bool:
        file, limit = copied
        with self._lock.hold():
            handle = self._appender.writable()
            if handle.file != file:
                self._appender.settle(handle)
                return False
            source.copy(source.lines(limit, handle.end), draft)

            def publish() -> None:
                draft.publish(sync=self._flusher.whole_files)
                self._appender.drop()

            replace(source.moves, publish)
            return True


def _replace(moves: Moves, publish: Callable[[], None]) -> None:
    del moves
    publish()
