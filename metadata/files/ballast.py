"""Room kept for what makes room: files of no use that are removed when a full disk would refuse a deletion.

A deletion appends a line, and the index has to follow it before anybody can be answered. On a disk without a single
free block neither could be done, and nothing could ever be deleted again. So a serving process keeps some bytes taken
(`protocols.md`, "Uploads, facts, deletion"), lets go of them when they are needed, and takes them again when there is
room.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING, Final, TypeVar

from ..errors import FullError
from . import atomic
from .identity import identity_of
from .trouble import has_room, told

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from .filesystem import FileSystem

T = TypeVar("T")

NAME: Final = "ballast"
SIZE: Final = 8 << 20
"""Bytes on each disk: thousands of tombstones and the index's log over them."""
_PIECE: Final = 1 << 20
LAST: Final = 1 << 20
"""Bytes that only deletions may use, once the ballast is gone."""


class Ballast:
    """The ballast of one store.

    Args:
        fs: the file system.
        folders: where one may lie; of several on one disk the first has it. They exist when it is laid.
        size: bytes of each.
    """

    def __init__(self, fs: FileSystem, folders: Sequence[Path], size: int = SIZE) -> None:
        self._fs = fs
        self._folders = tuple(folders)
        self._size = size

    def lay(self) -> int:
        """Take the bytes wherever they are not taken and twice as many are free; return on how many disks.

        Raises:
            FullError, UnreadableError: it cannot be written.
        """
        laid, disks = 0, set()
        for folder in self._folders:
            with told(folder, "looked at"):
                disk = self._fs.stat(folder).st_dev
                found = identity_of(self._fs, folder / NAME)
            if disk in disks:
                continue
            disks.add(disk)
            if (found is None or found.size < self._size) and self._twice(folder):
                # Random: a file system that packs or shares equal blocks would take next to nothing for zeros.
                pieces = (os.urandom(min(_PIECE, self._size - done)) for done in range(0, self._size, _PIECE))
                with told(folder / NAME, "written"):
                    atomic.write_chunks(self._fs, folder / NAME, pieces, mode=0o600, sync=False)
                laid += 1
        return laid

    def check(self) -> None:
        """Return when there is room for a write that makes none: the last bytes of a disk are for deletions.

        Raises:
            FullError: the disk is all but full, and its ballast was given back already.
        """
        for folder in self._folders:
            with suppress(FileNotFoundError):  # no index yet
                if _free(folder) < LAST and not self._laid_beside(folder):
                    raise FullError(
                        f"Less than {LAST} bytes are free on the disk of {folder.name}/; they are left for deletions."
                        " Free some space.",
                        limit=LAST,
                        path=folder.name,
                    )

    def release(self) -> bool:
        """Give the bytes back; False when there were none to give."""
        released = False
        for folder in self._folders:
            with suppress(OSError):
                self._fs.unlink(folder / NAME)
                released = True
        return released

    def ease(self) -> None:
        """Give the bytes back if a disk is all but full: for work that must not stop half-way."""
        with suppress(OSError):
            if any(_free(folder) < LAST or not has_room(folder, LAST) for folder in self._folders):
                self.release()

    def spared(self, work: Callable[[], T]) -> T:
        """Do some work; where there is no room for it, give the bytes back and do it again.

        Args:
            work: leaves nothing behind when it raises `FullError`.

        Raises:
            FullError: there is no room, and no ballast any more.
        """
        try:
            return work()
        except FullError:
            if not self.release():
                raise
        return work()

    def _twice(self, folder: Path) -> bool:
        """Tell whether there is room for it and as much again, also where a quota says how much there is."""
        return _free(folder) >= 2 * self._size and has_room(folder, 2 * self._size)

    def _laid_beside(self, folder: Path) -> bool:
        disk = self._fs.stat(folder).st_dev
        found = [identity_of(self._fs, each / NAME) for each in self._folders]
        return any(each is not None and each.dev == disk for each in found)


def _free(folder: Path) -> int:
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize
