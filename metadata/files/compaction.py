"""Writing a journal anew: most of it beside the writers, the end and the rename under the lock."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..errors import UnreadableError
from .codec import encode_line
from .lines import Damage, Line, read_exactly, read_line, scan

if TYPE_CHECKING:
    from .atomic import Draft
    from .filesystem import FileSystem


@dataclass(frozen=True, slots=True)
class Recall:
    """A line to be read once more, and what is to stand for it; a rewrite keeps this instead of the line itself.

    Attributes:
        offset: the byte the line begins at.
        length: bytes, with its line break.
        decide: from the line to what shall stand there; None leaves it out.
    """

    offset: int
    length: int
    decide: Callable[[Line], Mapping[str, Any] | Line | None]


Item = Mapping[str, Any] | bytes | Line | Damage | Recall
"""What a rewrite yields: a record to be written, bytes of a line as they are, or something that it was given."""

Rewrite = Callable[[Iterator[Line | Damage]], Iterator[Item]]
"""Turns the lines of a journal into what shall stand there instead; it reads all of them."""

Replace = Callable[["Moves", Callable[[], None]], None]
"""Puts the new journal in the old one's place by calling what it is given, once, with the lock held; it may do more
before and after, for it is told what went where."""


class Moves:
    """Where the lines of the old journal stand in the new one; a few bytes a line."""

    def __init__(self) -> None:
        self._numbers = array("q")
        self._count = 0
        self._last: tuple[int, int] | None = None

    def __len__(self) -> int:
        """Return how many lines the new journal has."""
        return self._count

    def __iter__(self) -> Iterator[tuple[int, int, int, bool]]:
        """Yield (old offset, new offset, length in bytes, whether the record was written anew) of each moved line."""
        numbers = iter(self._numbers)
        return ((old, new, length, bool(anew)) for old, new, length, anew in zip(*[numbers] * 4, strict=True))

    @property
    def last(self) -> tuple[int, int] | None:
        """The new offset and length of the last line; None when there is none, or it never stood in the old one."""
        return self._last

    def note(self, item: Item, new: int, length: int, *, anew: bool) -> None:
        """Remember where an item went; what never stood in the old journal is counted alone."""
        self._count += 1
        self._last = None
        if isinstance(item, Line | Damage | Recall):
            self._last = (new, length)
            self._numbers.extend((item.offset, new, length, anew))


class Source:
    """The journal that is being rewritten.

    Args:
        fs: the file system.
        descriptor: the journal, open for reading; every line is read through it.
        path: its relative path.

    Attributes:
        moves: what `copy` wrote where.
    """

    def __init__(self, fs: FileSystem, descriptor: int, path: str) -> None:
        self._fs = fs
        self._descriptor = descriptor
        self._path = path
        self.moves = Moves()

    def lines(self, start: int, limit: int) -> Iterator[Line | Damage]:
        """Yield the lines between two offsets."""
        return scan(self._fs, self._descriptor, self._path, start, limit)

    def copy(self, items: Iterator[Item] | Iterator[Line | Damage], draft: Draft) -> None:
        """Write items to the new journal.

        Raises:
            InvalidError: a record has no JSON form.
            UnreadableError: a line to be read once more is damaged now.
            OSError: the draft cannot be written.
        """
        for item in items:
            found = item.decide(self._line(item)) if isinstance(item, Recall) else item
            if found is None:
                continue
            data = self._encoded(found)
            anew = not isinstance(found, Line | Damage)
            self.moves.note(item, draft.size, len(data), anew=anew)
            draft.write(data)

    def _line(self, place: Recall) -> Line:
        raw = self._bytes(place.offset, place.length)
        line = read_line(self._path, place.offset, place.offset + place.length, raw.removesuffix(b"\n"))
        if isinstance(line, Damage):
            raise UnreadableError(f"{self._path}, byte {place.offset}: {line.reason}", path=self._path)
        return line

    def _bytes(self, offset: int, length: int) -> bytes:
        return read_exactly(self._fs, self._descriptor, length, offset)

    def _encoded(self, item: Mapping[str, Any] | bytes | Line | Damage | Recall) -> bytes:
        if isinstance(item, bytes):
            return item if item.endswith(b"\n") else item + b"\n"
        if isinstance(item, Line) and item.check == "sound":
            return encode_line(item.record, batch=None)  # offsets of the old file mean nothing in the new one
        if isinstance(item, Line):  # foreign or edited: its bytes are somebody else's to change
            return self._bytes(item.offset, item.end - item.offset)
        if isinstance(item, Damage | Recall):
            return self._bytes(item.offset, item.length)
        return encode_line(item, batch=None)
