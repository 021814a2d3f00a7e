"""Fixtures for the file engine's tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from metadata.files.engine import FileEngine

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[FileEngine]:
    """A file engine over an empty folder."""
    engine = FileEngine.open(tmp_path / "data", lock_timeout_ms=2000)
    yield engine
    engine.close()
