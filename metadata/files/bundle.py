"""What every part of the file engine works with, handed around as one object."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..clock import Clock
    from .filesystem import FileSystem
    from .flush import Flusher
    from .locks import Locks
    from .paths import DataPaths

SECRET_FOLDERS = frozenset({"auth", "secrets", "settings", "cache", "intents", "quarantine"})
"""Folders whose files are for their owner's eyes alone, whatever the umask says: those of secrets, and those that hold
copies of any record."""


class Bundle:
    """The collaborators of one data folder, and the permissions of what lies in it.

    Args:
        paths: the folder.
        fs: the file system.
        locks: the folder's locks.
        flusher: the durability.
        clock: the time.
        lock_timeout_ms: how long a journal's commit waits for its lock, milliseconds.

    The arguments are public attributes.
    """

    def __init__(
        self,
        paths: DataPaths,
        fs: FileSystem,
        locks: Locks,
        flusher: Flusher,
        clock: Clock,
        lock_timeout_ms: int = 5000,
    ) -> None:
        self.paths = paths
        self.fs = fs
        self.locks = locks
        self.flusher = flusher
        self.clock = clock
        self.lock_timeout_ms = lock_timeout_ms

    def mode_of(self, path: str) -> int:
        """Return the permission bits of a file before the umask."""
        return 0o600 if path.split("/", maxsplit=1)[0] in SECRET_FOLDERS else 0o666

    def folder_mode_of(self, path: str) -> int:
        """Return the permission bits of the folder that a file lies in, before the umask."""
        return 0o700 if path.split("/", maxsplit=1)[0] in SECRET_FOLDERS else 0o777
