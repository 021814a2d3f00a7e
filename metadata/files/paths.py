"""Names inside the data folder: what a relative path may be, and where it lies."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

from ..errors import InvalidError
from .trouble import as_ours

if TYPE_CHECKING:
    from pathlib import Path

_NAME_BYTES = 255
"""The longest name that the file systems in use accept."""


class DataPaths:
    """The data folder and the only way to a path inside it.

    Args:
        root: the folder; it may be a symbolic link or absent, and is resolved once, here.
    """

    def __init__(self, root: Path) -> None:
        self.root = root.expanduser().resolve()

    def resolve(self, *segments: str) -> Path:
        """Return the path of these segments, each of which may hold several parts; without any, the root.

        Raises:
            InvalidError: a segment is absolute, empty, or holds `..`, `.`, a backslash, a control character or a name
                too long; or a part of the path, its last one included, is a symbolic link.
            UnreadableError: this user may not even look: a folder above it is closed.
        """
        path = self.root
        for segment in segments:
            for name in segment.split("/"):
                _check(name, segment)
                path = path / name
        self._refuse_links(path)
        return path

    def relative(self, path: Path) -> str:
        """Return the path below the root, with `/` between its parts.

        Raises:
            InvalidError: it does not lie below the root.
        """
        try:
            return path.relative_to(self.root).as_posix()
        except ValueError as error:
            raise InvalidError(f"{path} does not lie in the data folder.") from error

    def _refuse_links(self, path: Path) -> None:
        while path != self.root:
            try:
                mode = path.lstat().st_mode
            except (FileNotFoundError, NotADirectoryError):
                mode = 0
            except OSError as error:
                raise as_ours(error, path, "looked at") from error
            if stat.S_ISLNK(mode):
                name = self.relative(path)
                raise InvalidError(f"{name} is a symbolic link; links inside the data folder are refused.", path=name)
            path = path.parent


def _check(name: str, segment: str) -> None:
    shown = repr(segment[:80])
    if name in {"", ".", ".."}:
        raise InvalidError(f"{shown} is no path below the data folder.", field="path")
    if "\\" in name or any(ord(letter) < ord(" ") or letter == "\x7f" for letter in name):
        raise InvalidError(f"{shown} holds a backslash or a control character.", field="path")
    try:
        size = len(name.encode())
    except UnicodeEncodeError as error:
        raise InvalidError(f"{shown} is not valid text.", field="path") from error
    if size > _NAME_BYTES:
        raise InvalidError(f"A name of {size} bytes is too long; {_NAME_BYTES} is the most.", field="path", limit=255)
