"""A directory tree as a crash may leave it: nodes, the operations on them, and how to write one out.

A `Node` is an inode; names belong to the directory that holds them, so that a rename, a link and an unlinked file that
is still open are what they are on a disk.
"""

from __future__ import annotations

import itertools
import os
import shutil
import stat
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_numbers = itertools.count()


@dataclass(eq=False, slots=True)
class Node:
    """An inode.

    Attributes:
        directory: whether it is one; else it is a file.
        names: a directory's entries, as the running program sees them.
        data: a file's bytes, as the running program sees them.
    """

    directory: bool
    names: dict[bytes, Node] = field(default_factory=dict)
    data: bytearray = field(default_factory=bytearray)
    number: int = field(default_factory=lambda: next(_numbers))


@dataclass(frozen=True, slots=True)
class Data:
    """Bytes that went into a file."""

    serial: int
    what: str
    node: Node
    offset: int
    content: bytes


@dataclass(frozen=True, slots=True)
class Length:
    """A file that was cut or grown to a length."""

    serial: int
    what: str
    node: Node
    length: int


@dataclass(frozen=True, slots=True)
class Entries:
    """Names that were set, or removed (None), in one step."""

    serial: int
    what: str
    sets: tuple[tuple[Node, bytes, Node | None], ...]


Operation = Data | Length | Entries
Covers = Callable[[Operation], bool]


@dataclass(frozen=True, slots=True)
class Sync:
    """A call that waits for the disk, and which operations it waits for."""

    what: str
    covers: Covers


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """A promise that was made to a client."""

    text: str


Event = Operation | Sync | Acknowledgement
Chosen = tuple[Operation, "bytes | None"]
"""An operation that reached the disk; with bytes, these came in place of the ones that were written."""


@dataclass(frozen=True, slots=True)
class Frozen:
    """What every inode held before the program ran: all of it on the disk."""

    top: Node
    names: Mapping[int, dict[bytes, Node]]
    data: Mapping[int, bytes]


def load(folder: Path, leave_out: Callable[[str], bool]) -> Node:
    """Return the tree of a folder, without the entries of its top level that are to be left out."""
    top = _load(folder)
    for name in [name for name in top.names if leave_out(os.fsdecode(name))]:
        del top.names[name]
    return top


def freeze(top: Node) -> Frozen:
    """Return the tree as it stands, unmoved by what happens to its nodes later."""
    names: dict[int, dict[bytes, Node]] = {}
    data: dict[int, bytes] = {}
    waiting = [top]
    while waiting:
        node = waiting.pop()
        if node.directory:
            names[node.number] = dict(node.names)
            waiting.extend(node.names.values())
        else:
            data[node.number] = bytes(node.data)
    return Frozen(top, names, data)


def state(before: Frozen, chosen: Iterable[Chosen]) -> dict[bytes, bytes | None]:
    """Return the tree that the operations make of the first one: path to a file's bytes, None for a directory."""
    names = {number: dict(entries) for number, entries in before.names.items()}
    data = {number: bytearray(content) for number, content in before.data.items()}
    for operation, instead in chosen:
        match operation:
            case Entries(sets=sets):
                _set_names(names, sets)
            case Length(node=node, length=length):
                _resize(data.setdefault(node.number, bytearray()), length)
            case Data(node=node, offset=offset, content=content):
                _write(data.setdefault(node.number, bytearray()), offset, content if instead is None else instead)
    found: dict[bytes, bytes | None] = {}
    _flatten(before.top, b"", names, data, found)
    return found


def write_out(tree: Mapping[bytes, bytes | None], folder: Path) -> None:
    """Make a folder hold just this tree; files and directories are for their owner alone."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(0o700)
    root = os.fsencode(folder)
    for path, content in tree.items():
        if content is None:
            os.mkdir(root + path, 0o700)  # noqa: PTH102 - names are bytes here
        else:
            descriptor = os.open(root + path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            os.write(descriptor, content)
            os.close(descriptor)


def read_in(folder: Path, leave_out: Sequence[str]) -> dict[str, bytes | None]:
    """Return what a folder holds, but for some entries of its top level."""
    found: dict[str, bytes | None] = {}
    for path in sorted(folder.rglob("*")):
        relative = path.relative_to(folder)
        if relative.parts[0] not in leave_out:
            found[str(relative)] = None if path.is_dir() else path.read_bytes()
    return found


def _load(path: Path) -> Node:
    found = path.lstat()
    if stat.S_ISDIR(found.st_mode):
        return Node(directory=True, names={os.fsencode(each.name): _load(each) for each in path.iterdir()})
    return Node(directory=False, data=bytearray(path.read_bytes()))


def _set_names(names: dict[int, dict[bytes, Node]], sets: Iterable[tuple[Node, bytes, Node | None]]) -> None:
    for directory, name, node in sets:
        entries = names.setdefault(directory.number, {})
        if node is None:
            entries.pop(name, None)
        else:
            entries[name] = node


def _resize(data: bytearray, length: int) -> None:
    if length < len(data):
        del data[length:]
    else:
        data.extend(bytes(length - len(data)))


def _write(data: bytearray, offset: int, content: bytes) -> None:
    if len(data) < offset:
        data.extend(bytes(offset - len(data)))
    data[offset : offset + len(content)] = content


def _flatten(
    node: Node,
    path: bytes,
    names: Mapping[int, dict[bytes, Node]],
    data: Mapping[int, bytearray],
    found: dict[bytes, bytes | None],
) -> None:
    for name, child in sorted(names.get(node.number, {}).items(), key=lambda entry: entry[0]):
        below = path + b"/" + name
        if child.directory:
            found[below] = None
            _flatten(child, below, names, data, found)
        else:
            found[below] = bytes(data.get(child.number, b""))
