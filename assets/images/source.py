"""Bounded reading of a picture's bytes: what every header reader stands on."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from typing import Any

ReadAt = Callable[[int, int], bytes]
"""Return up to `length` bytes from `offset`: (offset, length) -> bytes."""

_MAX_READS: Final = 2048
_MAX_BYTES: Final = 1024 * 1024
_MAX_LENGTH: Final = 64 * 1024
_MAX_OFFSET: Final = 2**62  # what an operating system takes as an offset, with room to add to it
_TURNED: Final = frozenset({5, 6, 7, 8})


class DamagedError(Exception):
    """The bytes end early, contradict themselves, or ask for more reading than a header is worth."""


@dataclass(frozen=True, slots=True)
class Size:
    """A picture's extent in pixels, as it is meant to be seen.

    Attributes:
        width: pixels, at least 1.
        height: pixels, at least 1.
    """

    width: int
    height: int

    def oriented(self, orientation: int) -> Size:
        """Return the size after an EXIF orientation (1 to 8; 5 to 8 lie on their side)."""
        return Size(self.height, self.width) if orientation in _TURNED else self


@dataclass(frozen=True, slots=True)
class Traits:
    """What a header tells of a picture beside its size; None where it does not.

    Attributes:
        mode: `grey`, `rgb`, `palette`, `cmyk` or `lab`, without alpha.
        bits: of one sample.
        alpha: whether pixels may be transparent.
        frames: 1 for a still picture.
    """

    mode: str | None = None
    bits: int | None = None
    alpha: bool | None = None
    frames: int | None = 1


class Source:
    """The start of a file in memory, the rest through a reader, and a budget for that reader.

    The budget (2,048 reads, 1 MiB in all) is what makes every reader on top of this bounded, whatever the lengths in
    the file claim: 2,048 jumps from chunk to chunk are some milliseconds.

    Args:
        head: the first bytes.
        read_at: reads from anywhere.
        budget: how many bytes may be read through it, for formats that have to be walked through to be counted.
    """

    def __init__(self, head: bytes, read_at: ReadAt | None, budget: int = _MAX_BYTES) -> None:
        self._head = head
        self._read_at = read_at
        self._budget = budget
        self._reads = 0
        self._bytes = 0

    @property
    def spent(self) -> bool:
        """Whether the budget is used up, so that the file may go on."""
        return self._reads > _MAX_READS or self._bytes > self._budget

    def read(self, offset: int, length: int) -> bytes:
        """Return exactly `length` bytes (at most 64 KiB) from `offset`.

        Raises:
            DamagedError: they are not there, or the budget is used up.
        """
        data = self.read_up_to(offset, length)
        if len(data) != length:
            raise DamagedError
        return data

    def read_up_to(self, offset: int, length: int) -> bytes:
        """Return up to `length` bytes (at most 64 KiB) from `offset`; fewer only at the end.

        Raises:
            DamagedError: a length no header has, or the budget is used up.
        """
        if not 0 <= offset <= _MAX_OFFSET or not 0 <= length <= _MAX_LENGTH:
            raise DamagedError
        if offset + length <= len(self._head) or self._read_at is None:
            return self._head[offset : offset + length]
        self._reads += 1
        self._bytes += length
        if self.spent:
            raise DamagedError
        return self._read_at(offset, length)

    def unpack(self, layout: str, offset: int) -> tuple[Any, ...]:
        """Return the numbers of a `struct` layout at `offset`.

        Raises:
            DamagedError: they are not there, or the budget is used up.
        """
        return struct.unpack(layout, self.read(offset, struct.calcsize(layout)))
