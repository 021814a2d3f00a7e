"""Record what a program does to a folder, system call by system call, with strace.

strace names every descriptor's file (`-y`), so that threads, duplicated descriptors and children need no bookkeeping.
Only what changes the folder, the syncs, and lines written to the acknowledgements' file are kept. At the end the tree
that the calls add up to is compared with the folder itself: a call that was missed, or understood wrongly, fails there.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.crash.states.tree import (
    Acknowledgement,
    Data,
    Entries,
    Event,
    Frozen,
    Length,
    Node,
    Operation,
    Sync,
    freeze,
    load,
    state,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

_CALLS = (
    *("open", "openat", "openat2", "creat", "mkdir", "mkdirat", "rename", "renameat", "renameat2"),
    *("unlink", "unlinkat", "rmdir", "link", "linkat", "symlink", "symlinkat"),
    *("write", "writev", "pwrite64", "pwritev", "pwritev2", "sendfile", "copy_file_range", "ftruncate", "truncate"),
    *("fallocate", "fsync", "fdatasync", "sync", "syncfs"),
)
_HEX = re.compile(rb"\\x([0-9a-f]{2})")
_LINE = re.compile(rb"^(\d+) +(.*)$", re.DOTALL)
_CALL = re.compile(rb"^(\w+)\((.*)\) += (-?\d+)(?:<([^>]*)>(?:\(deleted\))?)?(?: .*)?$", re.DOTALL)
_RESUMED = re.compile(rb"^<\.\.\. (\w+) resumed>(.*)$", re.DOTALL)
_UNFINISHED = b" <unfinished ...>"
_ARGUMENT = re.compile(rb'(-?\w+)<([^>]*)>(\(deleted\))?|"((?:\\x[0-9a-f]{2})*)"(\.\.\.)?|([^,"<>]+)')
_STRACE = ["strace", "-f", "--seccomp-bpf", "-qq", "-y", "-xx", "-s", str(64 * 1024 * 1024), "-e", "signal=none"]


@dataclass(frozen=True, slots=True)
class Recording:
    """What was recorded.

    Attributes:
        before: the tree before the program ran.
        events: what it did to it, in order.
    """

    before: Frozen
    events: tuple[Event, ...]


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument of a call: a number or flags, a string, or a descriptor with the path of its file."""

    text: bytes
    path: bytes | None = None
    deleted: bool = False
    quoted: bool = False


def why_not() -> str | None:
    """Return why nothing can be recorded here; None when it can."""
    if shutil.which("strace") is None:
        return "strace is not installed (Debian: apt-get install strace)"
    tried = subprocess.run(["strace", "-f", "-qq", "-o", os.devnull, "true"], capture_output=True, check=False)
    return None if tried.returncode == 0 else f"strace may not trace here: {tried.stderr.decode().strip()[:200]}"


def record(
    command: Sequence[str], folder: Path, acknowledgements: Path, *, leave_out: Callable[[str], bool]
) -> Recording:
    """Run a command that works on a folder, and return what it did.

    Args:
        command: the program; it writes a line to `acknowledgements` for every promise it makes.
        folder: the folder; other places are not watched.
        acknowledgements: an empty file outside the folder.
        leave_out: tells of an entry of the folder's top level whether it is none of our business.

    Raises:
        AssertionError: the program failed, or the recording does not add up to what the folder holds.
    """
    folder = folder.resolve()
    top = load(folder, leave_out)
    before = freeze(top)
    with tempfile.NamedTemporaryFile(prefix="calls-") as calls:
        options = [*_STRACE, "-e", f"trace={','.join(_CALLS)}", "-o", calls.name]
        done = subprocess.run([*options, "--", *command], capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}"
        reader = _Reader(os.fsencode(folder), os.fsencode(acknowledgements.resolve()), top, leave_out)
        for name, arguments, result, path in _calls(Path(calls.name)):
            reader.take(name, arguments, result, path)
    recording = Recording(before, tuple(reader.events))
    _check(recording, folder, leave_out)
    return recording


def _check(recording: Recording, folder: Path, leave_out: Callable[[str], bool]) -> None:
    operations = [event for event in recording.events if not isinstance(event, Sync | Acknowledgement)]
    modelled = state(recording.before, [(each, None) for each in operations])
    actual = state(freeze(load(folder, leave_out)), [])
    differing = {path for path in modelled.keys() | actual.keys() if modelled.get(path, 0) != actual.get(path, 0)}
    assert not differing, f"the recording does not explain {sorted(differing)[:5]}"


def _calls(path: Path) -> Iterator[tuple[str, list[Argument], int, bytes | None]]:
    begun: dict[bytes, bytes] = {}
    with path.open("rb") as lines:
        for line in lines:
            if (match := _LINE.match(line.rstrip(b"\n"))) is None:
                continue
            thread, body = match.groups()
            if body.endswith(_UNFINISHED):
                begun[thread] = body.removesuffix(_UNFINISHED)
                continue
            if (resumed := _RESUMED.match(body)) is not None:
                body = begun.pop(thread) + resumed[2]
            if (call := _CALL.match(body)) is not None:
                name, arguments, result, opened = call.groups()
                yield name.decode(), _arguments(arguments), int(result), None if opened is None else _plain(opened)


def _arguments(text: bytes) -> list[Argument]:
    found = []
    for match in _ARGUMENT.finditer(text):
        descriptor, path, deleted, string, shortened, bare = match.groups()
        assert shortened is None, "strace cut a string short"
        if descriptor is not None:
            found.append(Argument(descriptor, _plain(path), deleted is not None))
        elif string is not None:
            found.append(Argument(_plain(string), quoted=True))
        elif bare.strip():
            found.append(Argument(bare.strip()))
    return found


def _paths(arguments: Sequence[Argument]) -> list[bytes]:
    """Return the paths among the arguments; one that is not absolute begins at the descriptor before it."""
    found, base = [], b""
    for each in arguments:
        if each.path is not None:
            base = each.path
        elif each.quoted:
            found.append(os.path.normpath(base + b"/" + each.text if not each.text.startswith(b"/") else each.text))
    return found


def _plain(text: bytes) -> bytes:
    return _HEX.sub(lambda match: bytes([int(match[1], 16)]), text)


class _Reader:
    """Turns calls into events, keeping the tree as the running program sees it."""

    def __init__(self, root: bytes, promises: bytes, top: Node, leave_out: Callable[[str], bool]) -> None:
        self.events: list[Event] = []
        self._root = root
        self._promises = promises
        self._top = top
        self._leave_out = leave_out
        self._serial = 0

    def take(self, name: str, arguments: list[Argument], result: int, opened: bytes | None) -> None:
        """Add what one call did; one that failed did nothing."""
        if result < 0:
            return
        handler: Mapping[str, Callable[[list[Argument], int, bytes | None], None]] = {
            **dict.fromkeys(("open", "openat", "openat2", "creat"), self._open),
            **dict.fromkeys(("write", "pwrite64", "writev", "pwritev", "pwritev2"), self._write),
            **dict.fromkeys(("mkdir", "mkdirat"), self._mkdir),
            **dict.fromkeys(("rename", "renameat", "renameat2"), self._rename),
            **dict.fromkeys(("unlink", "unlinkat", "rmdir"), self._unlink),
            **dict.fromkeys(("fsync", "fdatasync"), self._sync),
            "ftruncate": self._ftruncate,
        }
        if name in handler:
            handler[name](arguments, result, opened)
        else:
            # What the store does not do today; should it begin to, this reader has to learn it.
            named = [each.path or each.text for each in arguments if not each.deleted]
            mine = [path for path in named if self._place(path) is not None]
            assert not mine, f"{name} is not understood: {arguments}"

    def _open(self, arguments: list[Argument], _: int, opened: bytes | None) -> None:
        place = None if opened is None else self._place(opened)
        if place is None:
            return
        directory, name = place
        flags = b"|".join(each.text for each in arguments)
        node = directory.names.get(name)
        if node is None:
            self._set(f"create {self._short(opened)}", (directory, name, Node(directory=False)))
        elif b"O_TRUNC" in flags and node.data:
            self._cut(node, 0, opened)

    def _write(self, arguments: list[Argument], result: int, _: bytes | None) -> None:
        file = arguments[0]
        content = b"".join(each.text for each in arguments[1:2])[:result]
        if file.path == self._promises:
            self.events += [Acknowledgement(line) for line in content.decode().splitlines()]
            return
        node = self._node(file)
        if node is None:
            return
        # A plain write goes to the end: the check against the folder finds one that did not.
        offset = int(arguments[3].text) if len(arguments) > 3 else len(node.data)
        node.data.extend(bytes(max(0, offset - len(node.data))))
        node.data[offset : offset + len(content)] = content
        what = f"write {self._short(file.path)} [{offset}+{len(content)}]"
        self._add(Data(self._next(), what, node, offset, content))

    def _ftruncate(self, arguments: list[Argument], _: int, __: bytes | None) -> None:
        node = self._node(arguments[0])
        if node is not None:
            self._cut(node, int(arguments[1].text), arguments[0].path)

    def _mkdir(self, arguments: list[Argument], _: int, __: bytes | None) -> None:
        (path,) = _paths(arguments)
        if (place := self._place(path)) is not None:
            self._set(f"mkdir {self._short(path)}", (*place, Node(directory=True)))

    def _unlink(self, arguments: list[Argument], _: int, __: bytes | None) -> None:
        (path,) = _paths(arguments)
        if (place := self._place(path)) is not None:
            self._set(f"remove {self._short(path)}", (*place, None))

    def _rename(self, arguments: list[Argument], _: int, __: bytes | None) -> None:
        source, target = _paths(arguments)
        old, new = self._place(source), self._place(target)
        if old is None or new is None:
            assert old is None, f"a rename crosses the border of what is watched: {source!r} to {target!r}"
            assert new is None, f"a rename crosses the border of what is watched: {source!r} to {target!r}"
            return
        moved = old[0].names[old[1]]
        self._set(f"rename {self._short(source)} to {self._short(target)}", (*old, None), (*new, moved))

    def _sync(self, arguments: list[Argument], _: int, __: bytes | None) -> None:
        node = self._top if arguments[0].path == self._root else self._node(arguments[0])
        if node is None:
            return

        def covers(operation: Operation) -> bool:
            if isinstance(operation, Entries):
                return any(directory is node for directory, _, _ in operation.sets)
            return operation.node is node

        self.events.append(Sync(f"sync {self._short(arguments[0].path)}", covers))

    def _place(self, path: bytes) -> tuple[Node, bytes] | None:
        """Return the directory and the name of a path that is watched."""
        if not path.startswith(self._root + b"/"):
            return None
        *parents, name = path[len(self._root) + 1 :].split(b"/")
        if self._leave_out(os.fsdecode([*parents, name][0])):
            return None
        directory = self._top
        for parent in parents:
            directory = directory.names[parent]
        return directory, name

    def _node(self, file: Argument) -> Node | None:
        """Return the inode of an open file; None when it has no name any more or is not watched."""
        if file.path is None or file.deleted or (place := self._place(file.path)) is None:
            return None
        return place[0].names.get(place[1])

    def _set(self, what: str, *sets: tuple[Node, bytes, Node | None]) -> None:
        for directory, name, node in sets:
            if node is None:
                del directory.names[name]
            else:
                directory.names[name] = node
        self._add(Entries(self._next(), what, sets))

    def _cut(self, node: Node, length: int, path: bytes | None) -> None:
        if length < len(node.data):
            del node.data[length:]
        else:
            node.data.extend(bytes(length - len(node.data)))
        self._add(Length(self._next(), f"cut {self._short(path)} to {length}", node, length))

    def _add(self, operation: Operation) -> None:
        self.events.append(operation)

    def _next(self) -> int:
        self._serial += 1
        return self._serial

    def _short(self, path: bytes | None) -> str:
        return os.fsdecode((path or b"").removeprefix(self._root + b"/"))
