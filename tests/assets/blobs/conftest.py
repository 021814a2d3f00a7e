"""A data folder for payloads."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from assets.blobs.local import LocalBlobs
from metadata.clock import SystemClock
from metadata.files.filesystem import FileSystem
from metadata.files.paths import DataPaths

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return an empty folder."""
    path = tmp_path / "data"
    path.mkdir()
    return path


@pytest.fixture
def blobs(root: Path) -> LocalBlobs:
    """Return a store in that folder."""
    return LocalBlobs(FileSystem(), DataPaths(root), SystemClock())
