"""Names in the data folder: what nobody here made, what dead processes left, and what is open to others."""

from __future__ import annotations

import os
import re
import stat
from typing import TYPE_CHECKING

from metadata.errors import UnreadableError
from metadata.files import quarantine
from metadata.files.bundle import SECRET_FOLDERS
from metadata.files.folder import MARKER, OWN_FOLDERS, SEED_FOLDERS
from metadata.files.trouble import told
from metadata.findings import Finding, Repair
from metadata.schemas.catalog import kinds_of_path

from ..blobs import layout

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from metadata.files.engine import FileEngine

LEFTOVER_AGE_S = 3600.0
"""A temporary file that is younger may be somebody's in another container, whose process ids mean nothing here."""

_TEMPORARY = re.compile(r"\..+\.(?P<pid>\d+)\.[0-9a-f]{8}\.tmp")
_INTENT = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\.json")
_IGNORED = frozenset({".gitkeep", ".gitignore", ".DS_Store", "lost+found"})
_ROOT = frozenset({MARKER, *SEED_FOLDERS, *OWN_FOLDERS})
_UNLISTED = frozenset({"cache", "locks"})
"""Folders whose content is nobody's loss."""

_OTHERS = stat.S_IRWXG | stat.S_IRWXO


class TreeCheck:
    """Looks through the names in a data folder.

    Args:
        engine: the file engine.
        abandoned: returns the names in `uploads/` whose processes are gone and that are older than so many seconds.
        leftover_age_s: how old a temporary file must be.
    """

    def __init__(
        self,
        engine: FileEngine,
        abandoned: Callable[[float], list[str]],
        leftover_age_s: float = LEFTOVER_AGE_S,
    ) -> None:
        self._engine = engine
        self._root = engine.paths.root
        self._abandoned = abandoned
        self._age_s = leftover_age_s

    def findings(self) -> Iterator[Finding]:
        """Yield what is odd about the names."""
        for entry in self._entries(""):
            path = entry.name
            if path in _ROOT:
                yield from self._rights(path, secret=path in SECRET_FOLDERS)
                if entry.is_dir(follow_symlinks=False) and path not in _UNLISTED:
                    yield from self._folder(path)
            elif _TEMPORARY.fullmatch(path):
                yield from self._temporary(path)
            elif not path.startswith("."):
                yield Finding("stray", path, "It is no part of a store; it is left alone.")
        yield from self._uploads()

    def _folder(self, folder: str) -> Iterator[Finding]:
        secret = folder.split("/", maxsplit=1)[0] in SECRET_FOLDERS
        for entry in self._entries(folder):
            path = f"{folder}/{entry.name}"
            if folder == layout.BINARIES and entry.is_dir(follow_symlinks=False):
                yield from self._payload(path, entry.name)
            elif entry.is_dir(follow_symlinks=False):
                yield from self._inner(path)
            else:
                yield from self._rights(path, secret=secret)
                yield from self._file(path, entry)

    def _inner(self, path: str) -> Iterator[Finding]:
        """Look at a folder inside one of the store's."""
        top = path.split("/", maxsplit=1)[0]
        if path == "settings/users":
            yield from self._rights(path, secret=True)
            yield from self._folder(path)
        elif top == quarantine.FOLDER:
            yield _set_aside(path)
        elif top not in {layout.UPLOADS, "trash"}:
            yield Finding("stray", path, "No folder belongs there.", Repair.SET_ASIDE)

    def _file(self, path: str, entry: os.DirEntry[str]) -> Iterator[Finding]:
        name, top = entry.name, path.split("/", maxsplit=1)[0]
        if name in _IGNORED or name.endswith(".lock") or top in {"secrets", "trash", layout.UPLOADS}:
            return
        if entry.is_symlink():
            yield Finding("stray", path, "It is a symbolic link, which is refused here; remove it.")
        elif _TEMPORARY.fullmatch(name):
            yield from self._temporary(path)
        elif top == quarantine.FOLDER:
            if not name.endswith(quarantine.NOTE):
                yield _set_aside(path)
        elif not kinds_of_path(path) and not (top == "intents" and _INTENT.fullmatch(name)):
            yield Finding("stray", path, "No file of a store has this name.", Repair.SET_ASIDE)

    def _payload(self, path: str, name: str) -> Iterator[Finding]:
        if not list(layout.digests([name])):
            yield Finding("stray", path, "Its name is no SHA-256.", Repair.SET_ASIDE)
            return
        names = [entry.name for entry in self._entries(path)]
        if layout.RAW not in names and self._engine.paths.resolve(path).exists():
            yield Finding("stray", path, "It holds no payload.", Repair.SET_ASIDE)
            return
        yield from self._rights(path, secret=False)
        yield from self._rights(f"{path}/{layout.RAW}", secret=False)
        for inner in names:
            if _TEMPORARY.fullmatch(inner):
                yield from self._temporary(f"{path}/{inner}")
            elif inner != layout.RAW and layout.recipe_of(inner) is None:
                yield Finding(
                    "stray", f"{path}/{inner}", "It is no picture derived from this payload.", Repair.SET_ASIDE
                )

    def _uploads(self) -> Iterator[Finding]:
        for name in self._abandoned(self._age_s):
            yield Finding("leftover", f"{layout.UPLOADS}/{name}", "Its process ended before it was done.", Repair.CLEAR)
        for entry in self._entries(layout.UPLOADS):
            if entry.name not in _IGNORED and layout.owner_of(entry.name) is None:
                path = f"{layout.UPLOADS}/{entry.name}"
                yield Finding("stray", path, "No upload has this name.", Repair.SET_ASIDE)

    def _rights(self, path: str, *, secret: bool) -> Iterator[Finding]:
        try:
            found = self._engine.fs.stat(self._root / path).st_mode
        except FileNotFoundError:
            return
        mode = 0 if stat.S_ISLNK(found) else stat.S_IMODE(found)  # a link has no rights of its own
        unwanted = mode & (_OTHERS if secret else stat.S_IWOTH)
        if unwanted:
            details = {"mode": mode & ~unwanted}
            yield Finding("open-to-others", path, f"Its mode is {mode:04o}.", Repair.CLOSE, details)

    def _temporary(self, path: str) -> Iterator[Finding]:
        found = _TEMPORARY.fullmatch(path.rpartition("/")[2])
        if found and self._dead(path, int(found["pid"])):
            yield Finding("leftover", path, "It was being written when its process ended.", Repair.CLEAR)

    def _dead(self, path: str, pid: int) -> bool:
        """Tell whether a temporary file is old and its process gone."""
        try:
            found = self._engine.fs.stat(self._root / path)
        except FileNotFoundError:
            return False
        if self._engine.clock.now().timestamp() - found.st_mtime < self._age_s:
            return False
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        except (PermissionError, OverflowError):
            return False
        return False

    def _entries(self, folder: str) -> list[os.DirEntry[str]]:
        place: Path = self._root / folder if folder else self._root
        try:
            with told(folder or ".", "listed"):
                return sorted(self._engine.fs.scandir(place), key=lambda entry: entry.name)
        except UnreadableError as error:
            if isinstance(error.__cause__, (FileNotFoundError, NotADirectoryError)):
                return []
            raise


def _set_aside(path: str) -> Finding:
    return Finding("set-aside", path, "Damaged bytes are kept here.")
