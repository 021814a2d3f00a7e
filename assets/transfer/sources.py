"""Reading a folder of another program: whole JSON files, JSON lines one by one, and the bytes of a file.

Whatever cannot be read is an answer with its reason and no end of the reading; nothing outside the folder is opened.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from metadata.errors import CalotypeError, InvalidError, NotFoundError, UnreadableError
from metadata.files.codec import decode_document, decode_line

if TYPE_CHECKING:
    from collections.abc import Iterator

LONGEST_LINE = 64 * 1024 * 1024
"""Bytes of one line; a longer one is no record but damage, and must not fill the memory."""
LARGEST_DOCUMENT = 512 * 1024 * 1024
"""Bytes of one whole-file document, for the same reason."""


@dataclass(frozen=True, slots=True)
class Found:
    """One record as it was found, or what is wrong with the place it should be at.

    Attributes:
        place: a path below the folder, with `:line` in a journal.
        record: its members, None when it cannot be read.
        problem: why it cannot be read.
        size: bytes of its line, where it is one.
    """

    place: str
    record: dict[str, Any] | None = None
    problem: str = ""
    size: int = 0


class Folder:
    """A folder that is only read; links inside it are followed, but never out of it.

    Args:
        root: the folder.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._real = root.resolve()

    def file(self, path: str) -> Path | None:
        """Return the file of a path below the folder, None when there is none or it leads out of the folder."""
        if "\0" in path:
            return None
        try:
            found = (self._real / path.lstrip("/")).resolve()
            return found if found.is_relative_to(self._real) and found.is_file() else None
        except (OSError, UnicodeEncodeError, RuntimeError):  # no file can have such a name; or links go in a circle
            return None

    def relative(self, file: Path) -> str:
        """Return the path below this folder of a file that `file` returned; empty when it lies elsewhere."""
        return file.relative_to(self._real).as_posix() if file.is_relative_to(self._real) else ""

    def names(self, path: str) -> list[str]:
        """Return the names in a folder in order; none when it is absent.

        Raises:
            UnreadableError: it cannot be looked into, or leads out of the folder.
        """
        try:
            place = Path(os.path.realpath(self._real / path))
            if not place.is_relative_to(self._real):
                raise UnreadableError(
                    f"{path} leads out of the folder, so nothing in it was read. Put the folder itself there.",
                    path=path,
                )
            return sorted(entry.name for entry in place.iterdir())
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as error:
            raise UnreadableError(f"{path} cannot be read: {error.strerror}.", path=path) from error

    def document(self, path: str) -> Any:  # noqa: ANN401 - any JSON value
        """Return what a JSON file holds, None when there is no such file.

        Raises:
            UnreadableError: it cannot be read, leads out of the folder, or is no JSON.
        """
        file = self.file(path)
        if file is None:
            self._refuse_if_there(path)
            return None
        with opened(file) as source:
            if os.fstat(source.fileno()).st_size > LARGEST_DOCUMENT:
                raise UnreadableError(f"{path} is larger than {LARGEST_DOCUMENT} bytes.", path=path)
            return decode_document(_read(source, path))[0]

    def lines(self, path: str) -> Iterator[Found]:
        """Yield the records of a file of JSON lines, one in memory at a time; none when there is no such file."""
        file = self.file(path)
        try:
            if file is None:
                self._refuse_if_there(path)
                return
            with opened(file) as source:
                yield from _lines(source, path)
        except CalotypeError as error:
            yield Found(path, problem=error.message)

    def _refuse_if_there(self, path: str) -> None:
        if os.path.lexists(self.root / path):
            raise UnreadableError(
                f"{path} is no file of this folder: a link that leads out of it or nowhere, or no regular file. Put the"
                " file itself there.",
                path=path,
            )


def opened(path: Path) -> BinaryIO:
    """Open a regular file for reading.

    Raises:
        NotFoundError: it is not there.
        UnreadableError: it cannot be read.
        InvalidError: it is no regular file.
    """
    try:
        # Without waiting, or a named pipe among the files would stop everything.
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError as error:
        raise NotFoundError(f"There is no file {path}.", file=str(path)) from error
    except OSError as error:
        raise UnreadableError(f"{path} cannot be read: {error.strerror}.", file=str(path)) from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise InvalidError(f"{path} is no regular file.", file=str(path))
    return os.fdopen(descriptor, "rb")


def _read(source: BinaryIO, path: str) -> bytes:
    try:
        return source.read()
    except OSError as error:
        raise UnreadableError(f"{path} cannot be read: {error.strerror}.", path=path) from error


def _lines(source: BinaryIO, path: str) -> Iterator[Found]:
    number = 0
    while line := _line(source, path):
        number += 1
        place = f"{path}:{number}"
        if len(line) > LONGEST_LINE:
            while line and not line.endswith(b"\n"):
                line = _line(source, path)
            yield Found(place, problem=f"The line is longer than {LONGEST_LINE} bytes.")
        elif line.strip():
            yield _found(place, line)


def _line(source: BinaryIO, path: str) -> bytes:
    try:
        return source.readline(LONGEST_LINE + 1)
    except OSError as error:
        raise UnreadableError(f"{path} cannot be read: {error.strerror}.", path=path) from error


def _found(place: str, line: bytes) -> Found:
    try:
        return Found(place, decode_line(line.rstrip(b"\r\n")).record, size=len(line))
    except UnreadableError as error:
        return Found(place, problem=error.message)
