"""Where things lie in the original application's folder, and its records by kind.

The data folder has the seed's layout, which is ours: the catalog says which file holds which kind. Pictures lie beside
it in `public/`, or, in the later generation, in `files/storage/` of the data folder or of `public/data/`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from metadata.errors import CalotypeError, InvalidError, NotFoundError
from metadata.files.bundle import SECRET_FOLDERS
from metadata.schemas.catalog import CATALOG, kinds_of_path
from metadata.schemas.homes import InArray, Lines, OwnFile

from ..sources import Folder, Found

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_SIGNS = ("settings", "characters", "personas", "chats", "binaries", "files", "tags", "image-profiles", "auth")
"""A folder with two of these is a data folder."""
_ENOUGH = 2


@dataclass(frozen=True, slots=True)
class Layout:
    """The folders of one installation of the original.

    Attributes:
        data: its data folder.
        public: its `public/`, None where there is none.
    """

    data: Folder
    public: Folder | None

    def records(self, kind: str) -> Iterator[Found]:
        """Yield the records of a kind as they lie in the seed's layout, and what is wrong with the others."""
        home = CATALOG[kind].home
        if isinstance(home, OwnFile):
            yield from self._files(home.folder)
        elif isinstance(home, InArray):
            yield from self._array(home)
        elif isinstance(home, Lines):
            yield from self.data.lines(home.path)

    def later_files(self) -> Iterator[tuple[Folder, str, Found]]:
        """Yield the entries of the later generation's `files.jsonl`, each with the folder and the path of the bytes."""
        places = [(self.data, "files")] + ([(self.public, "data/files")] if self.public is not None else [])
        for folder, base in places:
            for found in folder.lines(f"{base}/files.jsonl"):
                yield folder, f"{base}/storage", found

    def payload(self, folder: Folder, path: str) -> Path | None:
        """Return the file of a payload, None when there is none.

        A record may say what it likes of where its bytes lie; the files that hold records, keys or sign-ins, and hidden
        ones, are never handed out as a picture.
        """
        file = folder.file(path)
        if file is None or not (inside := self.data.relative(file)):
            return file
        secret = inside.split("/", maxsplit=1)[0] in SECRET_FOLDERS or kinds_of_path(inside)
        return None if secret or any(name.startswith(".") for name in inside.split("/")) else file

    def log(self, chat_id: str) -> Iterator[Found]:
        """Yield the events of a chat."""
        return self.data.lines(f"chats/{chat_id}.jsonl")

    def logs(self) -> list[str]:
        """Return the ids of the chats that have a log.

        Raises:
            UnreadableError: the folder cannot be looked into.
        """
        return [name.removesuffix(".jsonl") for name in self.data.names("chats") if _is_log(name)]

    def _files(self, folder: str) -> Iterator[Found]:
        try:
            names = [name for name in self.data.names(folder) if name.endswith(".json")]
        except CalotypeError as error:
            yield Found(folder, problem=error.message)
            return
        for name in names:
            yield _whole(self.data, f"{folder}/{name}")

    def _array(self, home: InArray) -> Iterator[Found]:
        found = _any(self.data, home.path)
        if isinstance(found, Found):
            yield found
            return
        items = found if home.bare_array_ok and isinstance(found, list) else _member(found, home.member)
        if items is not None and not isinstance(items, list):
            yield Found(home.path, problem=f"It holds no list under {home.member!r}.")
            return
        for number, item in enumerate(items or ()):
            place = f"{home.path}:{home.member}[{number}]"
            yield Found(place, item) if isinstance(item, dict) else Found(place, problem="It is no object.")


def find_layout(folder: Path, public: Path | None = None) -> Layout:
    """Return the layout of an application's root, or of its data folder.

    Args:
        folder: either of them.
        public: the application's `public/`, where it is not beside the data folder.

    Raises:
        NotFoundError: a folder is not there.
        InvalidError: it is no folder of the original application, or a store of ours.
    """
    for named in (folder, *([public] if public is not None else [])):
        if not named.is_dir():
            raise NotFoundError(f"There is no folder {named}.", path=str(named))
    data = next((place for place in (folder / "data", folder) if _looks_right(place)), None)
    if data is None:
        raise InvalidError(
            f"{folder} is no folder of the original application: name its root, which holds data/ and public/, or the "
            "data folder itself.",
            path=str(folder),
        )
    if (data / ".calotype").exists():
        raise InvalidError(
            f"{data} is a Calotype store already. Copy the folder to move it, or serve it as it is.", path=str(data)
        )
    beside = public or data.parent / "public"
    return Layout(Folder(data), Folder(beside) if beside.is_dir() else None)


def document(folder: Folder, path: str) -> Found:
    """Return a whole-file document that is one object; without record and problem where there is none."""
    return _whole(folder, path)


def _looks_right(folder: Path) -> bool:
    return sum((folder / sign).is_dir() for sign in _SIGNS) >= _ENOUGH


def _is_log(name: str) -> bool:
    return name.endswith(".jsonl") and name != "index.jsonl"


def _whole(folder: Folder, path: str) -> Found:
    found = _any(folder, path)
    if isinstance(found, Found):
        return found
    if found is None or isinstance(found, dict):
        return Found(path, found)
    return Found(path, problem="It holds something else where an object belongs.")


def _any(folder: Folder, path: str) -> Any:  # noqa: ANN401 - any JSON value, or what is wrong
    try:
        return folder.document(path)
    except CalotypeError as error:
        return Found(path, problem=error.message)


def _member(found: object, member: str) -> object:
    if found is None or isinstance(found, dict):
        return None if found is None else found.get(member)
    return {}
