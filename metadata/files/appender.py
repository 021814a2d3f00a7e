"""The writing end of a journal: one kept descriptor, a sound tail, and failed writes taken back.

Every method is called with the journal's lock held.
"""

from __future__ import annotations

import logging
import os
import stat
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import InternalError
from . import atomic
from .identity import identity_of
from .lines import read_exactly
from .recovery import Repair, examine
from .trouble import as_ours, told

if TYPE_CHECKING:
    from .batch import Batch
    from .bundle import Bundle
    from .lines import Damage

_log = logging.getLogger("calotype.files")

_WRITE = os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK
_FAILED = stat.S_ISVTX
"""The mark on a journal whose sync failed. Every writer sees it in the stat it does anyway, and setting it needs no
room on a disk that may have none; on a plain file the bit means nothing else."""


@dataclass(slots=True)
class Handle:
    """The journal as this process last left it, open for writing.

    Attributes:
        descriptor: open for reading and writing.
        file: device and inode.
        end: its length in bytes with a sound tail; -1 while the tail has not been looked at.
        synced: the offset up to which it is known to be on the disk.
        created: it was made for the commit that is going on.
    """

    descriptor: int
    file: tuple[int, int]
    end: int
    synced: int
    created: bool = False


class Appender:
    """Keeps a journal open for appending.

    Args:
        path: the relative path.
        engine: the store's file engine, or the part of it that a journal needs.
    """

    def __init__(self, path: str, engine: Bundle) -> None:
        self.path = path
        self._fs = engine.fs
        self._flusher = engine.flusher
        self._file = engine.paths.resolve(path)
        self._mode = engine.mode_of(path)
        self._folder_mode = engine.folder_mode_of(path)
        self._repair = Repair(engine.fs, engine.paths.resolve("quarantine"), sync=engine.flusher.whole_files)
        self._handle: Handle | None = None

    def writable(self) -> Handle:
        """Return the handle of the file that the path names now, its tail sound; the file is made when it is missing.

        Raises:
            OSError: it cannot be opened, repaired, or written anew after a failed sync.
        """
        handle = self._open()
        found = self._fs.fstat(handle.descriptor)
        if found.st_mode & _FAILED:
            self._mend(handle, found.st_size)
            self._renew(handle, handle.end)
            handle = self._open()
            found = self._fs.fstat(handle.descriptor)
        if found.st_size != handle.end:
            self._mend(handle, found.st_size)
        return handle

    def recover(self) -> tuple[Handle, list[Damage]] | None:
        """Repair the tail of a journal that is there; return what was set aside, None when it is absent.

        Raises:
            OSError: it cannot be opened or repaired.
        """
        if identity_of(self._fs, self._file) is None:
            return None
        handle = self._open()
        return handle, self._mend(handle, self._fs.fstat(handle.descriptor).st_size)

    def append(self, handle: Handle, batch: Batch) -> None:
        """Write a batch and sync it as the durability level says.

        Raises:
            FullError: no room; nothing of it is there.
            UnreadableError: the disk refused; nothing of it counts as written.
        """
        try:
            atomic.write_all(self._fs, handle.descriptor, batch.data(), batch.start)
        except OSError as error:
            self._take_back(handle, batch.start, known=True)
            raise as_ours(error, self.path, "written") from error
        try:
            synced = self._flusher.after_append(handle.descriptor, self.path, batch.count)
        except OSError as error:
            self._take_back(handle, batch.start, known=False)
            raise as_ours(error, self.path, "synced") from error
        handle.end = batch.end
        if synced:
            handle.synced = batch.end

    def settle(self, handle: Handle) -> None:
        """Take away a journal that was made for a commit which then wrote nothing."""
        if handle.created and handle.end == 0 and self._handle is handle:
            self.drop()
            with told(self.path, "removed"):
                atomic.remove_file(self._fs, self._file, sync=False)
        handle.created = False

    def drop(self) -> None:
        """Close the file; it was replaced, or is not needed for now."""
        handle, self._handle = self._handle, None
        if handle is not None:
            self._fs.close(handle.descriptor)

    def close(self) -> None:
        """Sync what waits for a sync, and close.

        Raises:
            UnreadableError: the sync failed.
        """
        try:
            if self._handle is not None and self._flusher.pending(self.path):
                with told(self.path, "synced"):
                    self._flusher.sync_now(self._handle.descriptor)
        finally:
            self.drop()

    def __del__(self) -> None:
        """Close the file of a journal that nobody knows any more."""
        if getattr(self, "_handle", None) is not None:
            with suppress(OSError):
                self.drop()

    def _take_back(self, handle: Handle, start: int, *, known: bool) -> None:
        """Remove a failed write. After a failed sync nobody knows what the disk has: the file is written anew."""
        handle.end = start
        try:
            self._fs.ftruncate(handle.descriptor, start)
            if known:
                return
        except OSError:  # the failed write is still there: whoever writes the file anew leaves it out
            pass
        with suppress(OSError):
            mode = stat.S_IMODE(self._fs.fstat(handle.descriptor).st_mode)
            self._fs.fchmod(handle.descriptor, mode | _FAILED)
        with suppress(OSError):  # then the next writer, here or elsewhere, has to, or fails as well
            self._renew(handle, start)

    def _renew(self, handle: Handle, length: int) -> None:
        """Write the journal's first `length` bytes to a new file in its place."""
        with atomic.Draft(self._fs, self._file, mode=self._mode) as draft:
            done = 0
            while done < length:
                piece = read_exactly(self._fs, handle.descriptor, min(1 << 20, length - done), done)
                if not piece:
                    break
                draft.write(piece)
                done += len(piece)
            draft.publish()
        self.drop()

    def _mend(self, handle: Handle, size: int) -> list[Damage]:
        tail = examine(self._fs, handle.descriptor, self.path, size)
        for damage in tail.damage:
            _log.warning("%s, byte %d: %s It was set aside in quarantine/.", self.path, damage.offset, damage.reason)
        if tail.damage or tail.unfinished:
            size = self._repair.apply(handle.descriptor, tail, size)
        if handle.end < 0:
            handle.synced = tail.begin
        handle.synced = min(handle.synced, size)
        handle.end = size
        return list(tail.damage)

    def _open(self) -> Handle:
        found = identity_of(self._fs, self._file)
        handle = self._handle
        if handle is None or found is None or found.file != handle.file:
            self.drop()
            handle = self._handle = self._made() if found is None else self._opened(created=False)
        return handle

    def _made(self) -> Handle:
        atomic.make_dirs(self._fs, self._file.parent, mode=self._folder_mode, sync=self._flusher.whole_files)
        self._fs.close(self._fs.open(self._file, _WRITE | os.O_CREAT | os.O_EXCL, self._mode))
        if self._flusher.whole_files:
            atomic.sync_directory(self._fs, self._file.parent)
        return self._opened(created=True)

    def _opened(self, *, created: bool) -> Handle:
        descriptor = self._fs.open(self._file, _WRITE)
        found = self._fs.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            self._fs.close(descriptor)
            raise InternalError(f"{self.path} is not a file.")
        return Handle(descriptor, (found.st_dev, found.st_ino), -1, 0, created)
