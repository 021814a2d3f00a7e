"""Ways to break the store's promises on purpose: a harness that does not catch them proves nothing.

Each is applied inside the process that is recorded, to the real library.
"""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, Any

from assets.blobs.local import LocalBlobs
from metadata.files.filesystem import FileSystem
from metadata.repositories.images import ImagesRepository

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def no_sync_of_files() -> None:
    """Sync directories only."""
    true_sync = FileSystem.fsync

    def fsync(self: FileSystem, descriptor: int) -> None:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            true_sync(self, descriptor)

    _set(FileSystem, "fsync", fsync)
    _set(FileSystem, "fdatasync", fsync)


def no_sync_of_directories() -> None:
    """Sync files only."""
    true_sync = FileSystem.fsync

    def fsync(self: FileSystem, descriptor: int) -> None:
        if not stat.S_ISDIR(os.fstat(descriptor).st_mode):
            true_sync(self, descriptor)

    _set(FileSystem, "fsync", fsync)


def in_place() -> None:
    """Write whole files over the old ones, and sync them afterwards."""
    true_rename = FileSystem.rename

    def rename(self: FileSystem, source: Path, target: Path) -> None:
        if source.is_dir():
            true_rename(self, source, target)
            return
        descriptor = self.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        self.write(descriptor, source.read_bytes())
        self.fsync(descriptor)
        self.close(descriptor)
        self.unlink(source)

    _set(FileSystem, "rename", rename)


def record_first() -> None:
    """Write the record of an upload before its payload is published."""
    true_publish, true_add = LocalBlobs.publish, ImagesRepository.add
    waiting: list[Callable[[], bool]] = []

    def publish(self: LocalBlobs, staged: Any, **how: Any) -> bool:
        waiting.append(lambda: true_publish(self, staged, **how))
        return True

    def add(self: ImagesRepository, *given: Any) -> Any:
        made = true_add(self, *given)
        waiting.pop()()
        return made

    _set(LocalBlobs, "publish", publish)
    _set(ImagesRepository, "add", add)


def _set(owner: type, name: str, method: Callable[..., object]) -> None:
    setattr(owner, name, method)


WAYS: dict[str, Callable[[], None]] = {
    "no sync of files": no_sync_of_files,
    "no sync of directories": no_sync_of_directories,
    "in place": in_place,
    "record first": record_first,
}
