"""Where a file's bytes come from before they are stored: a path, bytes, or an open file; read in bounded memory."""

from __future__ import annotations

import io
import os
import stat
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from assets.digest import Digest, Hasher
from metadata.errors import InvalidError, NotFoundError, UnreadableError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .interface import Data

CHUNK_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class Source:
    """Bytes about to be read.

    Attributes:
        file: gives them.
        name: what they are called, where that is known.
        size: bytes, where that is known.
        path: where they are, if they are a file's.
    """

    file: BinaryIO
    name: str | None = None
    size: int | None = None
    path: Path | None = None

    def chunks(self) -> Iterator[bytes]:
        """Yield the bytes, at most `CHUNK_BYTES` at a time.

        Raises:
            UnreadableError: the disk does not give them.
        """
        while chunk := self._read():
            yield chunk

    def _read(self) -> bytes:
        if self.path is None:
            return self.file.read(CHUNK_BYTES)
        with _reading(self.path):
            return self.file.read(CHUNK_BYTES)


@contextmanager
def opened(data: Data) -> Iterator[Source]:
    """Open bytes for reading; an open file stays the caller's and is not closed.

    Raises:
        NotFoundError: the path is not there.
        InvalidError: it is not a file.
        UnreadableError: it cannot be read.
    """
    if isinstance(data, Path):
        with _open_path(data) as file:
            yield Source(file, data.name, os.fstat(file.fileno()).st_size, data)
    elif isinstance(data, bytes | bytearray | memoryview):
        yield Source(io.BytesIO(data), size=len(data))
    else:
        yield Source(data)


def digest_of_file(path: Path) -> tuple[Digest, int]:
    """Return a file's SHA-256 and its size in bytes; errors as `opened`."""
    hasher = Hasher()
    with opened(path) as source:
        for chunk in source.chunks():
            hasher.update(chunk)
    return hasher.digest(), hasher.size


def _open_path(path: Path) -> BinaryIO:
    with _reading(path):
        # Without waiting, or the first named pipe in a folder would stop everything.
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    mode = os.fstat(descriptor).st_mode
    if not stat.S_ISREG(mode):
        os.close(descriptor)
        what = "a folder" if stat.S_ISDIR(mode) else "no regular file"
        raise InvalidError(f"{path} is {what}; name a file.", file=str(path))
    return os.fdopen(descriptor, "rb")


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    """Turn the operating system's errors about a path into ours."""
    try:
        yield
    except (FileNotFoundError, NotADirectoryError) as error:
        raise NotFoundError(f"There is no file {path}.", file=str(path)) from error
    except OSError as error:
        raise UnreadableError(f"{path} cannot be read: {error.strerror}.", file=str(path)) from error
