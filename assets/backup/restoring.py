"""Putting a backup back: into a new folder, whole or not at all.

A note stands in the folder from before the first file until all of them are compared and on the disk; then it becomes
the marker, by one rename. A folder with the note is refused by whoever opens it.
"""

from __future__ import annotations

import io
import json
import shutil
from typing import TYPE_CHECKING, Final

from metadata.errors import ConflictError, FullError, InvalidError, UnreadableError
from metadata.files import atomic
from metadata.files.engine import FileEngine
from metadata.files.folder import MARKER, RESTORING
from metadata.files.trouble import told

from .copying import Readable, copy
from .report import Restored
from .sources import open_source

if TYPE_CHECKING:
    from pathlib import Path

    from metadata.files.filesystem import FileSystem

    from .manifest import Entry, Manifest
    from .sources import Source

_MARKER_BYTES: Final = 64 * 1024


def restore(fs: FileSystem, place: Path, root: Path) -> Restored:
    """Restore a backup.

    Args:
        fs: reads and writes.
        place: the backup: a folder, or a zip, tar or tar.gz file.
        root: the data folder to be: absent, or empty.

    Raises:
        NotFoundError: there is no backup, or one that was cut off.
        ConflictError: the folder is not empty.
        InvalidError: the backup holds what no backup holds.
        UnreadableError: something is missing in the backup or is not what its list says; the folder is no store then.
        FullError: no room.
    """
    engine = FileEngine.open(root, fs=fs)
    require_empty(engine.paths.root)
    with open_source(fs, place) as source:
        manifest = source.manifest()
        if MARKER not in manifest.entries or manifest.entries[MARKER].size > _MARKER_BYTES:
            raise UnreadableError(f"{place} names no {MARKER}: it is no backup of a store.", path=str(place))
        filling = Filling(engine)
        filling.begin(manifest.size)
        marker = _fill(filling, source, manifest)
        if _store_id(marker) != manifest.head.store_id:
            raise UnreadableError(f"{place} holds the records of another store than it says.", path=str(place))
        filling.end(marker)
    return _told(engine.paths.root, manifest)


class Filling:
    """A folder on its way to be a store.

    Args:
        engine: the file engine of the folder.
    """

    def __init__(self, engine: FileEngine) -> None:
        self._engine = engine
        self._fs = engine.fs
        self._root = engine.paths.root
        self._folders: dict[Path, None] = {}

    def begin(self, size: int) -> None:
        """Make the folder and put the note into it.

        Args:
            size: the bytes that are to come.

        Raises:
            FullError, UnreadableError: there is no room, or the folder cannot be made.
        """
        with told(self._root, "made"):
            atomic.make_dirs(self._fs, self._root)
            free = shutil.disk_usage(self._root).free
        if free < size:
            raise FullError(
                f"There is no room in {self._root}: {size:,} bytes are to come, and {free:,} are free.",
                path=str(self._root),
            )
        with told(self._root, "written"):
            atomic.write_whole(self._fs, self._root / RESTORING, b"")

    def add(self, path: str, source: Readable, size: int, expected: str | None = None) -> str | None:
        """Put a file in its place and return its SHA-256; None, and it is not there, when it has another size or hash.

        Raises:
            FullError, UnreadableError, InvalidError: it cannot be written there.
        """
        place = self._engine.paths.resolve(path)
        with told(path, "written"):
            atomic.make_dirs(self._fs, place.parent, mode=self._engine.folder_mode_of(path))
            with atomic.Draft(self._fs, place, mode=self._engine.mode_of(path)) as draft:
                digest = copy(source, size, draft.write)
                if digest is None or expected not in (None, digest):
                    return None
                draft.settle()
                draft.publish(sync=False)
        self._folders[place.parent] = None
        return digest

    def end(self, marker: bytes | None) -> None:
        """Sync what is left and let the note become the marker; without one it goes.

        Raises:
            FullError, UnreadableError: the disk refused; the folder is no store.
        """
        with told(self._root, "synced"):
            for folder in self._folders:
                atomic.sync_directory(self._fs, folder)
            if marker is None:
                atomic.remove_file(self._fs, self._root / RESTORING)
                return
            atomic.write_whole(self._fs, self._root / RESTORING, marker)
            atomic.move(self._fs, self._root / RESTORING, self._root / MARKER)


def require_empty(root: Path) -> None:
    """Return when a folder is absent or empty.

    Raises:
        ConflictError: there is something in it.
        InvalidError: it is a file.
        UnreadableError: it cannot be listed.
    """
    with told(root, "listed"):
        try:
            names = sorted(entry.name for entry in root.iterdir())
        except FileNotFoundError:
            return
        except NotADirectoryError as error:
            raise InvalidError(f"{root} is not a folder.", path=str(root)) from error
    if RESTORING in names:
        raise ConflictError(
            f"What was being put into {root} before is not whole. Empty the folder and begin again.", path=str(root)
        )
    if set(names) - {"lost+found"}:
        raise ConflictError(
            f"{root} is not empty ({', '.join(names[:3])}). Name an absent or empty folder: nothing is overwritten.",
            path=str(root),
        )


def _fill(filling: Filling, source: Source, manifest: Manifest) -> bytes:
    """Put every file in its place but the marker, which is returned."""
    left = dict(manifest.entries)
    marker = io.BytesIO()
    for entry, content in source.files(manifest):
        if left.pop(entry.path, None) is None:
            raise InvalidError(f"The backup holds {entry.path} twice; it is refused.", path=entry.path)
        add = copy(content, entry.size, marker.write) if entry.path == MARKER else _added(filling, entry, content)
        if add != entry.sha256:
            raise UnreadableError(
                f"{entry.path} is not what the backup's list says: the backup is damaged. Nothing was made a store.",
                path=entry.path,
            )
    for path in left:
        raise UnreadableError(f"{path} is missing in the backup. Nothing was made a store.", path=path)
    return marker.getvalue()


def _store_id(marker: bytes) -> object:
    try:
        value = json.loads(marker)
    except (ValueError, RecursionError):
        return None
    return value.get("storeId") if isinstance(value, dict) else None


def _added(filling: Filling, entry: Entry, content: Readable) -> str | None:
    return filling.add(entry.path, content, entry.size, entry.sha256)


def _told(root: Path, manifest: Manifest) -> Restored:
    head = manifest.head
    return Restored(
        str(root),
        head.taken_at,
        len(manifest.entries),
        manifest.payloads,
        manifest.size,
        dict(head.sealed),
        head.includes_key,
        tuple(head.missing),
    )
