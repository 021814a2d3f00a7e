"""Where things lie in a folder of SillyTavern.

A user's folder is `data/<handle>/` in today's installations and `public/` in those before version 1.12; in it every
kind has a folder of its own. Names are compared as people read them, for folders travel between systems that fold the
case of names and systems that do not, and that write an accent as one letter or as two.
"""

from __future__ import annotations

import os
import unicodedata
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from metadata.clock import timestamp
from metadata.errors import CalotypeError, InvalidError, NotFoundError, UnreadableError

from ..sources import Folder

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

_SIGNS = ("characters", "chats", "worlds", "user avatars", "backgrounds", "groups", "group chats", "settings.json")
"""A folder with two of these is a user's folder."""
_ENOUGH = 2
_NOT_ITS = (".calotype", "binaries", "personas")
"""A store of ours, or a folder of the application that `calotype import quilttap` is for."""
_CARDS = (".png", ".apng", ".webp", ".jpg", ".jpeg", ".json", ".charx")
SECRETS = "secrets.json"
"""The name of the file with the keys of all services."""
OPEN = ("user", "assets", "characters", "backgrounds", "user avatars")
"""Folders of pictures and files that hold no settings; messages and links may lead to them from elsewhere."""
_FIRST = "default-user"
_DEEPEST = 8
"""How many folders inside each other are looked into; SillyTavern itself uses three."""


@dataclass(frozen=True, slots=True)
class Layout:
    """A user's folder of SillyTavern.

    Attributes:
        folder: it, which is only read.
        others: further users beside this one, who are not imported with it.
    """

    folder: Folder
    others: Sequence[str] = ()
    _names: dict[str, str] = field(default_factory=dict)

    def top(self, name: str) -> str:
        """Return the name that a folder or file at the top really has here, its usual one if there is none."""
        if not self._names:
            self._names.update({folded(found): found for found in reversed(_listed(self.folder, ""))})
        return self._names.get(folded(name), name)

    def tops(self) -> list[str]:
        """Return the names at the top."""
        return _listed(self.folder, "")

    def cards(self) -> list[str]:
        """Return the paths of the character cards."""
        characters = self.top("characters")
        paths = (f"{characters}/{name}" for name in _listed(self.folder, characters))
        return [path for path in paths if path.lower().endswith(_CARDS) and not self.is_folder(path)]

    def sprite_folders(self) -> list[str]:
        """Return the paths of the folders with the further pictures of a character."""
        characters = self.top("characters")
        paths = (f"{characters}/{name}" for name in _listed(self.folder, characters))
        return [path for path in paths if self.is_folder(path)]

    def chats(self) -> Iterator[tuple[str, str | None]]:
        """Yield the paths of the chats with one character, each with the name of the folder it lies in."""
        chats = self.top("chats")
        for name in _listed(self.folder, chats):
            path = f"{chats}/{name}"
            if self.is_folder(path):
                yield from ((f"{path}/{log}", name) for log in _listed(self.folder, path) if _is_log(log))
            elif _is_log(name):
                yield path, None

    def group_chats(self) -> list[str]:
        """Return the paths of the chats of groups."""
        chats = self.top("group chats")
        return [f"{chats}/{name}" for name in _listed(self.folder, chats) if _is_log(name)]

    def files(self, path: str, depth: int = _DEEPEST) -> Iterator[str]:
        """Yield the paths of all files in a folder and in its folders."""
        for name in _listed(self.folder, path):
            inner = f"{path}/{name}" if path else name
            if not self.is_folder(inner):
                yield inner
            elif depth:
                yield from self.files(inner, depth - 1)

    def unseen(self, path: str = "", depth: int = _DEEPEST) -> Iterator[tuple[str, str]]:
        """Yield the folders whose files no method yields, each with the reason."""
        try:
            names = self.folder.names(path)
        except CalotypeError as error:
            yield path, error.message
            return
        for name in names:
            inner = f"{path}/{name}" if path else name
            if self.is_folder(inner) and depth:
                yield from self.unseen(inner, depth - 1)
            elif self.is_folder(inner):
                yield inner, "It lies too deep in other folders; nothing in it was read."

    def moment(self, path: str) -> str | None:
        """Return when a file was last written to, None where that cannot be found out."""
        try:
            written = (self.folder.root / path).lstat().st_mtime
            return timestamp(datetime.fromtimestamp(written, UTC))
        except (OSError, ValueError, OverflowError):
            return None

    def file(self, path: str) -> Path:
        """Return a file to be read.

        Raises:
            NotFoundError: it is not there.
            UnreadableError: it is none of this folder, but a link that leads out of it, or no regular file; or it is
                a link to what may hold keys.
        """
        found = self.folder.file(path)
        if found is not None:
            there, here = (_top_of(one) for one in (self.folder.relative(found), path))
            if there == SECRETS or there not in (here, *OPEN):
                raise UnreadableError("It may hold keys and passwords, which are not imported.", path=shown(path))
            return found
        if os.path.lexists(self.folder.root / path):
            raise UnreadableError(
                "It is no file of this folder: a link that leads out of it or nowhere, or no regular file. Put the file"
                " itself there.",
                path=shown(path),
            )
        raise NotFoundError(f"{shown(path)} is not in the folder.", path=shown(path))

    def is_folder(self, path: str) -> bool:
        """Tell whether a path is a folder, and no link that leads elsewhere."""
        place = self.folder.root / path
        return place.is_dir() and not place.is_symlink()


def find_layout(folder: Path) -> Layout:
    """Return the layout of a user's folder, given it, what is around it, or a folder in it.

    Args:
        folder: an installation, its `data/` or `public/`, a user's folder, or one of the folders in that.

    Raises:
        NotFoundError: there is no such folder.
        InvalidError: it is no folder of SillyTavern, or holds several.
    """
    if not folder.is_dir():
        raise NotFoundError(f"There is no folder {folder}.", path=str(folder))
    named = folder.absolute()
    found = [(place, users) for place in (named, *_below(named)) if (users := _users(place))]
    if len(found) > 1 and found[0][0] != named:
        names = ", ".join(shown(place.name) for place, _ in found)
        raise InvalidError(f"{folder} holds several folders of SillyTavern: {names}. Name one of them.")
    if found:
        _, users = found[0]
        return Layout(Folder(users[0]), tuple(user.name for user in users[1:]))
    if _looks_right(named.parent):
        return Layout(Folder(named.parent))
    raise InvalidError(
        f"{folder} is no folder of SillyTavern: name the installation, or a user's folder in it, such as"
        " data/default-user, which holds characters/ and chats/.",
        path=str(folder),
    )


def folded(name: str) -> str:
    """Return the form in which two names that people take for one are equal."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def shown(path: str) -> str:
    """Return a path as text that can be written down, whatever bytes a file's name has."""
    try:
        return os.fsencode(path).decode("utf-8", "replace")
    except UnicodeEncodeError:  # half a character, out of a JSON file: no file has such a name
        return path.encode("utf-8", "replace").decode()


def stem_of(path: str) -> str:
    """Return a file's name without folder and extension."""
    return PurePosixPath(path).stem


def _top_of(path: str) -> str:
    return folded(PurePosixPath(path).parts[0])


def _users(place: Path) -> list[Path]:
    """Return the users' folders of an installation or of its `data/`, the first user's first."""
    if _looks_right(place):
        return [place]
    for data in (place / "data", place):
        users = [user for user in _below(data) if not user.name.startswith((".", "_")) and _looks_right(user)]
        if users:
            return sorted(users, key=lambda user: user.name != _FIRST)
    return []


def _below(place: Path) -> list[Path]:
    try:
        return sorted(found for found in place.iterdir() if found.is_dir() and not found.is_symlink())
    except OSError:
        return []


def _looks_right(place: Path) -> bool:
    try:
        names = {folded(name) for name in os.listdir(place)}  # noqa: PTH208 - names alone
    except OSError:
        return False
    return sum(sign in names for sign in _SIGNS) >= _ENOUGH and not names.intersection(_NOT_ITS)


def _listed(folder: Folder, path: str) -> list[str]:
    try:
        return folder.names(path)
    except CalotypeError:
        return []  # said once for each folder, by what goes through all of them


def _is_log(name: str) -> bool:
    return name.lower().endswith(".jsonl")
