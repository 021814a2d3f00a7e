"""Writing a journal anew: most of it beside the writers, the end and the rename under the lock."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from .codec import encode_line
from .lines import Damage, Line, read_exactly, scan

if TYPE_CHECKING:
    from .atomic import Draft
    from .filesystem import FileSystem

Item = Mapping[str, Any] | bytes | Line | Damage
"""What a rewrite yields: a record to be written, bytes of a line as they are, or something that it was given."""

Rewrite = Callable[[Iterator[Line | Damage]], Iterator[Item]]
"""Turns the lines of a journal into what shall stand there instead; it reads all of them."""


class Source:
    """The journal that is being rewritten.

    Args:
        fs: the file system.
        descriptor: the journal, open for reading.
        path: its relative path.
    """

    def __init__(self, fs: FileSystem, descriptor: int, path: str) -> None:
        self._fs = fs
        self._descriptor = descriptor
        self._path = path

    def lines(self, start: int, limit: int) -> Iterator[Line | Damage]:
        """Yield the lines between two offsets."""
        return scan(self._fs, self._descriptor, self._path, start, limit)

    def copy(self, items: Iterator[Item] | Iterator[Line | Damage], draft: Draft) -> None:
        """Write items to the new journal.

        Raises:
            InvalidError: a record has no JSON form.
            OSError: the draft cannot be written.
        """
        for item in items:
            draft.write(self._encoded(item))

    def _encoded(self, item: Item) -> bytes:
        if isinstance(item, bytes):
            return item if item.endswith(b"\n") else item + b"\n"
        if isinstance(item, Line) and item.check == "sound":
            return encode_line(item.record, batch=None)  # offsets of the old file mean nothing in the new one
        if isinstance(item, Line):  # foreign or edited: its bytes are somebody else's to change
            return read_exactly(self._fs, self._descriptor, item.end - item.offset, item.offset)
        if isinstance(item, Damage):
            return read_exactly(self._fs, self._descriptor, item.length, item.offset)
        return encode_line(item, batch=None)
