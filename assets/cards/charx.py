"""CHARX: a ZIP with `card.json` at its root and the card's assets beside it, alone or appended to a JPEG.

Nothing is ever unpacked into a folder, and the list of files is measured before it is read. Sources: Character Card V3,
PKWARE's APPNOTE 6.3 (the records at the end of a ZIP), RisuAI and SillyTavern for what is found in the wild.
"""

from __future__ import annotations

import io
import re
import struct
import zipfile
import zlib
from functools import partial
from pathlib import PurePosixPath
from typing import IO, TYPE_CHECKING, BinaryIO, Final

from .errors import DamagedCardError, NotACardError
from .limits import MIB, refuse_above
from .streams import read_at, size_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from _typeshed import WriteableBuffer

    from .limits import CardLimits

CARD_NAME: Final = "card.json"
_END: Final = struct.Struct("<4s4H2LH")
_END_MARK: Final = b"PK\5\6"
_WIDE_MARK: Final = b"PK\6\7"
_WIDE_BYTES: Final = 20
_LIST_MARK: Final = b"PK\1\2"
_COMMENT_BYTES: Final = 65_535
_ENCRYPTED: Final = 1
_DRIVE: Final = re.compile(r"[A-Za-z]:")
_UNFIT: Final = re.compile("[\0\ud800-\udfff]")
_KINDS: Final = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
_FREE_RATIO_BYTES: Final = 16 * MIB
_BLOCK: Final = 64 * 1024
# What Python's reader raises for archives that contradict themselves.
_BROKEN: Final = (zipfile.BadZipFile, zlib.error, EOFError, ValueError, struct.error, RuntimeError)


class Archive:
    """A CHARX that was opened, its limits checked.

    Attributes:
        before: the bytes before the ZIP begins: the size of the JPEG it is appended to.
        openers: what opens each file in it but `card.json`, by its path, with `/` between its parts.
    """

    def __init__(self, source: BinaryIO, limits: CardLimits) -> None:
        _measure(source, limits)
        try:
            self._zip = zipfile.ZipFile(source)
        except _BROKEN as error:
            raise _damaged(error) from error
        listed = self._zip.infolist()
        _check(listed, size_of(source), limits)
        files = {_path(info): info for info in listed if not info.filename.endswith("/")}
        self._limits = limits
        self._card = next((files.pop(path) for path in tuple(files) if path.lower() == CARD_NAME), None)
        self.before = min((info.header_offset for info in listed), default=0)
        self.openers: Mapping[str, Callable[[], BinaryIO]] = {
            path: partial(self._open, info) for path, info in files.items()
        }

    def read_card(self) -> bytes:
        """Return the bytes of `card.json`.

        Raises:
            NotACardError: there is none: it is another kind of ZIP.
            DamagedCardError: it cannot be read.
            TooLargeError: it is over the limit.
        """
        if self._card is None:
            raise NotACardError("This ZIP is no CHARX: there is no card.json at its root.")
        refuse_above(self._limits.json_bytes, self._card.file_size, CARD_NAME)
        with self._open(self._card) as file:
            return file.read()

    def _open(self, info: zipfile.ZipInfo) -> BinaryIO:
        refuse_above(self._limits.asset_bytes, info.file_size, f"{info.filename!r} in the CHARX")
        if info.flag_bits & _ENCRYPTED:
            raise DamagedCardError("The CHARX is encrypted. Export it again without a password.")
        if info.compress_type not in _KINDS:
            raise DamagedCardError("The CHARX is packed in a way that cards are not. Pack it again as an ordinary ZIP.")
        try:
            return io.BufferedReader(_Entry(self._zip.open(info)), _BLOCK)
        except _BROKEN as error:
            raise _damaged(error) from error


class _Entry(io.RawIOBase):
    """A file in the archive, whose damage is told as that of a card."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        view = memoryview(buffer).cast("B")
        try:
            data = self._file.read(len(view))
        except _BROKEN as error:
            raise _damaged(error) from error
        view[: len(data)] = data
        return len(data)

    def close(self) -> None:
        self._file.close()
        super().close()


def has_archive(source: BinaryIO) -> bool:
    """Say whether a file is a ZIP or has one appended: its end says so, and what it points at is there."""
    end = _find_end(source)
    if end is None:
        return False
    place, _, length = end
    listed = 0 < length <= place and read_at(source, place - length, len(_LIST_MARK)) == _LIST_MARK
    return listed or _is_wide(source, place)


def _find_end(source: BinaryIO) -> tuple[int, int, int] | None:
    """Return where the last record is, how many files it counts, and how long the list of them is."""
    size = size_of(source)
    start = max(0, size - _END.size - _COMMENT_BYTES)
    tail = read_at(source, start, size - start)
    at = tail.rfind(_END_MARK, 0, len(tail) - _END.size + len(_END_MARK))
    if at < 0 or len(tail) < _END.size:
        return None
    _, _, _, _, count, length, _, _ = _END.unpack_from(tail, at)
    return start + at, count, length


def _is_wide(source: BinaryIO, place: int) -> bool:
    """Say whether the archive is a ZIP64, whose numbers stand in another record, which would be believed."""
    return place >= _WIDE_BYTES and read_at(source, place - _WIDE_BYTES, len(_WIDE_MARK)) == _WIDE_MARK


def _measure(source: BinaryIO, limits: CardLimits) -> None:
    """Check what the last record says, before the list that it counts is read into memory."""
    end = _find_end(source)
    if end is None:
        raise DamagedCardError("The CHARX breaks off: the list of its files is missing. Download it again.")
    place, count, length = end
    if _is_wide(source, place):
        raise DamagedCardError("The CHARX is a ZIP64, for archives larger than cards are. Pack it as an ordinary ZIP.")
    refuse_above(limits.entries, count, "The CHARX", "files")
    refuse_above(limits.directory_bytes, length, "The list of files in the CHARX")


def _check(listed: Sequence[zipfile.ZipInfo], size: int, limits: CardLimits) -> None:
    """Check what the list says, which may be more than the last record counted."""
    refuse_above(limits.entries, len(listed), "The CHARX", "files")
    total = sum(info.file_size for info in listed)
    refuse_above(limits.total_bytes, total, "The CHARX once unpacked")
    refuse_above(_FREE_RATIO_BYTES + limits.ratio * size, total, f"The CHARX of {size:,} bytes, once unpacked,")


def inner_path(name: str) -> str | None:
    """Return a path inside a folder with `/` between its parts, None for one that leads out of it or is none."""
    path = PurePosixPath(name.replace("\\", "/"))
    outside = path.is_absolute() or ".." in path.parts or not path.parts or _DRIVE.match(path.parts[0])
    return None if outside or _UNFIT.search(name) else str(path)


def _path(info: zipfile.ZipInfo) -> str:
    path = inner_path(info.filename)
    if path is None:  # no program that packs cards makes one
        raise DamagedCardError(f"The CHARX names a file outside of itself, {info.filename[:80]!r}: it is not honest.")
    return path


def _damaged(error: Exception) -> DamagedCardError:
    return DamagedCardError(f"The CHARX is damaged: {error}. Download or export it again.")
