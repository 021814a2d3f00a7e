"""How much room derived pictures take, and what was done for them: a few numbers that all processes share.

They lie in one small file under `cache/`. Where it is lost or damaged nothing is known, until somebody counts.
"""

from __future__ import annotations

import os
import struct
from contextlib import contextmanager
from dataclasses import astuple, dataclass, replace
from typing import TYPE_CHECKING, Final

from metadata.errors import BusyError
from metadata.files.flock import EXCLUSIVE, KernelLock
from metadata.files.trouble import told

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_LAYOUT: Final = struct.Struct("<8sB7Q")
_MAGIC: Final = b"calotyp2"
_OPEN: Final = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
_MOST: Final = 2**63
_WAIT_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class Account:
    """The numbers.

    Attributes:
        known: whether `size` and `files` were counted since the file was made.
        size: bytes of all derived pictures.
        files: how many there are.
        computed: how many were made, since the file was made.
        refused: how many pictures were refused.
        evicted: how many derived pictures had to make room.
        peak_bytes: the most memory a decoding process had.
        killed: how many decoding processes a picture, or the machine, ended.
    """

    known: bool = False
    size: int = 0
    files: int = 0
    computed: int = 0
    refused: int = 0
    evicted: int = 0
    peak_bytes: int = 0
    killed: int = 0


class Ledger:
    """The account in its file.

    Args:
        path: the file; its folder is made when it is missing.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = KernelLock(
            path.parent / f"{path.name}.lock", lambda: path.parent.mkdir(parents=True, exist_ok=True)
        )

    def read(self) -> Account:
        """Return the numbers as they are now."""
        with self._opened() as descriptor:
            return _read(descriptor)

    def add(
        self,
        *,
        size: int = 0,
        files: int = 0,
        computed: int = 0,
        refused: int = 0,
        evicted: int = 0,
        peak_bytes: int = 0,
        killed: int = 0,
    ) -> Account:
        """Add to the numbers (`peak_bytes` only grows) and return them."""
        with self._opened() as descriptor:
            now = _read(descriptor)
            return _write(
                descriptor,
                Account(
                    now.known,
                    max(0, now.size + size),
                    max(0, now.files + files),
                    now.computed + computed,
                    now.refused + refused,
                    now.evicted + evicted,
                    max(now.peak_bytes, peak_bytes),
                    now.killed + killed,
                ),
            )

    def counted(self, size: int, files: int, since: Account) -> Account:
        """Take over what was counted, with what was added since that began."""
        with self._opened() as descriptor:
            now = _read(descriptor)
            grown = max(0, now.size - since.size), max(0, now.files - since.files)
            return _write(descriptor, replace(now, known=True, size=size + grown[0], files=files + grown[1]))

    def close(self) -> None:
        """Let go of the lock file."""
        self._lock.close()

    @contextmanager
    def _opened(self) -> Iterator[int]:
        lock = self._lock.take(EXCLUSIVE, _WAIT_S)
        if lock is None:
            raise BusyError(f"{self._path.name} is locked by another process. Try again in a moment.")
        try:
            with told(self._path, "opened"):
                descriptor = os.open(self._path, _OPEN, 0o666)
            try:
                yield descriptor
            finally:
                os.close(descriptor)
        finally:
            self._lock.give(lock)


def _read(descriptor: int) -> Account:
    data = os.pread(descriptor, _LAYOUT.size, 0)
    if len(data) != _LAYOUT.size:
        return Account()
    magic, known, *numbers = _LAYOUT.unpack(data)
    return Account(bool(known), *numbers) if magic == _MAGIC and max(numbers) < _MOST else Account()


def _write(descriptor: int, account: Account) -> Account:
    known, *numbers = astuple(account)
    os.pwrite(descriptor, _LAYOUT.pack(_MAGIC, known, *numbers), 0)
    return account
