"""Stores to work on: in memory, and over plain files in a folder of their own; and what an index holds."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from metadata.documents.json_files import JsonFiles
from metadata.documents.memory import MemoryDocuments
from metadata.files.engine import FileEngine

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Index = dict[str, list[tuple[object, ...]]]

POSITIONS = {"seq", "indexed_ns"}
"""Columns that a rebuild may fill otherwise: positions are given anew, and time goes on."""


@pytest.fixture
def memory() -> Iterator[MemoryDocuments]:
    """An empty store in memory."""
    store = MemoryDocuments()
    yield store
    store.close()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A data folder, empty."""
    folder = tmp_path / "data"
    folder.mkdir()
    return folder


@pytest.fixture
def open_files() -> Iterator[Callable[[Path], JsonFiles]]:
    """A function that opens a folder; what it opened is closed at the end."""
    opened: list[JsonFiles] = []

    def open_one(root: Path) -> JsonFiles:
        opened.append(JsonFiles(FileEngine.open(root)))
        return opened[-1]

    yield open_one
    for store in opened:
        store.close()


@pytest.fixture
def files(root: Path, open_files: Callable[[Path], JsonFiles]) -> JsonFiles:
    """A store over plain files in `root`."""
    return open_files(root)


def content_of(path: Path) -> Index:
    """Return everything an index says, by table, without what a rebuild may number otherwise."""
    with closing(sqlite3.connect(path)) as db:
        names = [str(row[0]) for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        plain = [name for name in names if not name.startswith(("f_", "sqlite_")) and name not in {"meta", "pending"}]
        found: Index = {}
        for name in plain:
            columns = [str(row[1]) for row in db.execute(f'PRAGMA table_info("{name}")') if row[1] not in POSITIONS]
            wanted = ", ".join(f'"{column}"' for column in columns)
            found[name] = sorted(db.execute(f'SELECT {wanted} FROM "{name}"').fetchall(), key=repr)  # noqa: S608 - names from the schema
            texts = name.replace("k_", "f_", 1)
            if texts != name and texts in names:
                db.execute(f'CREATE VIRTUAL TABLE temp."v_{texts}" USING fts5vocab(main, "{texts}", instance)')
                search = f'SELECT key, term, col, v."offset" FROM "{name}" JOIN "v_{texts}" v ON doc = seq'  # noqa: S608 - the same
                found[texts] = sorted(db.execute(search).fetchall())
        found["counts"] = [row for row in found["counts"] if row[-1] != 0]
        return found


@pytest.fixture
def rebuilt_differs() -> Callable[[Path], Index]:
    """A function from a data folder to the rows that its index has and a fresh one has not, or the other way round."""

    def compare(root: Path) -> Index:
        with tempfile.TemporaryDirectory() as elsewhere:
            fresh = JsonFiles(FileEngine.open(root), cache_dir=Path(elsewhere))
            fresh.close()
            new = content_of(Path(elsewhere) / "index.sqlite3")
        old = content_of(root / "cache" / "index.sqlite3")
        assert old.keys() == new.keys()
        return {name: differing for name in old if (differing := sorted({*old[name]} ^ {*new[name]}, key=repr))}

    return compare


class Worker:
    """A process that runs a command of `worker.py`; it waits for `go` where the command does."""

    def __init__(self, command: str, root: Path, given: object) -> None:
        script = Path(__file__).with_name("worker.py")
        checkout = Path(__file__).parents[3]
        self.process = subprocess.Popen(
            [sys.executable, str(script), command, str(root), json.dumps(given)],
            env={**os.environ, "PYTHONPATH": str(checkout)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def go(self) -> Worker:
        """Let it begin."""
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return self

    def answers(self, code: int = 0) -> list[Any]:
        """Wait for its end, which must have this exit code, and return what it said."""
        said, _ = self.process.communicate()
        assert self.process.returncode == code
        return [json.loads(line) for line in said.splitlines()]


@pytest.fixture
def worker() -> Iterator[Callable[..., Worker]]:
    """A function that starts a `Worker` from a command, a folder and what it is given."""
    started: list[Worker] = []

    def start(command: str, root: Path, given: object) -> Worker:
        started.append(Worker(command, root, given))
        return started[-1]

    yield start
    for one in started:
        if one.process.poll() is None:
            one.process.kill()
        one.process.communicate()
