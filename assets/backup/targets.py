"""Backups that are folders."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, Self

from metadata.errors import ConflictError, InvalidError, NotFoundError, UnreadableError
from metadata.files import atomic
from metadata.files.trouble import told

from . import places
from .copying import Readable, copy, opened, pieces, sha256_of
from .manifest import NAME, Entry, Manifest, payload_in, pieces_to_lines, read_manifest
from .sources import FolderSource

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from metadata.files.filesystem import FileSystem

_OURS = frozenset({NAME, places.PAYLOADS, places.RECORDS})


class Target(Protocol):
    """Something that a backup is written to; a `with` block ends with all of it or with what was there before.

    Attributes:
        discerning: whether a file that turns out to be wrong can be left out while it is being written.
    """

    discerning: bool

    def __enter__(self) -> Self:
        """Begin."""

    def __exit__(self, *_: object) -> None:
        """Take away what was not finished, where that can be done."""

    def holds(self, path: str) -> Entry | None:
        """Return what is there of a payload already, from a backup before this one; None when it has to be added."""

    def add(self, path: str, source: Readable, size: int, expected: str | None = None) -> str | None:
        """Take a file in and return its SHA-256; None, and nothing is taken in, when it is not the expected one.

        Raises:
            FullError, UnreadableError: it cannot be written.
        """

    def finish(self, manifest: Manifest) -> bool:
        """Verify what was written by reading it again, and publish it; false where it cannot be read again.

        Raises:
            UnreadableError: what is read is not what was written; the backup before, if any, is as it was.
            FullError: no room.
        """


class FolderTarget:
    """A backup in a folder, which it makes, or brings up to date.

    Args:
        fs: writes it.
        root: the folder.
        generation: names this backup's records.
        store_id: the store; a folder keeps backups of one store alone.
        renews: bring a backup that is there up to date.
        rehash: do not trust that payloads which are there are still what they were.

    Raises:
        ConflictError: the folder is not empty, and is not to be renewed.
        InvalidError: it holds something else than a backup of this store.
        UnreadableError: the list in it is damaged.
    """

    discerning = True

    def __init__(
        self, fs: FileSystem, root: Path, generation: str, store_id: str, *, renews: bool = False, rehash: bool = False
    ) -> None:
        self._fs = fs
        self._root = root
        self._generation = generation
        self._rehash = rehash
        self._fresh: list[str] = []
        self._folders: set[Path] = set()
        self._before = self._judged(store_id, renews=renews)

    def __enter__(self) -> Self:
        """Make the folder, and take away what a backup that was cut off left."""
        with told(self._root, "made"):
            atomic.make_dirs(self._fs, self._root, mode=0o700)
        self._prune(() if self._before is None else (self._before,), payloads=False)
        return self

    def __exit__(self, *_: object) -> None:
        """Leave what is there: the next backup into this folder uses it."""

    def holds(self, path: str) -> Entry | None:
        """Return what is there of a payload; what the list does not name, or is not to be trusted, is hashed first."""
        place, digest = self._place(path), payload_in(path)
        known = None if self._before is None else self._before.entries.get(path)
        if digest is None:
            return None
        try:
            with told(place, "read"), opened(self._fs, place) as found:
                entry = Entry(path, found.size, digest)
                trusted = entry == known and not self._rehash
                return entry if trusted or sha256_of(found, found.size) == digest else None
        except UnreadableError as error:
            if isinstance(error.__cause__, FileNotFoundError | NotADirectoryError):
                return None
            raise

    def add(self, path: str, source: Readable, size: int, expected: str | None = None) -> str | None:
        """Take a file in; see `Target.add`."""
        place = self._place(path)
        with told(place, "written"):
            atomic.make_dirs(self._fs, place.parent, mode=0o700)
            with atomic.Draft(self._fs, place, mode=0o600) as draft:
                digest = copy(source, size, draft.write)
                if digest is None or expected not in (None, digest):
                    return None
                draft.settle()
                draft.publish(sync=False)
        self._folders.add(place.parent)
        self._fresh.append(path)
        return digest

    def finish(self, manifest: Manifest) -> bool:
        """Verify, put the new list in place of the old one, and take away what only the old one named."""
        with told(self._root, "synced"):
            for folder in sorted(self._folders):
                atomic.sync_directory(self._fs, folder)
        fresh = {path: manifest.entries[path] for path in self._fresh if path in manifest.entries}
        verify(FolderSource(self._fs, self._root).files(Manifest(manifest.head, fresh)), fresh)
        with told(self._root / NAME, "written"), atomic.Draft(self._fs, self._root / NAME, mode=0o600) as draft:
            for line in manifest.lines():
                draft.write(line)
            draft.settle()
            with opened(self._fs, draft.temporary) as written:
                if read_manifest(pieces_to_lines(pieces(written))) != manifest:
                    raise UnreadableError(f"{NAME} was read again and is not what was written.", path=NAME)
            draft.publish()
        self._prune((manifest,), payloads=True)
        return True

    def _place(self, path: str) -> Path:
        return self._root / places.in_folder(path, self._generation)

    def _judged(self, store_id: str, *, renews: bool) -> Manifest | None:
        """Return the list of the backup that is there, None when there is none."""
        if not self._root.exists():
            return None
        with told(self._root, "listed"):
            names = {entry.name for entry in self._fs.scandir(self._root) if not entry.name.endswith(".tmp")}
        if not names:
            return None
        if not renews:
            raise ConflictError(
                f"{self._root} is not empty. Name another folder, or bring the backup in it up to date with "
                "--incremental.",
                path=str(self._root),
            )
        if names - _OURS:
            raise InvalidError(
                f"{self._root} holds something else than a backup ({', '.join(sorted(names - _OURS)[:3])}). Name "
                "another folder.",
                path=str(self._root),
            )
        try:
            found = FolderSource(self._fs, self._root).manifest()
        except NotFoundError:
            return None  # the first backup into it was cut off; its payloads are compared before they are used
        if found.head.store_id != store_id:
            raise InvalidError(
                f"{self._root} holds backups of another store. Name another folder.", path=str(self._root)
            )
        return found

    def _prune(self, kept: Iterable[Manifest], *, payloads: bool) -> None:
        """Take away records of other backups, and payloads that none of the kept ones names."""
        manifests = list(kept)
        generations = {one.head.generation for one in manifests}
        with told(self._root, "cleared"):
            for name in self._names(""):
                if name.endswith(".tmp"):
                    atomic.remove_file(self._fs, self._root / name, sync=False)
            for name in self._names(places.RECORDS):
                if name not in generations:
                    atomic.remove_tree(self._fs, self._root / places.RECORDS / name)
            if not payloads:
                return
            wanted = {places.in_folder(path, "") for one in manifests for path in one.entries}
            for shard in self._names(places.PAYLOADS):
                for name in self._names(f"{places.PAYLOADS}/{shard}"):
                    if f"{places.PAYLOADS}/{shard}/{name}" not in wanted:
                        atomic.remove_file(self._fs, self._root / places.PAYLOADS / shard / name, sync=False)

    def _names(self, folder: str) -> list[str]:
        try:
            return [entry.name for entry in self._fs.scandir(self._root / folder)]
        except FileNotFoundError:
            return []


def verify(found: Iterable[tuple[Entry, Readable]], wanted: Mapping[str, Entry]) -> None:
    """Compare files with their list.

    Args:
        found: the files as they are read again.
        wanted: the list's entries by path.

    Raises:
        UnreadableError: one is missing, or is not what the list says.
    """
    left = dict(wanted)
    for entry, source in found:
        if left.pop(entry.path, None) is None or sha256_of(source, entry.size) != entry.sha256:
            raise UnreadableError(
                f"{entry.path} was read again and is not what was written: the backup's disk is not to be trusted.",
                path=entry.path,
            )
    for path in left:
        raise UnreadableError(f"{path} was written and is not there when read again.", path=path)
