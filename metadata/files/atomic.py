"""The durable write: the one place that renames and syncs.

Whole files: temporary file beside the target, write, length check, fsync, rename, fsync of the directory. Removed on
any failure. A crash at any point leaves the old file or the new one, never a mixture and never neither.
"""

from __future__ import annotations

import errno
import os
import secrets
import stat
from contextlib import suppress
from typing import TYPE_CHECKING, Self

from .filesystem import NO_SUCH_SYNC
from .identity import FileIdentity

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from .filesystem import FileSystem

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
_TAKEN = frozenset({errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR})


def write_whole(fs: FileSystem, path: Path, data: bytes, *, mode: int = 0o666, sync: bool = True) -> FileIdentity:
    """Put a file of these bytes at `path`, whole or not at all.

    Args:
        fs: the file system.
        path: the target; its directory exists.
        data: the whole content.
        mode: permission bits before the umask takes its share.
        sync: False leaves the moment of reaching the disk to the operating system.

    Raises:
        OSError: the old file, if any, is as it was, and no temporary file is left.
    """
    return write_chunks(fs, path, (data,), mode=mode, sync=sync)


def write_chunks(
    fs: FileSystem, path: Path, chunks: Iterable[bytes], *, mode: int = 0o666, sync: bool = True
) -> FileIdentity:
    """Do what `write_whole` does, with content that comes piece by piece.

    Raises:
        OSError: as `write_whole`; whatever the iterable raises passes through, with the same promise.
    """
    draft = Draft(fs, path, mode=mode)
    with draft:
        for chunk in chunks:
            draft.write(chunk)
        return draft.publish(sync=sync)


class Draft:
    """A temporary file beside its target: written, then published by a rename, or removed when its block ends.

    Args:
        fs: the file system.
        path: the target; its directory exists.
        mode: permission bits before the umask takes its share.
    """

    def __init__(self, fs: FileSystem, path: Path, *, mode: int = 0o666) -> None:
        self._fs = fs
        self._path = path
        name = os.fsencode(path.name)[:200].decode(errors="ignore")  # file systems count bytes
        self._temporary = path.parent / f".{name}.{os.getpid()}.{secrets.token_hex(4)}.tmp"
        self._descriptor = fs.open(self._temporary, _NEW, mode)
        self._published = False
        self.size = 0

    def __enter__(self) -> Self:
        """Begin the block at whose end the temporary file is gone, one way or the other."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close, and remove what was not published."""
        self._fs.close(self._descriptor)
        if not self._published:
            with suppress(OSError):  # the first failure is the one to tell; a leftover is swept at the next start
                self._fs.unlink(self._temporary)

    @property
    def temporary(self) -> Path:
        """Where it lies until it is published, for whoever wants to look at it before."""
        return self._temporary

    def write(self, chunk: bytes) -> None:
        """Append all of the chunk, however many writes that takes."""
        write_all(self._fs, self._descriptor, chunk)
        self.size += len(chunk)

    def settle(self) -> None:
        """Bring what was written so far to the disk, so that publishing waits for the rest alone.

        Raises:
            OSError: the target is as it was; the draft is of no use any more.
        """
        self._fs.fsync(self._descriptor)

    def publish(self, *, sync: bool = True) -> FileIdentity:
        """Give the file its name and return its identity.

        Raises:
            OSError: the target is as it was; EIO: it may be the new one, and may not last.
        """
        if self._fs.fstat(self._descriptor).st_size != self.size:
            raise OSError(errno.EIO, "the file has another length than was written", str(self._path))
        if sync:
            self._fs.fsync(self._descriptor)
        self._fs.rename(self._temporary, self._path)
        self._published = True
        try:
            if sync:
                sync_directory(self._fs, self._path.parent)
            return FileIdentity.of(self._fs.fstat(self._descriptor))
        except OSError as error:
            # "No space" would say that nothing was done.
            raise OSError(errno.EIO, f"renamed, and then: {error.strerror}", str(self._path)) from error


def write_all(fs: FileSystem, descriptor: int, data: bytes, offset: int | None = None) -> None:
    """Write every byte, at `offset` or where the descriptor stands, looping over short writes.

    Raises:
        OSError: some of the bytes may be there.
    """
    rest = memoryview(data)
    while rest:
        taken = fs.write(descriptor, rest) if offset is None else fs.pwrite(descriptor, rest, offset)
        if taken <= 0:
            raise OSError(errno.EIO, "the system took no bytes")
        offset = None if offset is None else offset + taken
        rest = rest[taken:]


def sync_file(fs: FileSystem, descriptor: int) -> None:
    """Wait until the disk has an open file.

    Raises:
        OSError: what was written since the last sync may be lost; a second try would lie about it.
    """
    fs.fsync(descriptor)


def sync_data(fs: FileSystem, descriptor: int) -> None:
    """Wait until the disk has an open file's bytes and length; cheaper than `sync_file` for appends.

    Raises:
        OSError: as `sync_file`.
    """
    fs.fdatasync(descriptor)


def sync_directory(fs: FileSystem, path: Path) -> None:
    """Wait until the disk has the names in a directory.

    Raises:
        OSError: names made or removed in it may be lost.
    """
    descriptor = fs.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fs.fsync(descriptor)
    except OSError as error:
        if error.errno not in NO_SUCH_SYNC:  # some file systems have no such call and need none
            raise
    finally:
        fs.close(descriptor)


def make_dirs(fs: FileSystem, path: Path, *, mode: int = 0o777, sync: bool = True) -> None:
    """Make a directory and whatever is missing above it, each new one synced into its parent.

    Args:
        fs: the file system.
        path: the directory; nothing happens when it is there.
        mode: permission bits of each new directory before the umask.
        sync: False leaves the moment of reaching the disk to the operating system.

    Raises:
        OSError: it cannot be made, or something else has the name.
    """
    missing = []
    while not _is_directory(fs, path):
        missing.append(path)
        path = path.parent
    for directory in reversed(missing):
        with suppress(FileExistsError):  # another process was quicker; its sync may not have happened yet
            fs.mkdir(directory, mode)
        if sync:
            sync_directory(fs, directory.parent)


def publish_directory(fs: FileSystem, staged: Path, target: Path) -> bool:
    """Give a staged directory its final name; False when something is there already.

    Raises:
        OSError: it cannot be renamed or its name cannot be synced.
    """
    try:
        fs.stat(target)
    except FileNotFoundError:
        pass
    else:
        return False
    try:
        fs.rename(staged, target)
    except OSError as error:
        if error.errno in _TAKEN:
            return False
        raise
    _sync_parents(fs, staged, target)
    return True


def move(fs: FileSystem, source: Path, target: Path) -> None:
    """Rename and sync both parents; a file at the target is replaced.

    Raises:
        OSError: it cannot be renamed, or the names cannot be synced.
    """
    fs.rename(source, target)
    _sync_parents(fs, source, target)


def move_all(fs: FileSystem, moves: Sequence[tuple[Path, Path]]) -> None:
    """Rename several, then sync every parent once, also when one of the renames failed.

    Raises:
        OSError: one cannot be renamed, and those after it were not tried; or the names cannot be synced.
    """
    parents: dict[Path, None] = {}
    try:
        for source, target in moves:
            fs.rename(source, target)
            parents |= {target.parent: None, source.parent: None}
    finally:
        for parent in parents:
            sync_directory(fs, parent)


def remove_file(fs: FileSystem, path: Path, *, sync: bool = True) -> None:
    """Remove a file and sync its directory; absent is no error.

    Raises:
        OSError: it cannot be removed.
    """
    try:
        fs.unlink(path)
    except FileNotFoundError:
        return
    if sync:
        sync_directory(fs, path.parent)


def remove_tree(fs: FileSystem, path: Path) -> None:
    """Remove a file or a directory with all that is in it; absent is no error, links are not followed.

    Raises:
        OSError: something in it cannot be removed.
    """
    with suppress(FileNotFoundError):
        if not stat.S_ISDIR(fs.stat(path).st_mode):
            fs.unlink(path)
            return
        for entry in fs.scandir(path):
            remove_tree(fs, path / entry.name)
        fs.rmdir(path)


def _is_directory(fs: FileSystem, path: Path) -> bool:
    try:
        found = fs.stat(path)
    except FileNotFoundError:
        return False
    if stat.S_ISDIR(found.st_mode) or (stat.S_ISLNK(found.st_mode) and path.is_dir()):
        return True
    raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(path))


def _sync_parents(fs: FileSystem, source: Path, target: Path) -> None:
    sync_directory(fs, target.parent)
    if source.parent != target.parent:
        sync_directory(fs, source.parent)
