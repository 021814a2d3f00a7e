"""Payloads in a folder: `binaries/<sha256>/raw`.

The order of a publication is what survives power loss: `raw` is synced, then its staged directory, then one rename
gives the directory its name, then `binaries/` is synced. The directory of a payload exists whole or not at all.
"""

from __future__ import annotations

import io
import os
import stat
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, BinaryIO

from metadata.errors import InternalError, NotFoundError, UnreadableError
from metadata.files import atomic
from metadata.files.identity import identity_of
from metadata.files.trouble import as_ours, told

from . import layout
from .base import BlobStat, Spool, Staged, Staging, clip
from .hashing import is_rotten
from .uploads import Claim, Uploads
from .window import Window

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from metadata.clock import Clock
    from metadata.files.filesystem import FileSystem
    from metadata.files.paths import DataPaths

    from ..digest import Digest

_NEW = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
# A FIFO under a payload's name must not make the reader wait.
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK


class LocalSpool(Spool):
    """Staged bytes in a directory of their own under `uploads/`.

    Attributes:
        directory: the staged directory; nothing is there any more once it is published or dropped.
    """

    def __init__(self, fs: FileSystem, directory: Path, claim: Claim, *, sync: bool) -> None:
        self._fs = fs
        self._sync = sync
        self._claim = claim  # held, so that no sweep takes the directory away
        self.directory = directory
        self._raw = directory / layout.RAW
        self._descriptor: int | None = self._fs.open(self._raw, _NEW, 0o666)
        self._gone = False

    def append(self, chunk: bytes | memoryview) -> None:
        """Write all of the chunk, however many writes that takes.

        Raises:
            FullError: no room.
        """
        with told(self._raw, "written"):
            atomic.write_all(self._fs, self._open(), bytes(chunk))

    def seal(self) -> None:
        """Sync the file and its directory, unless the store's durability says otherwise.

        Raises:
            FullError: no room; some file systems tell only now.
        """
        with told(self._raw, "written"):
            if self._sync:
                atomic.sync_file(self._fs, self._open())
                atomic.sync_directory(self._fs, self.directory)
        self._close()

    def read_at(self, offset: int, length: int) -> bytes:
        """Return up to `length` bytes from `offset`."""
        with told(self._raw, "read"):
            descriptor = self._fs.open(self._raw, _READ)
            try:
                return self._fs.pread(descriptor, length, offset)
            finally:
                self._fs.close(descriptor)

    def drop(self) -> None:
        """Remove the directory unless it was published; a forked child leaves its parent's alone."""
        if self._gone or os.getpid() != self._claim.pid:
            return
        self._gone = True
        with suppress(OSError):  # whatever led here is the failure to tell; a leftover goes with the next sweep
            self._close()
            atomic.remove_tree(self._fs, self.directory)

    def publish_as(self, target: Path) -> bool:
        """Rename the directory to its final place; False when something is there already.

        Raises:
            InternalError: it was published or dropped before.
        """
        if self._gone:
            raise InternalError("Staged bytes were published or discarded before.")
        try:
            self._gone = atomic.publish_directory(self._fs, self.directory, target)
        except OSError:
            if identity_of(self._fs, self.directory) is None:
                # Renamed, but perhaps not durably, and a later sync may wrongly say it is: the name is taken back.
                atomic.remove_tree(self._fs, target)
            raise
        return self._gone

    def _open(self) -> int:
        if self._descriptor is None:
            raise InternalError("Staged bytes are sealed or dropped.")
        return self._descriptor

    def _close(self) -> None:
        if self._descriptor is not None:
            descriptor, self._descriptor = self._descriptor, None
            self._fs.close(descriptor)


class LocalBlobs:
    """A `BlobStore` over a data folder, for any number of threads and processes.

    Args:
        fs: the operating system's calls.
        paths: the data folder.
        clock: the time, for ages and for the names of what is set aside.
        sync: make payloads durable before they are published; only durability `none` does without.
    """

    def __init__(self, fs: FileSystem, paths: DataPaths, clock: Clock, *, sync: bool = True) -> None:
        self._fs = fs
        self._paths = paths
        self._clock = clock
        self._sync = sync
        self._uploads = Uploads(fs, paths, clock)

    def stage(self) -> Staging:
        """Begin an upload.

        Raises:
            FullError: no room for even a directory.
        """
        with told(layout.UPLOADS, "written"):
            directory, claim = self._uploads.new_directory()
            try:
                return Staging(LocalSpool(self._fs, directory, claim, sync=self._sync))
            except OSError:
                atomic.remove_tree(self._fs, directory)
                raise

    def publish(self, staged: Staged, *, durable: bool = False, doubted: bool = False) -> bool:
        """Give staged bytes their name; the caller holds the lock of the digest's shard.

        Raises:
            FullError: no room for the new name.
            InternalError: the bytes were staged elsewhere, used up before, or the shard's lock was not held.
        """
        spool = staged.spool
        if not isinstance(spool, LocalSpool):
            raise InternalError("Bytes staged in another store cannot be published here.")
        target = self._directory(staged.digest)
        with told(layout.relative_path(staged.digest), "written"):
            atomic.make_dirs(self._fs, target.parent)
            if spool.publish_as(target):
                return True
            if self._size_of(target) == staged.size and not (doubted and is_rotten(self, staged.digest)):
                if not durable:  # whoever published it may not have synced the name yet
                    atomic.sync_directory(self._fs, target.parent)
                spool.drop()
                return False
            self._set_aside(staged.digest, target)
            if spool.publish_as(target):
                return True
        raise InternalError(f"Payload {staged.digest} was published by somebody else while its shard was locked.")

    def open(self, digest: Digest, start: int = 0, end: int | None = None) -> BinaryIO:
        """Open a payload's bytes from `start` to `end`.

        Raises:
            NotFoundError: there is no such payload.
            UnreadableError: something that is no file stands in its place.
            InvalidError: the range does not lie in the payload.
        """
        descriptor = self._open_raw(digest)
        try:
            first, stop = clip(_checked_size(digest, self._fs.fstat(descriptor)), start, end)
        except BaseException:
            self._fs.close(descriptor)
            raise
        return io.BufferedReader(Window(self._fs, descriptor, first, stop))

    def stat(self, digest: Digest) -> BlobStat:
        """Return a payload's size and path.

        Raises:
            NotFoundError: there is no such payload.
            UnreadableError: something that is no file stands in its place.
        """
        path = self._directory(digest) / layout.RAW
        with _payload(digest, "read"):
            found = self._fs.stat(path)
        return BlobStat(_checked_size(digest, found), path)

    def remove(self, digest: Digest) -> None:
        """Remove a payload and what was derived from it; one rename makes it gone, so no half of it is ever seen.

        Raises:
            NotFoundError: there is no such payload.
        """
        directory = self._directory(digest)
        with _payload(digest, "removed"):
            away, claim = self._uploads.new_directory()
            self._fs.rmdir(away)
            atomic.move(self._fs, directory, away)
            atomic.remove_tree(self._fs, away)
            del claim  # held until here: `away` was ours

    def scan(self) -> Iterator[Digest]:
        """Yield the digest of every payload directory; whether its `raw` is sound is a question for `stat`."""
        with told(layout.BINARIES, "listed"):
            try:
                entries = self._fs.scandir(self._paths.resolve(layout.BINARIES))
            except FileNotFoundError:
                return
        yield from layout.digests(entry.name for entry in entries)

    def path(self, digest: Digest) -> Path:
        """Return the payload's file.

        Raises:
            NotFoundError: there is no such payload.
        """
        self.stat(digest)
        return self._directory(digest) / layout.RAW

    def close(self) -> None:
        """Give up this process's right to stage, once no upload needs it."""
        self._uploads.close()

    def sweep_staging(self, older_than_s: float = 0) -> int:
        """Remove what dead processes left in `uploads/`, if it is older than that; return how many."""
        return self._uploads.sweep(older_than_s)

    def abandoned(self, older_than_s: float = 0) -> list[str]:
        """Return the names in `uploads/` that `sweep_staging` would remove."""
        return self._uploads.abandoned(older_than_s)

    def set_aside(self, digest: Digest) -> None:
        """Move a payload that is not what its name says to `quarantine/`; the caller holds the lock of its shard."""
        with _payload(digest, "set aside"):
            self._set_aside(digest, self._directory(digest))

    def _directory(self, digest: Digest) -> Path:
        return self._paths.resolve(layout.BINARIES, digest)

    def _open_raw(self, digest: Digest) -> int:
        path = self._directory(digest) / layout.RAW
        with _payload(digest, "read"):
            return self._fs.open(path, _READ)

    def _size_of(self, directory: Path) -> int | None:
        """Return the size of the `raw` in a payload's directory; None for anything that is no plain file."""
        try:
            found = self._fs.stat(directory / layout.RAW)
        except (FileNotFoundError, NotADirectoryError):
            return None
        return found.st_size if stat.S_ISREG(found.st_mode) else None

    def _set_aside(self, digest: Digest, target: Path) -> None:
        """Move a directory that is not what its name says to `quarantine/`."""
        now = int(self._clock.now().timestamp())
        aside = self._paths.resolve(layout.QUARANTINE, layout.set_aside(digest, now))
        atomic.make_dirs(self._fs, aside.parent)
        atomic.move(self._fs, target, aside)


@contextmanager
def _payload(digest: Digest, doing: str) -> Iterator[None]:
    """Say what the system refuses about a payload: absent is one answer, everything else another."""
    path = layout.relative_path(digest)
    try:
        yield
    except (FileNotFoundError, NotADirectoryError) as error:
        raise NotFoundError(f"There is no payload {digest}.", sha256=digest) from error
    except OSError as error:
        raise as_ours(error, path, doing) from error


def _checked_size(digest: Digest, found: os.stat_result) -> int:
    if stat.S_ISREG(found.st_mode):
        return found.st_size
    path = layout.relative_path(digest)
    raise UnreadableError(f"{path} is no plain file; move it away and upload the payload again.", path=path)
