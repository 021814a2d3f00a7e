"""Stores to work on: in memory, and over plain files in a folder of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from metadata.documents.json_files import JsonFiles
from metadata.documents.memory import MemoryDocuments
from metadata.files.engine import FileEngine

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def memory() -> Iterator[MemoryDocuments]:
    """An empty store in memory."""
    store = MemoryDocuments()
    yield store
    store.close()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The data folder of `files`."""
    return tmp_path / "data"


@pytest.fixture
def files(root: Path) -> Iterator[JsonFiles]:
    """An empty store over plain files."""
    root.mkdir()
    store = JsonFiles(FileEngine.open(root))
    yield store
    store.close()
