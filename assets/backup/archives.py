"""Backups that are one file or stream: zip, tar, or tar compressed by gzip, with the paths of a data folder."""

from __future__ import annotations

import gzip
import hashlib
import io
import tarfile
import time
import zipfile
from contextlib import ExitStack
from typing import IO, TYPE_CHECKING, Final, Protocol, Self, cast

from metadata.errors import ConflictError, InvalidError, UnreadableError
from metadata.files import atomic
from metadata.files.trouble import told

from .copying import Readable, copy
from .manifest import NAME, Entry, Manifest
from .sources import open_source
from .targets import verify

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from metadata.files.filesystem import FileSystem

STREAM: Final = "-"
"""The name of standard output as a target."""

_ENDINGS: Final = {".zip": "zip", ".tar": "tar", ".tar.gz": "tar.gz", ".tgz": "tar.gz"}
_LEVEL: Final = 1
"""Pictures do not shrink; records do at any level."""


class Writer(Protocol):
    """What puts files into an archive, one after the other."""

    def add(self, path: str, source: Readable, size: int, seconds: float) -> str | None:
        """Put a file in and return its SHA-256, None when it had not `size` bytes."""

    def close(self) -> None:
        """Write the archive's end."""


def format_of(name: str) -> str | None:
    """Return the format that a target's name asks for: `zip`, `tar`, `tar.gz`; None for a folder."""
    if name == STREAM:
        return "tar"
    return next((form for ending, form in _ENDINGS.items() if name.lower().endswith(ending)), None)


class ArchiveTarget:
    """A backup in an archive.

    Args:
        fs: writes it.
        path: the archive, which must not be there; None for a stream.
        form: as `format_of` says.
        seconds: when the files in it were taken, unix seconds.
        stream: takes the bytes when there is no path.

    Raises:
        ConflictError: there is a file of this name.
        InvalidError: the folder for it does not exist.
    """

    discerning = False

    def __init__(
        self, fs: FileSystem, path: Path | None, form: str, seconds: float, stream: IO[bytes] | None = None
    ) -> None:
        self._fs = fs
        self._path = path
        self._name = "Standard output" if path is None else str(path)
        self._form = form
        self._seconds = seconds
        self._stream = stream
        self._held = ExitStack()
        self._draft: atomic.Draft | None = None
        self._writer: Writer | None = None
        self._sink: Callable[[bytes], object] | None = None
        if path is not None and path.exists():
            raise ConflictError(f"{path} is there already. Name another file.", path=str(path))
        if path is not None and not path.parent.is_dir():
            raise InvalidError(f"There is no folder {path.parent}. Make it first.", path=str(path.parent))

    def __enter__(self) -> Self:
        """Open the archive under a temporary name."""
        zipped = self._form == "zip"
        with ExitStack() as undone, told(self._name, "written"):
            undone.callback(self.__exit__)
            if self._path is None:
                self._sink = cast("IO[bytes]", self._stream).write
            else:
                self._draft = self._held.enter_context(atomic.Draft(self._fs, self._path, mode=0o600))
                self._sink = self._draft.write
            self._writer = ZipWriter(self._write) if zipped else TarWriter(self._write, packed=self._form == "tar.gz")
            undone.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        """Take the archive away unless it was finished."""
        self._sink = None
        self._held.close()

    def _write(self, data: bytes) -> None:
        # What the libraries write when they are collected must not go to a descriptor that is somebody else's by then.
        if self._sink is not None:
            self._sink(data)

    def holds(self, path: str) -> Entry | None:
        """Return None: an archive is written anew each time."""
        del path
        return None

    def add(self, path: str, source: Readable, size: int, expected: str | None = None) -> str | None:
        """Take a file in; see `Target.add`. What is expected was compared by the caller: nothing can be taken back."""
        try:
            with told(self._name, "written"):
                digest = cast("Writer", self._writer).add(path, source, size, self._seconds)
        except UnreadableError as error:
            if error.details.get("path") == self._name:
                raise
            raise InvalidError(f"The archive is cut short: {error.message}", path=path) from error
        if digest is None or expected not in (None, digest):
            raise InvalidError(f"{path} changed while it was being read; try again.", path=path)
        return digest

    def finish(self, manifest: Manifest) -> bool:
        """Write the list and the end; verify and publish what is not a stream."""
        lines = b"".join(manifest.lines())
        with told(self._name, "written"):
            cast("Writer", self._writer).add(NAME, io.BytesIO(lines), len(lines), self._seconds)
            cast("Writer", self._writer).close()
        if self._draft is None or self._path is None:
            cast("IO[bytes]", self._stream).flush()
            return False
        with told(self._path, "synced"):
            self._draft.settle()
        with open_source(self._fs, self._draft.temporary) as source:
            read = source.manifest()
            verify(source.files(read), manifest.entries)
        with told(self._path, "written"):
            self._draft.publish()
        return True


class ZipWriter:
    """Puts files into a zip archive: payloads as they are, records deflated."""

    def __init__(self, write: Callable[[bytes], object]) -> None:
        self._archive = zipfile.ZipFile(cast("IO[bytes]", _Output(write)), "w", compresslevel=_LEVEL)

    def add(self, path: str, source: Readable, size: int, seconds: float) -> str | None:
        """Put a file in; see `Writer.add`."""
        member = zipfile.ZipInfo(path, _zip_time(seconds))
        member.compress_type = zipfile.ZIP_STORED if path.startswith("binaries/") else zipfile.ZIP_DEFLATED
        member.external_attr = 0o100600 << 16
        member.file_size = size
        with self._archive.open(member, "w") as target:
            return copy(source, size, target.write)

    def close(self) -> None:
        """Write the archive's end."""
        self._archive.close()


class TarWriter:
    """Puts files into a tar archive (pax)."""

    def __init__(self, write: Callable[[bytes], object], *, packed: bool) -> None:
        output = cast("IO[bytes]", _Output(write))
        self._zipped = gzip.GzipFile(fileobj=output, mode="wb", compresslevel=_LEVEL) if packed else None
        self._output = cast("IO[bytes]", self._zipped) if self._zipped is not None else output
        # Not as a stream of the library's (`w|`): that one writes on when it is collected after a failure.
        self._archive = tarfile.TarFile(fileobj=self._output, mode="w", format=tarfile.PAX_FORMAT)

    def add(self, path: str, source: Readable, size: int, seconds: float) -> str | None:
        """Put a file in; see `Writer.add`."""
        member = tarfile.TarInfo(path)
        member.size, member.mtime, member.mode = size, int(seconds), 0o600
        hashed = _Hashed(source, size)
        self._archive.addfile(member, cast("IO[bytes]", hashed))
        # It would keep them all, a kilobyte each, and nobody asks.
        self._archive.members = []  # type: ignore[attr-defined] # no part of its stub
        return hashed.digest

    def close(self) -> None:
        """Write the archive's end."""
        self._archive.close()
        if self._zipped is not None:
            self._zipped.close()


class _Hashed:
    """Gives the bytes of a source, and their hash when all were given."""

    def __init__(self, source: Readable, size: int) -> None:
        self._source = source
        self._left = size
        self._hash = hashlib.sha256()

    @property
    def digest(self) -> str | None:
        return self._hash.hexdigest() if not self._left and not self._source.read(1) else None

    def read(self, length: int = -1, /) -> bytes:
        piece = self._source.read(min(length, self._left))
        self._hash.update(piece)
        self._left -= len(piece)
        return piece


class _Output:
    """A file that can only be written to."""

    def __init__(self, write: Callable[[bytes], object]) -> None:
        self._write = write
        self._at = 0

    def write(self, data: bytes) -> int:
        self._write(data)
        self._at += len(data)
        return len(data)

    def tell(self) -> int:
        """Return how many bytes were written."""
        return self._at

    def flush(self) -> None:
        """Do nothing: what is to reach the disk is synced by its owner."""


def _zip_time(seconds: float) -> tuple[int, int, int, int, int, int]:
    earliest, latest = 315_532_800, 4_354_819_198  # what the format can say: 1980 to 2107
    found = time.gmtime(min(max(seconds, earliest), latest))
    return found[:6]
