"""The torn-tail rule: what a crash may have damaged is set aside, what it cannot have damaged is left alone.

A crash damages only the write it interrupts. Each line says, in `_b`, up to where the journal was on the disk when it
was written; so damage at or after the `_b` of the last sound line is the tail, and damage before it is rot. A journal
that others wrote says nothing, and only its last line is tail.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from . import atomic
from .lines import Damage, backwards, read_exactly, read_line, scan

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from .filesystem import FileSystem

_PIECE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Tail:
    """What the end of a journal looks like.

    Attributes:
        begin: the offset from which on damage is tail.
        end: how long the journal should be in bytes.
        damage: what is to be set aside, in order.
        unfinished: the last line is whole but has no line break.
    """

    begin: int
    end: int
    damage: tuple[Damage, ...]
    unfinished: bool


def examine(fs: FileSystem, descriptor: int, path: str, size: int) -> Tail:
    """Look at the last write of a journal, without changing anything."""
    begin = _begin(fs, descriptor, path, size)
    damage: list[Damage] = []
    end = begin
    for item in scan(fs, descriptor, path, begin, size):
        if isinstance(item, Damage):
            damage.append(replace(item, kind="tail"))
        else:
            end = item.end
    unfinished = size > 0 and fs.pread(descriptor, 1, size - 1) != b"\n"
    if unfinished:
        last = next(backwards(fs, descriptor, size), (0, 0, b""))
        rest = read_line(path, *last) if last[1] == size else None
        if isinstance(rest, Damage):
            damage.append(replace(rest, kind="tail"))
            unfinished = False
    cut = bool(damage) and damage[-1].offset >= end and not unfinished
    return Tail(begin, end if cut else size, tuple(damage), unfinished)


def _begin(fs: FileSystem, descriptor: int, path: str, size: int) -> int:
    last: int | None = None
    for offset, end, raw in backwards(fs, descriptor, size):
        last = offset if last is None else last
        item = read_line(path, offset, end, raw)
        if isinstance(item, Damage) or item.check == "altered":
            continue
        if item.check == "absent":
            return last
        return offset if item.batch is None else _boundary(fs, descriptor, min(item.batch, offset), offset)
    return size if last is None else last


def _boundary(fs: FileSystem, descriptor: int, begin: int, offset: int) -> int:
    """Return where a write began, or the line's own offset if that is no longer between two lines.

    Somebody who puts a line in by hand moves all that follow; what they say in `_b` then points into a sound line.
    """
    return begin if begin == 0 or fs.pread(descriptor, 1, begin - 1) == b"\n" else offset


class Repair:
    """Applies the torn-tail rule to a journal; the caller holds its lock.

    Args:
        fs: the file system.
        quarantine: the folder for damaged bytes; it is made when it is needed.
        sync: whether what is done must be on the disk before it is built upon.
    """

    def __init__(self, fs: FileSystem, quarantine: Path, *, sync: bool) -> None:
        self._fs = fs
        self._quarantine = quarantine
        self._sync = sync

    def apply(self, descriptor: int, tail: Tail, size: int) -> int:
        """Set the tail's damage aside and leave the sound lines where they are; return the journal's new size.

        Raises:
            OSError: nothing was removed that is not in `quarantine/` already.
        """
        for damage in tail.damage:
            self._set_aside(descriptor, damage)
        for damage in tail.damage:
            if damage.offset < tail.end:  # sound lines follow: their offsets must stay, so blanks take its place
                blanks = b" " * (damage.length - 1) + b"\n"
                atomic.write_all(self._fs, descriptor, blanks, damage.offset)
        if tail.end < size:
            self._fs.ftruncate(descriptor, tail.end)
        if tail.unfinished:
            atomic.write_all(self._fs, descriptor, b"\n", size)
        if self._sync:
            atomic.sync_data(self._fs, descriptor)
        return tail.end + tail.unfinished

    def _set_aside(self, descriptor: int, damage: Damage) -> None:
        atomic.make_dirs(self._fs, self._quarantine, mode=0o700, sync=self._sync)
        name = f"{damage.path.replace('/', '-')[-150:]}.{damage.offset}.{secrets.token_hex(4)}"
        atomic.write_chunks(
            self._fs, self._quarantine / name, self._pieces(descriptor, damage), mode=0o600, sync=self._sync
        )

    def _pieces(self, descriptor: int, damage: Damage) -> Iterator[bytes]:
        for done in range(0, damage.length, _PIECE):
            yield read_exactly(self._fs, descriptor, min(_PIECE, damage.length - done), damage.offset + done)


def damages(fs: FileSystem, descriptor: int, path: str) -> Iterator[Damage]:
    """Yield what is wrong with a whole journal: rot, and lines whose check value does not fit."""
    for item in scan(fs, descriptor, path):
        if isinstance(item, Damage):
            yield item
        elif item.check == "altered":
            reason = "Its check value does not fit: it was edited by hand, or damaged."
            yield Damage(path, item.offset, item.end - item.offset, reason, "altered")
