"""The operating-system calls that touch data, as methods, so that a test can make any one of them fail.

Whether a call may be used is another question: `rename`, `fsync` and `fdatasync` are called by `atomic.py` alone.
"""

from __future__ import annotations

import errno
import fcntl
import os
import sys
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_FICLONE = 0x40049409
"""The request of ioctl_ficlone(2): let a file share another one's blocks until either changes."""

NO_SUCH_SYNC: Final = frozenset({errno.EINVAL, errno.ENOTSUP, errno.EBADF})
"""What file systems say that know no sync of directories and need none."""
_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT})


class FileSystem:
    """The machine's file system; every method raises `OSError` exactly as the call under it does."""

    def open(self, path: Path, flags: int, mode: int = 0o666) -> int:
        """Open a file and return its descriptor; children never inherit it."""
        return os.open(path, flags | os.O_CLOEXEC, mode)

    def close(self, descriptor: int) -> None:
        """Close a descriptor."""
        os.close(descriptor)

    def read(self, descriptor: int, length: int) -> bytes:
        """Read up to `length` bytes from where the descriptor stands."""
        return os.read(descriptor, length)

    def pread(self, descriptor: int, length: int, offset: int) -> bytes:
        """Read up to `length` bytes from `offset`."""
        return os.pread(descriptor, length, offset)

    def write(self, descriptor: int, data: bytes | memoryview) -> int:
        """Write where the descriptor stands; return how many bytes were taken, maybe fewer than given."""
        return os.write(descriptor, data)

    def pwrite(self, descriptor: int, data: bytes | memoryview, offset: int) -> int:
        """Write at `offset`; return how many bytes were taken, maybe fewer than given."""
        return os.pwrite(descriptor, data, offset)

    def ftruncate(self, descriptor: int, length: int) -> None:
        """Cut a file to this length in bytes."""
        os.ftruncate(descriptor, length)

    def clone(self, source: int, target: int) -> None:
        """Let an empty file share the blocks of another; most file systems have no such call."""
        if sys.platform != "linux":
            raise OSError(errno.ENOTSUP, os.strerror(errno.ENOTSUP))
        fcntl.ioctl(target, _FICLONE, source)

    def fsync(self, descriptor: int) -> None:
        """Wait until the disk has the file and all that is known about it."""
        if sys.platform == "darwin":  # macOS: fsync alone leaves the bytes in the drive's cache
            fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)
        else:
            os.fsync(descriptor)

    def fdatasync(self, descriptor: int) -> None:
        """Wait until the disk has the file's bytes and its length."""
        if sys.platform == "darwin":
            self.fsync(descriptor)
        else:
            os.fdatasync(descriptor)

    def fstat(self, descriptor: int) -> os.stat_result:
        """Return what is known about an open file."""
        return os.fstat(descriptor)

    def stat(self, path: Path) -> os.stat_result:
        """Return what is known about a name, without following a symbolic link in its last part."""
        return path.lstat()

    def chmod(self, path: Path, mode: int) -> None:
        """Set the permission bits of a name."""
        path.chmod(mode)

    def fchmod(self, descriptor: int, mode: int) -> None:
        """Set the permission bits of an open file."""
        os.fchmod(descriptor, mode)

    def rename(self, source: Path, target: Path) -> None:
        """Give a file or directory another name, over what has it if the system allows that."""
        os.rename(source, target)  # noqa: PTH104 - the plain call is what this class stands for

    def unlink(self, path: Path) -> None:
        """Remove a file's name."""
        path.unlink()

    def rmdir(self, path: Path) -> None:
        """Remove an empty directory."""
        path.rmdir()

    def mkdir(self, path: Path, mode: int = 0o777) -> None:
        """Make one directory."""
        path.mkdir(mode)

    def scandir(self, path: Path) -> list[os.DirEntry[str]]:
        """Return a directory's entries, in no order."""
        with os.scandir(path) as entries:
            return list(entries)


class WatchedFileSystem(FileSystem):
    """The machine's file system, and somebody who is told when a sync failed.

    After that the kernel may show bytes that the disk does not have, and forgets that they were lost: what a process
    has open is not to be built upon. A disk that is full is no such case: it tells before anything is lost.

    Args:
        failed: called after every sync that failed, on whatever thread it was tried.
    """

    def __init__(self, failed: Callable[[], None]) -> None:
        self._failed = failed

    def fsync(self, descriptor: int) -> None:
        """Do as the machine does, and tell of a failure."""
        self._watched(super().fsync, descriptor)

    def fdatasync(self, descriptor: int) -> None:
        """Do as the machine does, and tell of a failure."""
        self._watched(super().fdatasync, descriptor)

    def _watched(self, sync: Callable[[int], None], descriptor: int) -> None:
        try:
            sync(descriptor)
        except OSError as error:
            if error.errno not in NO_SUCH_SYNC | _NO_ROOM:
                self._failed()
            raise
