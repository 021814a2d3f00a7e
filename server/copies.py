"""Copies of a server's smaller pictures, for programs that want a path."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path
from tempfile import NamedTemporaryFile, TemporaryDirectory
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from collections.abc import Callable


class Copies:
    """Files in a temporary folder, which is made when the first one is; usable from several threads."""

    def __init__(self) -> None:
        self._folder: TemporaryDirectory[str] | None = None
        self._mutex = threading.Lock()

    def keep(self, name: str, fetch: Callable[[], BinaryIO]) -> Path:
        """Return a file of its own with what was fetched, whose name ends with `name`."""
        with fetch() as source, NamedTemporaryFile(dir=self._place(), suffix=f"-{name}", delete=False) as copy:
            shutil.copyfileobj(source, copy)
        return Path(copy.name)

    def close(self) -> None:
        """Remove them all."""
        with self._mutex:
            if self._folder is not None:
                self._folder.cleanup()
                self._folder = None

    def _place(self) -> str:
        with self._mutex:
            if self._folder is None:
                self._folder = TemporaryDirectory(prefix="calotype-")
            return self._folder.name
