"""A file system whose calls can be made to fail."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

from metadata.files.filesystem import FileSystem

if TYPE_CHECKING:
    from pathlib import Path


class FailingFileSystem(FileSystem):
    """Raises `error` from the calls named in `failing`; writes take at most `most` bytes at a time."""

    def __init__(self) -> None:
        self.failing: set[str] = set()
        self.error = errno.EIO
        self.most = 1 << 30
        self.calls: list[str] = []

    def _call(self, name: str) -> None:
        self.calls.append(name)
        if name in self.failing:
            raise OSError(self.error, os.strerror(self.error))

    def write(self, descriptor: int, data: bytes | memoryview) -> int:
        self._call("write")
        return super().write(descriptor, data[: self.most])

    def pwrite(self, descriptor: int, data: bytes | memoryview, offset: int) -> int:
        if "pwrite" in self.failing and self.most < len(data):
            super().pwrite(descriptor, data[: self.most], offset)
        self._call("pwrite")
        return super().pwrite(descriptor, data[: self.most], offset)

    def fsync(self, descriptor: int) -> None:
        self._call("fsync")
        super().fsync(descriptor)

    def fdatasync(self, descriptor: int) -> None:
        self._call("fdatasync")
        super().fdatasync(descriptor)

    def ftruncate(self, descriptor: int, length: int) -> None:
        self._call("ftruncate")
        super().ftruncate(descriptor, length)

    def rename(self, source: Path, target: Path) -> None:
        self._call("rename")
        super().rename(source, target)
