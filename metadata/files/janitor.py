"""Taking away what dead processes left: lock files nobody holds, temporary files nobody will publish."""

from __future__ import annotations

import re
import stat
from contextlib import suppress
from typing import TYPE_CHECKING

from ..errors import CalotypeError
from .identity import identity_of

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from .filesystem import FileSystem
    from .lock import Lock
    from .paths import DataPaths

_TEMPORARY = re.compile(r"\..+\.\d+\.[0-9a-f]{8}\.tmp")
_NOT_OURS = frozenset({"cache", "locks", "quarantine", "trash", "uploads"})
"""Folders with rules of their own."""

_SHALLOW = frozenset({"binaries"})
"""Folders of which only the files at their top are looked at: below lie payloads, maybe a million."""


class Janitor:
    """Removes leftovers; it runs under the start lock.

    Args:
        fs: the file system.
        paths: the data folder.
        lock_named: returns the lock of a lock file, so that it is removed only while it is held.
    """

    def __init__(self, fs: FileSystem, paths: DataPaths, lock_named: Callable[[str], Lock]) -> None:
        self._fs = fs
        self._paths = paths
        self._lock_named = lock_named

    def collect(self, limit_ns: int, *, alone: bool) -> int:
        """Remove leftovers and return how many.

        Args:
            limit_ns: what was changed after this time stays, nanoseconds since 1970.
            alone: nobody else has the store open, so that no temporary file can be a writer's.
        """
        old = [path for path in self._old(self._paths.root, limit_ns) if alone or path.name.endswith(".lock")]
        return sum(self._remove(path) for path in old)

    def _old(self, folder: Path, limit_ns: int) -> Iterator[Path]:
        for entry in self._entries(folder):
            path = folder / entry.name
            if entry.is_dir(follow_symlinks=False):
                top = folder == self._paths.root
                if not (top and entry.name in _NOT_OURS) and self._paths.relative(folder) not in _SHALLOW:
                    yield from self._old(path, limit_ns)
            elif entry.name.endswith(".lock") or _TEMPORARY.fullmatch(entry.name):
                with suppress(FileNotFoundError):  # a writer published or removed it meanwhile
                    found = self._fs.stat(path)
                    if stat.S_ISREG(found.st_mode) and found.st_mtime_ns <= limit_ns and self._ours(path, found):
                        yield path

    def _entries(self, folder: Path) -> list[os.DirEntry[str]]:
        try:
            return self._fs.scandir(folder)
        except FileNotFoundError:  # removed meanwhile
            return []

    def _ours(self, path: Path, found: os.stat_result) -> bool:
        """Tell a lock from somebody's `poetry.lock`: it is empty, or it stands beside what it guards."""
        if not path.name.endswith(".lock") or found.st_size == 0:
            return True
        return identity_of(self._fs, path.parent / path.name.removesuffix(".lock")) is not None

    def _remove(self, path: Path) -> int:
        if not path.name.endswith(".lock"):
            with suppress(FileNotFoundError):
                self._fs.unlink(path)
            return 1
        try:
            lock = self._lock_named(self._paths.relative(path))
            with lock.hold(0):
                lock.discard()
        except CalotypeError:  # held by somebody, or a name that ours never have
            return 0
        return 1
