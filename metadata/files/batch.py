"""The lines of one write, while they are put together under the journal's lock."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..errors import TooLargeError
from .codec import encode_line
from .lines import LONGEST, Line

if TYPE_CHECKING:
    from collections.abc import Mapping


class Batch:
    """What a group of callers will append by one write and one sync.

    Args:
        start: the offset of the first line.
        identity: device and inode of the journal.
        synced: the offset up to which the journal is known to be on the disk; each line carries it as `_b`.

    Attributes:
        start: the same.
        identity: the same.
    """

    def __init__(self, start: int, identity: tuple[int, int], synced: int) -> None:
        self.start = start
        self.identity = identity
        self._synced = synced
        self._chunks: list[bytes] = []
        self._lines: list[tuple[int, int, Mapping[str, Any]]] = []
        self._end = start

    @property
    def end(self) -> int:
        """The offset after the last line."""
        return self._end

    @property
    def count(self) -> int:
        """How many lines are staged."""
        return len(self._lines)

    @property
    def lines(self) -> list[Line]:
        """The lines staged so far, as a reader will see them."""
        return [Line(begin, end, _plain(record), "sound", self._synced) for begin, end, record in self._lines]

    def stage(self, record: Mapping[str, Any]) -> int:
        """Add a line and return its offset; `_rev`, `_deleted` and the like are the caller's to set.

        Args:
            record: the members in their order; it must not change any more.

        Raises:
            InvalidError: a value has no JSON form.
            TooLargeError: the line is longer than any reader takes.
        """
        data = encode_line(record, batch=self._synced)
        if len(data) > LONGEST:
            raise TooLargeError(
                f"A record of {len(data)} bytes is too large; {LONGEST} is the most.", limit=LONGEST, actual=len(data)
            )
        offset = self._end
        self._end += len(data)
        self._chunks.append(data)
        self._lines.append((offset, self._end, record))
        return offset

    def data(self) -> bytes:
        """Return the bytes to be appended."""
        return self._chunks[0] if len(self._chunks) == 1 else b"".join(self._chunks)

    def cut(self, count: int) -> None:
        """Forget the lines after the first `count`: their caller's work failed."""
        del self._chunks[count:]
        del self._lines[count:]
        self._end = self._lines[-1][1] if self._lines else self.start


def _plain(record: Mapping[str, Any]) -> dict[str, Any]:
    if isinstance(record, dict) and "_b" not in record and "_crc" not in record:
        return record
    return {name: value for name, value in record.items() if name not in {"_b", "_crc"}}
