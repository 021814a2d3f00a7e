"""Reading backups: a folder, or a zip or tar archive. Nothing that is read is believed before it is compared."""

from __future__ import annotations

import gzip
import stat
import tarfile
import zipfile
import zlib
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Protocol, cast

from metadata.errors import InvalidError, NotFoundError, UnreadableError
from metadata.files.trouble import told

from . import places
from .copying import Readable, opened, pieces
from .manifest import NAME, Entry, Manifest, pieces_to_lines, read_manifest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from metadata.files.filesystem import FileSystem

_HEADER_BYTES = 1024 * 1024
"""The most that a tar header may want to be read at once; a path needs six names of 255 bytes."""


_BROKEN = (zipfile.BadZipFile, tarfile.TarError, EOFError, gzip.BadGzipFile, zlib.error, RuntimeError)
"""What the libraries say of archives that are damaged, encrypted, or of a sort that they do not know."""


class Source(Protocol):
    """A backup that can be read, once from its beginning to its end after each `files`."""

    def manifest(self) -> Manifest:
        """Return its list.

        Raises:
            NotFoundError: it has none, so it is no backup, or one that was cut off.
            UnreadableError, InvalidError: the list is damaged, or asks for what is refused.
        """

    def files(self, manifest: Manifest) -> Iterator[tuple[Entry, Readable]]:
        """Yield each file that is there, to be read before the next one.

        Raises:
            InvalidError: there is something that the list does not name, or no plain file.
            UnreadableError: it is damaged.
        """


@contextmanager
def open_source(fs: FileSystem, path: Path) -> Iterator[Source]:
    """Open a backup.

    Raises:
        NotFoundError: there is nothing at the path.
        InvalidError: it is no folder, zip or tar file.
        UnreadableError: it cannot be read.
    """
    if not path.exists():
        raise NotFoundError(f"There is no backup at {path}.", path=str(path))
    if path.is_dir():
        yield FolderSource(fs, path)
        return
    try:
        with told(path, "read"):
            if zipfile.is_zipfile(path):
                with zipfile.ZipFile(path) as archive:
                    yield ZipSource(archive)
            else:
                yield TarSource(path)
    except _BROKEN as error:
        raise UnreadableError(f"{path} is damaged, or no backup: {error}.", path=str(path)) from error


class FolderSource:
    """A backup in a folder.

    Args:
        fs: reads it.
        root: the folder.
    """

    def __init__(self, fs: FileSystem, root: Path) -> None:
        self._fs = fs
        self._root = root

    def manifest(self) -> Manifest:
        """Return its list; errors as `Source.manifest`."""
        place = self._root / NAME
        with told(place, "read"):
            try:
                with opened(self._fs, place) as source:
                    return read_manifest(pieces_to_lines(pieces(source)))
            except FileNotFoundError as error:
                raise no_list(self._root) from error

    def files(self, manifest: Manifest) -> Iterator[tuple[Entry, Readable]]:
        """Yield each file; errors as `Source.files`."""
        for entry in manifest.entries.values():
            place = self._root / places.in_folder(entry.path, manifest.head.generation)
            with told(place, "read"), opened(self._fs, place) as source:
                yield entry, source


class ZipSource:
    """A backup in a zip archive."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive

    def manifest(self) -> Manifest:
        """Return its list; errors as `Source.manifest`."""
        try:
            source = self._archive.open(NAME)
        except KeyError as error:
            raise no_list(self._archive.filename) from error
        with source:
            return read_manifest(pieces_to_lines(pieces(source)))

    def files(self, manifest: Manifest) -> Iterator[tuple[Entry, Readable]]:
        """Yield each file; errors as `Source.files`."""
        for member in self._archive.infolist():
            if member.filename == NAME:
                continue
            mode = member.external_attr >> 16
            entry = _listed(
                manifest, member.filename, plain=not member.is_dir() and stat.S_IFMT(mode) in {0, stat.S_IFREG}
            )
            with self._archive.open(member) as source:
                yield entry, source


class TarSource:
    """A backup in a tar archive, compressed by gzip or not."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def manifest(self) -> Manifest:
        """Return its list; errors as `Source.manifest`."""
        with self._opened() as archive:
            for member in _members(archive):
                if member.name == NAME and member.isreg():
                    return read_manifest(pieces_to_lines(pieces(_content(archive, member))))
        raise no_list(self._path)

    def files(self, manifest: Manifest) -> Iterator[tuple[Entry, Readable]]:
        """Yield each file; errors as `Source.files`."""
        with self._opened() as archive:
            for member in _members(archive):
                if member.name != NAME:
                    entry = _listed(manifest, member.name, plain=member.isreg() and not member.issparse())
                    yield entry, _content(archive, member)

    @contextmanager
    def _opened(self) -> Iterator[tarfile.TarFile]:
        with self._path.open("rb") as file:
            packed = file.read(2) == b"\x1f\x8b"
            file.seek(0)
            plain = cast("IO[bytes]", gzip.GzipFile(fileobj=file) if packed else file)
            with tarfile.open(fileobj=cast("IO[bytes]", _Modest(plain)), mode="r:") as archive:
                yield archive


class _Modest:
    """A file that refuses to be read in one go: what an archive says of a header's length is not to be believed."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def read(self, length: int = -1, /) -> bytes:
        """Return up to `length` bytes."""
        if not 0 <= length <= _HEADER_BYTES:
            raise UnreadableError("The archive has a header that is too long for any backup; it is refused.")
        return self._file.read(length)

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """Go to an offset."""
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """Return where it stands."""
        return self._file.tell()


def _members(archive: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    """Yield the members one by one; the library would keep them all, a kilobyte each."""
    while (member := archive.next()) is not None:
        archive.members = []  # type: ignore[attr-defined] # no part of its stub
        yield member


def _content(archive: tarfile.TarFile, member: tarfile.TarInfo) -> Readable:
    return cast("Readable", archive.extractfile(member))  # None only for what is no plain file


def _listed(manifest: Manifest, name: str, *, plain: bool) -> Entry:
    entry = manifest.entries.get(name)
    if entry is None or not plain:
        kind = "which its list does not name" if plain else "which is no plain file"
        raise InvalidError(f"The backup holds {name[:80]!r}, {kind}; it is refused.", path=name[:80])
    return entry


def no_list(where: object) -> NotFoundError:
    """Return the error of a backup without its list."""
    return NotFoundError(
        f"{where} holds no {NAME}: it is no backup of Calotype, or one that was cut off before it was whole.",
        path=str(where),
    )
