"""The file engine: everything that reads and writes one data folder, in one bundle that is handed around."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, Self

from ..clock import Clock, SystemClock
from ..errors import NotFoundError, UnreadableError
from . import atomic
from .bundle import SECRET_FOLDERS, Bundle
from .cache import Document, DocumentCache
from .codec import decode_document, encode_document
from .epochs import Epochs
from .filesystem import FileSystem
from .flush import Durability, Flusher
from .identity import FileIdentity, identity_of
from .journal import Hooks, Journal
from .kept import Kept
from .lines import read_exactly
from .locks import Locks
from .paths import DataPaths
from .trouble import told

if TYPE_CHECKING:
    from pathlib import Path

_KEPT_JOURNALS = 64
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK

__all__ = ["SECRET_FOLDERS", "Document", "FileEngine"]


class FileEngine(Bundle):
    """Reads and writes documents and journals of one data folder.

    Args:
        paths: the folder.
        fs: the file system.
        locks: the folder's locks.
        flusher: the durability.
        clock: the time.
        cache: parsed documents.
        lock_timeout_ms: how long a journal's commit waits for its lock, milliseconds.

    The arguments are public attributes.

    Attributes:
        epochs: whether what was read of payloads may still be told.
    """

    def __init__(
        self,
        paths: DataPaths,
        fs: FileSystem,
        locks: Locks,
        flusher: Flusher,
        clock: Clock,
        cache: DocumentCache,
        lock_timeout_ms: int = 5000,
    ) -> None:
        super().__init__(paths, fs, locks, flusher, clock, lock_timeout_ms)
        self.cache = cache
        self.epochs = Epochs(fs, paths)
        self._journals: Kept[Journal] = Kept(lambda path: Journal(path, self), _KEPT_JOURNALS)

    @classmethod
    def open(
        cls,
        root: Path,
        *,
        lock_timeout_ms: int = 5000,
        fsync_interval: int = 10,
        durability: Durability | str = Durability.FULL,
        enable_cache: bool = True,
        fs: FileSystem | None = None,
        clock: Clock | None = None,
    ) -> Self:
        """Put an engine together; nothing is read or written yet.

        Args:
            root: the data folder, there or not.
            lock_timeout_ms: how long locks are waited for, milliseconds.
            fsync_interval: appends per sync at durability `batch`.
            durability: what an acknowledged write survives.
            enable_cache: keep parsed documents in memory.
            fs: the file system; None is the machine's.
            clock: the time; None is the machine's.
        """
        fs = fs or FileSystem()
        clock = clock or SystemClock()
        paths = DataPaths(root)
        return cls(
            paths,
            fs,
            Locks(paths, lock_timeout_ms, clock, fs),
            Flusher(fs, Durability(durability), fsync_interval),
            clock,
            DocumentCache(enabled=enable_cache),
            lock_timeout_ms,
        )

    def journal(self, path: str, hooks: Hooks | None = None) -> Journal:
        """Return the journal of a path, the same object while anybody holds it.

        Args:
            path: the relative path; the file need not exist.
            hooks: replaces the journal's hooks when given.

        Raises:
            InvalidError: no path in the data folder.
        """
        journal = self._journals.get(path)
        if hooks is not None:
            journal.hooks = hooks
        return journal

    def read_document(self, path: str) -> Document:
        """Read a whole-file document.

        Raises:
            InvalidError: no path in the data folder.
            NotFoundError: there is no such file.
            UnreadableError: it cannot be read, or is not JSON.
        """
        found = identity_of(self.fs, self.paths.resolve(path))
        kept = self.cache.get(path, found) if found is not None else None
        return kept or self._read_document(path)

    def write_document(self, path: str, value: object, *, stamp: bool) -> FileIdentity:
        """Write a whole-file document durably; the caller holds its lock if others may write it.

        Args:
            path: the relative path; its folder is made when it is missing.
            value: any JSON value.
            stamp: add a check value; only an object can carry it.

        Raises:
            FullError: no room; the old file is as it was.
            InvalidError: no path in the data folder, or no JSON value.
            UnreadableError: the disk refused; the old file is as it was.
        """
        return self.write_bytes(path, encode_document(value, stamp=stamp))

    def write_bytes(self, path: str, data: bytes) -> FileIdentity:
        """Write a whole file durably, with the permissions of its folder.

        Raises:
            FullError: no room; the old file is as it was.
            InvalidError: no path in the data folder.
            UnreadableError: the disk refused; the old file is as it was.
        """
        file = self.paths.resolve(path)
        with told(path, "written"):
            sync = self.flusher.whole_files
            atomic.make_dirs(self.fs, file.parent, mode=self.folder_mode_of(path), sync=sync)
            identity = atomic.write_whole(self.fs, file, data, mode=self.mode_of(path), sync=sync)
        self.cache.forget(path)
        return identity

    def read_bytes(self, path: str, offset: int = 0, length: int | None = None) -> bytes:
        """Return a file's bytes.

        Args:
            path: the relative path.
            offset: where to begin.
            length: how many; fewer come at the end of the file. None reads to the end.

        Raises:
            InvalidError: no path in the data folder.
            NotFoundError: there is no such file.
            UnreadableError: it cannot be read.
        """
        return self._read(path, offset, length)[0]

    def bring_to_disk(self, path: str) -> None:
        """Bring to the disk what was written to a file, by whichever process.

        What is absent, cannot be opened or is no file is left to whoever reads it.

        Raises:
            InvalidError: no path in the data folder.
            UnreadableError: it cannot be synced.
        """
        try:
            descriptor = self.fs.open(self.paths.resolve(path), _READ)
        except OSError:
            return
        try:
            with told(path, "synced"):
                if stat.S_ISREG(self.fs.fstat(descriptor).st_mode):
                    atomic.sync_data(self.fs, descriptor)
        finally:
            self.fs.close(descriptor)

    def remove(self, path: str) -> None:
        """Remove a file durably; absent is no error.

        Raises:
            InvalidError: no path in the data folder.
            UnreadableError: it cannot be removed.
        """
        file = self.paths.resolve(path)
        with told(path, "removed"):
            atomic.remove_file(self.fs, file, sync=self.flusher.whole_files)
        self.cache.forget(path)

    def list(self, folder: str) -> list[str]:
        """Return the names in a folder, sorted, without lock files and temporary ones; absent is empty.

        Raises:
            InvalidError: no path in the data folder.
            UnreadableError: it cannot be read.
        """
        place = self.paths.resolve(folder) if folder else self.paths.root
        try:
            with told(folder, "listed"):
                names = [entry.name for entry in self.fs.scandir(place)]
        except UnreadableError as error:
            if isinstance(error.__cause__, FileNotFoundError):
                return []
            raise
        return sorted(name for name in names if not name.endswith((".lock", ".tmp")))

    def close(self) -> None:
        """Sync what waits for a sync, and let go of files and locks; later calls open them again.

        Raises:
            BusyError: a journal is being written.
            UnreadableError: a sync failed.
        """
        for journal in self._journals.all():
            journal.close()
        self._journals.clear()
        self.epochs.close()
        self.locks.close()

    def _read_document(self, path: str) -> Document:
        seen_ns = int(self.clock.now().timestamp() * 1e9)
        data, identity = self._read(path, 0, None)
        try:
            value, check = decode_document(data)
        except UnreadableError as error:
            raise UnreadableError(f"{path} cannot be understood: {error.message}", path=path) from error
        document = Document(value, identity, check)
        self.cache.put(path, document, seen_ns)
        return document

    def _read(self, path: str, offset: int, length: int | None) -> tuple[bytes, FileIdentity]:
        file = self.paths.resolve(path)
        with told(path, "read"):
            try:
                descriptor = self.fs.open(file, _READ)
            except (FileNotFoundError, NotADirectoryError) as error:
                raise NotFoundError(f"There is no {path}.", path=path) from error
            try:
                found = self.fs.fstat(descriptor)
                if not stat.S_ISREG(found.st_mode):
                    raise UnreadableError(f"{path} is not a file.", path=path)
                wanted = max(0, found.st_size - offset) if length is None else length
                return read_exactly(self.fs, descriptor, wanted, offset), FileIdentity.of(found)
            finally:
                self.fs.close(descriptor)
