"""The staging area `uploads/`: directories of the living, and the clearing away of the dead's.

Each store object that stages holds an flock on its owner file (`layout`). Age or process ids alone cannot tell a slow
upload from a leftover; the kernel's lock can.
"""

from __future__ import annotations

import fcntl
import os
import weakref
from contextlib import suppress
from threading import Lock
from typing import TYPE_CHECKING

from metadata.files import atomic

from . import layout

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from metadata.clock import Clock
    from metadata.files.filesystem import FileSystem
    from metadata.files.paths import DataPaths

_MODE = 0o600


class Claim:
    """One process's right to stage: its name, and the locked file that shows it lives."""

    def __init__(self, fs: FileSystem, path: Path, owner: str, descriptor: int) -> None:
        self.owner = owner
        self.pid = os.getpid()
        weakref.finalize(self, _release, fs, path, descriptor, self.pid)


class Uploads:
    """Makes staged directories for this process, and sweeps those of processes that are gone."""

    def __init__(self, fs: FileSystem, paths: DataPaths, clock: Clock) -> None:
        self._fs = fs
        self._paths = paths
        self._clock = clock
        self._mutex = Lock()
        self._claim: Claim | None = None

    def new_directory(self) -> tuple[Path, Claim]:
        """Make an empty staged directory; keep the claim for as long as the directory is in use."""
        claim = self._claimed()
        path = self._paths.resolve(layout.UPLOADS, layout.new_staged(claim.owner))
        self._fs.mkdir(path, 0o777)
        return path, claim

    def close(self) -> None:
        """Give up the claim; it ends with the last staged directory that needs it."""
        with self._mutex:
            self._claim = None

    def sweep(self, older_than_s: float) -> int:
        """Remove staged directories older than that whose owner is dead; return how many."""
        root = self._paths.resolve(layout.UPLOADS)
        limit_ns = int((self._clock.now().timestamp() - older_than_s) * 1_000_000_000)
        owners: dict[str, list[str]] = {}
        for name in self._names(root):
            if owner := layout.owner_of(name):
                owners.setdefault(owner, []).append(name)
        return sum(self._sweep_owner(root, owner, names, limit_ns) for owner, names in owners.items())

    def abandoned(self, older_than_s: float) -> list[str]:
        """Return the staged directories older than that whose owner is dead: what `sweep` would remove."""
        root = self._paths.resolve(layout.UPLOADS)
        limit_ns = int((self._clock.now().timestamp() - older_than_s) * 1_000_000_000)
        staged = [name for name in self._names(root) if layout.owner_of(name) and not name.endswith(".lock")]
        old = [name for name in staged if self._is_older(root / name, limit_ns)]
        return [name for name in old if self._is_dead(root / layout.owner_lock(layout.owner_of(name) or ""))]

    def _is_dead(self, lock: Path) -> bool:
        try:
            descriptor = self._fs.open(lock, os.O_RDWR | os.O_NOFOLLOW)
        except FileNotFoundError:
            return True
        try:
            return _try_lock(descriptor)
        finally:
            self._fs.close(descriptor)

    def _claimed(self) -> Claim:
        """Return this process's claim; a forked child makes its own."""
        with self._mutex:
            if self._claim is None or self._claim.pid != os.getpid():
                self._claim = self._new_claim()
            return self._claim

    def _new_claim(self) -> Claim:
        root = self._paths.resolve(layout.UPLOADS)
        atomic.make_dirs(self._fs, root)
        while True:
            owner = layout.new_owner(os.getpid())
            path = root / layout.owner_lock(owner)
            descriptor = self._fs.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, _MODE)
            # A sweeper may take the new file for a leftover before it is locked: then another name is tried.
            if _try_lock(descriptor) and self._fs.fstat(descriptor).st_nlink:
                return Claim(self._fs, path, owner, descriptor)
            self._fs.close(descriptor)

    def _names(self, root: Path) -> Iterator[str]:
        try:
            yield from sorted(entry.name for entry in self._fs.scandir(root))
        except FileNotFoundError:
            return

    def _sweep_owner(self, root: Path, owner: str, names: list[str], limit_ns: int) -> int:
        lock = root / layout.owner_lock(owner)
        try:
            descriptor: int | None = self._fs.open(lock, os.O_RDWR | os.O_NOFOLLOW)
        except FileNotFoundError:
            descriptor = None
        try:
            if descriptor is not None and not _try_lock(descriptor):
                return 0
            staged = [root / name for name in names if name != lock.name]
            old = [path for path in staged if self._is_older(path, limit_ns)]
            for path in old:
                atomic.remove_tree(self._fs, path)
            if descriptor is not None and len(old) == len(staged):
                atomic.remove_file(self._fs, lock)
            return len(old)
        finally:
            if descriptor is not None:
                self._fs.close(descriptor)

    def _is_older(self, path: Path, limit_ns: int) -> bool:
        try:
            return self._fs.stat(path).st_mtime_ns <= limit_ns
        except FileNotFoundError:  # another sweeper was quicker
            return False


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _release(fs: FileSystem, path: Path, descriptor: int, pid: int) -> None:
    """Take the owner's file away; in a forked child it is the parent's and stays."""
    if os.getpid() == pid:
        with suppress(FileNotFoundError):
            fs.unlink(path)
    fs.close(descriptor)
