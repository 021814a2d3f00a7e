"""Fixtures for the file engine's tests."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from metadata.files.engine import FileEngine

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[FileEngine]:
    """A file engine over an empty folder."""
    engine = FileEngine.open(tmp_path / "data", lock_timeout_ms=2000)
    yield engine
    engine.close()


@pytest.fixture
def failing() -> Any:
    """A `FailingFileSystem`, see `failing.py`."""
    # Tests are imported by path, so a plain module beside them is too.
    spec = importlib.util.spec_from_file_location("calotype_tests_failing", Path(__file__).with_name("failing.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.FailingFileSystem()
