"""A file that may be a card: on disk, or as it was uploaded."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, BinaryIO, Protocol

from ..sources import opened

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from typing_extensions import Buffer

    from ...blobs.base import Staged
    from ..intake import Intake


class Offer(Protocol):
    """A file that may be a card; what is called here may be called again, but for `stage`."""

    @property
    def name(self) -> str:
        """What the file is called."""

    @property
    def place(self) -> str:
        """Where it was found, for the report."""

    @property
    def tags(self) -> Sequence[str]:
        """The names of tags that the character gets beside those of the card."""

    @property
    def named(self) -> bool:
        """Whether somebody said that this one is a card; else it lies among others that may be anything."""

    def open(self) -> BinaryIO:
        """Open it; the file can be seeked in.

        Raises:
            CalotypeError: it cannot be read.
        """

    def stage(self, intake: Intake) -> Staged:
        """Make its bytes ready to be kept; whoever gets them keeps or discards them.

        Raises:
            CalotypeError: it cannot be read, is too large, or there is no room.
        """


class FileOffer:
    """A file on disk.

    Args:
        path: the file.
        place: where it was found, for the report; the path itself unless given.
        named: somebody said that it is a card.
        tags: the names of tags that the character gets beside those of the card.
    """

    def __init__(self, path: Path, place: str = "", *, named: bool = True, tags: Sequence[str] = ()) -> None:
        self._path = path
        self.named = named
        self.tags = tags
        self.name = _told(path.name)
        self.place = _told(place or str(path))

    def open(self) -> BinaryIO:
        """Open it."""
        return opened(self._path)

    def stage(self, intake: Intake) -> Staged:
        """Copy its bytes."""
        with opened(self._path) as source:
            return intake.stage(source, self.name)


class StagedOffer:
    """A file that was uploaded.

    Args:
        staged: its bytes; whoever made this discards them, which does nothing to bytes that were kept.
        name: what it is called.
    """

    named = True
    tags: Sequence[str] = ()

    def __init__(self, staged: Staged, name: str) -> None:
        self._staged = staged
        self.name = self.place = name

    def open(self) -> BinaryIO:
        """Open it."""
        return io.BufferedReader(_StagedFile(self._staged))

    def stage(self, intake: Intake) -> Staged:
        """Return its bytes: they are staged."""
        del intake
        return self._staged


class _StagedFile(io.RawIOBase):
    """Staged bytes as a file."""

    def __init__(self, staged: Staged) -> None:
        super().__init__()
        self._staged = staged
        self._at = 0

    def readable(self) -> bool:
        """Return that it is."""
        return True

    def seekable(self) -> bool:
        """Return that it is."""
        return True

    def readinto(self, buffer: Buffer) -> int:
        """Fill the buffer as far as there are bytes."""
        view = memoryview(buffer).cast("B")
        data = self._staged.read_at(self._at, len(view))
        view[: len(data)] = data
        self._at += len(data)
        return len(data)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a place and return it."""
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._staged.size}[whence]
        self._at = max(0, start + offset)
        return self._at

    def tell(self) -> int:
        """Return the place."""
        return self._at


def _told(name: str) -> str:
    """Return a name that can be shown and stored: file names need not be text."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
