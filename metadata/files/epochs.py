"""`locks/epochs`: whether what was once read of payloads may still be told, for processes that keep answers in memory.

One page of 256 values, one for each first byte of a digest, mapped by every process that has the store open. Whoever
changes what is known of a payload (a record that names it, its facts, a mention) gives the byte another value
afterwards; whoever keeps an answer keeps the value it saw before it began to look, and does not give the answer once
the two differ.

A new value is random rather than one more, so that two who change it at once need no lock: either value differs from
the old one. Values are eight bytes at addresses divisible by eight, which the processors Python runs on write whole.
"""

from __future__ import annotations

import logging
import mmap
import os
import secrets
import threading
from typing import TYPE_CHECKING, Final

from ..errors import CalotypeError
from .atomic import make_dirs
from .trouble import told

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .filesystem import FileSystem
    from .paths import DataPaths

PAGE: Final = "locks/epochs"
_BYTES: Final = 256
_EACH: Final = 8
_log = logging.getLogger("calotype.files")


class Epochs:
    """The values of one data folder; the page is mapped at the first use.

    Args:
        fs: makes the page's folder.
        paths: the data folder.
    """

    def __init__(self, fs: FileSystem, paths: DataPaths) -> None:
        self._fs = fs
        self._paths = paths
        self._mutex = threading.Lock()
        self._values: memoryview | None = None
        self._identity: tuple[int, int] | None = None

    def values(self) -> memoryview:
        """Return the 256 values, integers, of the page that lies there now: the one that was mapped may be gone.

        Raises:
            FullError, InvalidError, UnreadableError: the page cannot be had.
        """
        values = self._values
        if values is None or self._identity != self._there():
            with self._mutex, told(PAGE, "mapped"):
                values = self._map()
        return values

    def tell(self, first_bytes: Iterable[int]) -> None:
        """Have nothing told any more that was read of these digests before; it must have happened already.

        What cannot be told is logged, for what happened has happened.
        """
        try:
            values = self.values()
        except CalotypeError as error:
            _log.error("Other processes may answer with what they knew of payloads until they end: %s", error.message)
            return
        for first_byte in first_bytes:
            values[first_byte] = secrets.randbits(8 * _EACH)

    def tell_all(self) -> None:
        """Have nothing told any more that was read before."""
        self.tell(range(_BYTES))

    def close(self) -> None:
        """Let go of the page; views of it that others hold stay good."""
        with self._mutex:
            self._values = self._identity = None

    def _there(self) -> tuple[int, int] | None:
        try:
            found = self._paths.resolve(PAGE).stat(follow_symlinks=False)
        except OSError:
            return None
        return (found.st_dev, found.st_ino)

    def _map(self) -> memoryview:
        path = self._paths.resolve(PAGE)
        make_dirs(self._fs, path.parent, sync=False)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            if os.fstat(descriptor).st_size < _BYTES * _EACH:
                # Written, for a hole that a full disk cannot fill would end the process; and nothing that was there.
                os.pwrite(descriptor, secrets.token_bytes(_BYTES * _EACH), 0)
            found = os.fstat(descriptor)
            values = memoryview(mmap.mmap(descriptor, _BYTES * _EACH)).cast("Q")
        finally:
            os.close(descriptor)
        self._values, self._identity = values, (found.st_dev, found.st_ino)
        return values
