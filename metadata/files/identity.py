"""What tells one state of a file from another without reading it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from .trouble import told

if TYPE_CHECKING:
    import os

    from .filesystem import FileSystem

RACY_NS = 2_000_000_000
"""Two seconds: the coarsest timestamps in use (FAT's), so a file this young may change without showing it."""


@dataclass(frozen=True, slots=True)
class FileIdentity:
    """The facts that change when a file changes.

    Attributes:
        dev: the device's number.
        ino: the inode's number; it comes back after the file is gone.
        size: bytes.
        mtime_ns: when the bytes changed, nanoseconds since 1970.
        ctime_ns: when bytes, name or permissions changed; nobody can set it back.
    """

    dev: int
    ino: int
    size: int
    mtime_ns: int
    ctime_ns: int

    @classmethod
    def of(cls, found: os.stat_result) -> FileIdentity:
        """Take the identity out of what `stat` returned."""
        return cls(found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)

    @property
    def file(self) -> tuple[int, int]:
        """Device and inode: which file it is, whatever it holds by now."""
        return self.dev, self.ino

    def racy(self, seen_at_ns: int) -> bool:
        """Tell whether the file was so young when it was read at this time that a later change may not show."""
        return self.mtime_ns >= seen_at_ns - RACY_NS


def identity_of(fs: FileSystem, target: Path | int) -> FileIdentity | None:
    """Return the identity of a path or an open descriptor; None when there is nothing at the path.

    Raises:
        UnreadableError: it cannot be looked at, which is not the same as absent.
    """
    with told(target if isinstance(target, Path) else f"descriptor {target}", "looked at"):
        try:
            return FileIdentity.of(fs.fstat(target) if isinstance(target, int) else fs.stat(target))
        except (FileNotFoundError, NotADirectoryError):
            return None
