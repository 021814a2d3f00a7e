"""A payload on its way into a file: checked against its hash, and there whole or not at all."""

from __future__ import annotations

import os
import secrets
import stat
from typing import TYPE_CHECKING, BinaryIO

from assets.digest import Hasher, parse_digest
from metadata.errors import InvalidError, UnreadableError
from metadata.files.atomic import move
from metadata.files.filesystem import FileSystem

from ..sources import CHUNK_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def copy_checked(source: BinaryIO, target: BinaryIO, sha256: str) -> int:
    """Copy bytes and return how many there were.

    Raises:
        UnreadableError: they have not this hash.
    """
    hasher = Hasher()
    while chunk := source.read(CHUNK_BYTES):
        hasher.update(chunk)
        target.write(chunk)
    if hasher.digest() != parse_digest(sha256):
        raise UnreadableError(f"The bytes that came are not {sha256}: they hash to {hasher.digest()}.", object=sha256)
    return hasher.size


def save(source: BinaryIO, target: Path, sha256: str) -> int:
    """Copy bytes into a file and return how many there were; until all of them are right, the file is not touched.

    Raises:
        InvalidError: the target is a folder, or lies in none.
        UnreadableError: the bytes have not this hash, or cannot be written.
    """
    return save_with(target, lambda file: copy_checked(source, file, sha256))


def save_with(target: Path, fill: Callable[[BinaryIO], int]) -> int:
    """Have a file filled and return how many bytes that were; until all of it is there, the file is not touched.

    Raises:
        InvalidError: the target is a folder, or lies in none.
        UnreadableError: it cannot be written.
        CalotypeError: what `fill` raised.
    """
    try:
        # A link stays a link: what it points to is replaced.
        place = target.resolve()
        mode = place.stat().st_mode if place.exists() else None
        if mode is not None and stat.S_ISDIR(mode):
            raise InvalidError(f"{target} is a folder; name a file.", field="output")
        if mode is not None and not stat.S_ISREG(mode):
            with place.open("wb") as device:  # /dev/null, a named pipe
                return fill(device)
        return _replace(place, mode, fill)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise InvalidError(f"There is no folder {target.parent}.", field="output") from error
    except OSError as error:
        raise UnreadableError(f"{target} cannot be written: {error.strerror}.", file=str(target)) from error


def _replace(place: Path, mode: int | None, fill: Callable[[BinaryIO], int]) -> int:
    draft = place.with_name(f".{place.name[:100]}.{secrets.token_hex(4)}.part")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
    try:
        with os.fdopen(descriptor, "wb") as file:
            size = fill(file)
            if mode is not None:
                os.fchmod(file.fileno(), stat.S_IMODE(mode))
        move(FileSystem(), draft, place)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    return size
