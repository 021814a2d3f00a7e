"""The durable write."""

from __future__ import annotations

import ast
import errno
from typing import TYPE_CHECKING, Any

import pytest

from metadata.files import atomic
from metadata.files.filesystem import FileSystem
from metadata.files.identity import identity_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_CALLS = frozenset({"rename", "renames", "fsync", "fdatasync", "sync", "link", "symlink_to", "hardlink_to"})
_MODULES = frozenset({"os", "fs", "shutil"})


def test_writes_and_replaces(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    for data in (b"one", b"", b"three" * 100_000):
        identity = atomic.write_whole(FileSystem(), path, data)
        assert path.read_bytes() == data
        assert identity == identity_of(FileSystem(), path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.json"]


def test_permissions_follow_mode_and_umask(tmp_path: Path) -> None:
    atomic.write_whole(FileSystem(), tmp_path / "secret", b"", mode=0o600)
    assert (tmp_path / "secret").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("call", ["write", "fsync", "rename"])
def test_failure_leaves_the_old_file_and_nothing_else(tmp_path: Path, failing: Any, call: str) -> None:
    path = tmp_path / "a.json"
    atomic.write_whole(failing, path, b"old")
    failing.failing, failing.error = {call}, errno.ENOSPC
    with pytest.raises(OSError, match="space"):
        atomic.write_whole(failing, path, b"new")
    assert path.read_bytes() == b"old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.json"]


def test_failing_source_leaves_nothing(tmp_path: Path) -> None:
    def chunks() -> Iterator[bytes]:
        yield b"half"
        raise ValueError

    with pytest.raises(ValueError, match=r"^$"):
        atomic.write_chunks(FileSystem(), tmp_path / "a", chunks())
    assert list(tmp_path.iterdir()) == []


def test_order_is_write_sync_rename_sync(tmp_path: Path, failing: Any) -> None:
    failing.most = 2
    atomic.write_whole(failing, tmp_path / "a", b"four")
    assert failing.calls == ["write", "write", "fsync", "rename", "fsync"]
    failing.calls.clear()
    atomic.write_whole(failing, tmp_path / "a", b"", sync=False)
    assert failing.calls == ["rename"]


def test_what_fails_after_the_rename_is_not_called_no_space(tmp_path: Path) -> None:
    class Full(FileSystem):
        """Has no room for anything once a file has been renamed."""

        renamed = False

        def rename(self, source: Path, target: Path) -> None:
            super().rename(source, target)
            self.renamed = True

        def fsync(self, descriptor: int) -> None:
            if self.renamed:
                raise OSError(errno.ENOSPC, "no room")
            super().fsync(descriptor)

    with pytest.raises(OSError, match="no room") as raised:
        atomic.write_whole(Full(), tmp_path / "file", b"new")
    assert raised.value.errno == errno.EIO  # "no space" is what says that nothing was done
    assert (tmp_path / "file").read_bytes() == b"new"


def test_new_directories_are_synced_parent_by_parent(tmp_path: Path, failing: Any) -> None:
    atomic.make_dirs(failing, tmp_path / "a" / "b" / "c")
    assert failing.calls == ["fsync"] * 3
    atomic.make_dirs(failing, tmp_path / "a" / "b" / "c")
    assert failing.calls == ["fsync"] * 3
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(NotADirectoryError):
        atomic.make_dirs(failing, tmp_path / "file" / "d")


def test_directory_is_published_once(tmp_path: Path) -> None:
    fs = FileSystem()
    for number in (1, 2):
        staged = tmp_path / f"staged{number}"
        staged.mkdir()
        (staged / "raw").write_bytes(b"%d" % number)
        assert atomic.publish_directory(fs, staged, tmp_path / "final") is (number == 1)
    assert (tmp_path / "final" / "raw").read_bytes() == b"1"
    assert (tmp_path / "staged2" / "raw").exists()
    (tmp_path / "empty").mkdir()
    assert atomic.publish_directory(fs, tmp_path / "staged2", tmp_path / "empty") is False


def test_removing(tmp_path: Path) -> None:
    fs = FileSystem()
    atomic.remove_file(fs, tmp_path / "absent")
    atomic.remove_tree(fs, tmp_path / "absent")
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "kept").write_bytes(b"")
    (tmp_path / "tree" / "inner").mkdir(parents=True)
    (tmp_path / "tree" / "inner" / "file").write_bytes(b"")
    (tmp_path / "tree" / "link").symlink_to(tmp_path / "outside")
    atomic.remove_tree(fs, tmp_path / "tree")
    assert not (tmp_path / "tree").exists()
    assert (tmp_path / "outside" / "kept").exists()


def test_nobody_else_renames_or_syncs(repository: Path) -> None:
    # filesystem.py defines the calls; atomic.py is the only module that makes them.
    allowed = {"metadata/files/atomic.py", "metadata/files/filesystem.py"}
    found = []
    for floor in ("assets", "calotype", "metadata", "server"):
        for path in sorted((repository / floor).rglob("*.py")):
            name = path.relative_to(repository).as_posix()
            if name not in allowed:
                found += [f"{name}:{line}" for line in durable_calls(path.read_text())]
    assert found == []


@pytest.mark.parametrize(
    "source", ["os.replace(a, b)", "path.rename(b)", "path.replace(b)", "from os import fsync", "self._fs.fdatasync(d)"]
)
def test_the_search_finds_what_it_looks_for(source: str) -> None:
    assert durable_calls(source) == [1]
    assert durable_calls('"a".replace("a", "b"); dataclasses.replace(x, y=1); replace(x, y=1)') == []


def durable_calls(source: str) -> list[int]:
    """Return the lines of a program that rename, replace or sync a file."""
    lines = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            called, owner = node.func.attr, node.func.value
            module = isinstance(owner, ast.Name) and owner.id in _MODULES
            replaces = called == "replace" and (module or (len(node.args) == 1 and not node.keywords))
            if called in _CALLS or replaces or (module and called == "move" and ast.unparse(owner) == "shutil"):
                lines.append(node.lineno)
        if isinstance(node, ast.ImportFrom) and node.module in {"os", "shutil"}:
            lines += [node.lineno for alias in node.names if alias.name in {*_CALLS, "replace", "move"}]
    return lines


def test_a_long_name_in_letters_of_several_bytes_can_be_written(tmp_path: Path) -> None:
    path = tmp_path / ("世" * 80 + ".json")  # 245 of 255 bytes
    atomic.write_whole(FileSystem(), path, b"{}")
    assert path.read_bytes() == b"{}"
    assert list(tmp_path.iterdir()) == [path]


def test_several_moves_sync_every_parent_once(tmp_path: Path, failing: Any) -> None:
    for name in ("a", "b"):
        (tmp_path / "from").mkdir(exist_ok=True)
        (tmp_path / "from" / name).write_bytes(name.encode())
    (tmp_path / "to").mkdir()
    moves = [(tmp_path / "from" / name, tmp_path / "to" / name) for name in ("a", "missing", "b")]
    with pytest.raises(FileNotFoundError):
        atomic.move_all(failing, moves)
    assert [path.name for path in (tmp_path / "to").iterdir()] == ["a"]
    atomic.move_all(failing, [moves[2]])
    assert sorted(path.name for path in (tmp_path / "to").iterdir()) == ["a", "b"]
    assert [call for call in failing.calls if call == "fsync"] == ["fsync"] * 4
