"""A journal's bytes as lines, forwards and backwards, in constant memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from ..errors import UnreadableError
from .codec import Check, decode_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .filesystem import FileSystem

LONGEST = 64 * 1024 * 1024
"""Bytes; a longer line is damage: something else was written there."""

_CHUNK = 256 * 1024
_FIRST_BLOCK = 4096


@dataclass(frozen=True, slots=True)
class Line:
    """A line that can be read.

    Attributes:
        offset: the byte it begins at.
        end: the byte after its line break.
        record: its members without `_b` and `_crc`.
        check: what its check value says.
        batch: the offset up to which the journal was known to be synced when it was written; None in foreign lines.
    """

    offset: int
    end: int
    record: dict[str, Any]
    check: Check
    batch: int | None


@dataclass(frozen=True, slots=True)
class Damage:
    """A part of a journal that is not as it was written.

    Attributes:
        path: the journal, relative.
        offset: the byte it begins at.
        length: bytes, with the line break if there is one.
        reason: a sentence.
        kind: `rot` lies before the last write and is kept; `tail` lies in it and was moved to `quarantine/`;
            `altered` can be read, but its check value does not fit.
    """

    path: str
    offset: int
    length: int
    reason: str
    kind: Literal["rot", "tail", "altered"]


def scan(
    fs: FileSystem, descriptor: int, path: str, start: int = 0, limit: int | None = None
) -> Iterator[Line | Damage]:
    """Yield the lines from `start` on, in order, up to the last line break; blank lines are passed over.

    Args:
        fs: the file system.
        descriptor: the journal, open for reading.
        path: its relative path, for reports.
        start: the offset of a line.
        limit: read no further than this offset; None reads to the end.
    """
    for offset, end, raw in _raw_lines(fs, descriptor, start, limit):
        if raw is None:
            yield Damage(path, offset, end - offset, f"It is longer than {LONGEST} bytes.", "rot")
        elif not blank(raw):
            yield read_line(path, offset, end, raw)


def read_line(path: str, offset: int, end: int, raw: bytes) -> Line | Damage:
    """Make a line, or a report of damage, of bytes given without their line break."""
    try:
        decoded = decode_line(raw)
    except UnreadableError as error:
        return Damage(path, offset, end - offset, error.message, "rot")
    return Line(offset, end, decoded.record, decoded.check, decoded.batch)


def blank(raw: bytes) -> bool:
    """Tell whether a line holds nothing but white space."""
    return not raw or raw.isspace()


def backwards(fs: FileSystem, descriptor: int, size: int) -> Iterator[tuple[int, int, bytes]]:
    """Yield (offset, end, bytes without line break) of each line that is not blank, the last one first.

    A last line without a line break ends where it begins plus its length; every other ends one byte later.
    """
    held, position, block, after = b"", size, _FIRST_BLOCK, 0
    while position > 0:
        taken = min(block, position)
        position -= taken
        held = read_exactly(fs, descriptor, taken, position) + held
        first, *complete = held.split(b"\n")
        end = position + len(held) + after
        for raw in reversed(complete):
            begin = end - after - len(raw)
            if not blank(raw):
                yield begin, end, raw
            end, after = begin, 1
        held, block = first, max(block, 2 * len(first))
    if not blank(held):
        yield 0, len(held) + after, held


def read_exactly(fs: FileSystem, descriptor: int, length: int, offset: int) -> bytes:
    """Read this many bytes, looping over short reads; fewer only at the end of the file."""
    data = fs.pread(descriptor, length, offset)
    if len(data) in {0, length}:
        return data
    parts = [data]
    have = len(data)
    while have < length and (data := fs.pread(descriptor, length - have, offset + have)):
        parts.append(data)
        have += len(data)
    return b"".join(parts)


def _raw_lines(
    fs: FileSystem, descriptor: int, start: int, limit: int | None
) -> Iterator[tuple[int, int, bytes | None]]:
    begin = position = start
    parts: list[bytes] = []
    while chunk := fs.pread(descriptor, _CHUNK if limit is None else max(0, min(_CHUNK, limit - position)), position):
        pieces = chunk.split(b"\n")
        parts.append(pieces[0])
        for piece in pieces[1:]:
            end = position + len(parts[-1]) + 1
            # Of a line that is too long only the last part is held.
            yield begin, end, None if end - begin > LONGEST else b"".join(parts) if len(parts) > 1 else parts[0]
            begin = position = end
            parts = [piece]
        position += len(parts[-1])
        if position - begin > LONGEST:
            parts = []
