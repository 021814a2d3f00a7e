"""When bytes must be on the disk: the durability levels."""

from __future__ import annotations

import threading
from enum import StrEnum
from typing import TYPE_CHECKING

from . import atomic

if TYPE_CHECKING:
    from .filesystem import FileSystem


class Durability(StrEnum):
    """What an acknowledged write survives."""

    FULL = "full"
    """Power loss at any instant: every write is synced before it is acknowledged."""
    BATCH = "batch"
    """A killed process; power loss may take the last appends of a journal, up to the interval."""
    NONE = "none"
    """A killed process; the operating system alone decides when bytes reach the disk."""


class Flusher:
    """Decides which writes are synced, and syncs.

    Args:
        fs: the file system.
        level: the durability.
        interval: how many appends to one journal share a sync at level `batch`.
    """

    def __init__(self, fs: FileSystem, level: Durability = Durability.FULL, interval: int = 10) -> None:
        self._fs = fs
        self.level = level
        self._interval = max(1, interval)
        self._unsynced: dict[str, int] = {}
        self._mutex = threading.Lock()

    @property
    def whole_files(self) -> bool:
        """Whether whole files and directories are synced."""
        return self.level is not Durability.NONE

    @property
    def every_append(self) -> bool:
        """Whether each append is synced before it is acknowledged."""
        return self.level is Durability.FULL

    def after_append(self, descriptor: int, path: str, lines: int = 1) -> bool:
        """Sync a journal after an append if it is due; return whether all of it is on the disk now.

        Args:
            descriptor: the journal, open.
            path: its relative path, by which unsynced appends are counted.
            lines: how many lines were appended.

        Raises:
            OSError: the sync failed; it must not be tried again.
        """
        if self.level is Durability.NONE or (self.level is Durability.BATCH and not self._due(path, lines)):
            return False
        self.sync_now(descriptor)
        return True

    def pending(self, path: str) -> bool:
        """Tell whether a journal has appends that wait for a sync, and forget about them: the caller syncs."""
        with self._mutex:
            return self._unsynced.pop(path, 0) > 0

    def sync_now(self, descriptor: int) -> None:
        """Sync an open file's bytes.

        Raises:
            OSError: as `after_append`.
        """
        atomic.sync_data(self._fs, descriptor)

    def _due(self, path: str, lines: int) -> bool:
        with self._mutex:
            count = self._unsynced.get(path, 0) + lines
            self._unsynced[path] = 0 if count >= self._interval else count
            return count >= self._interval
