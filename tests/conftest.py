"""Fixtures for the whole suite."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from types import ModuleType

_HERE = Path(__file__).parent


def _module(name: str, path: Path) -> ModuleType:
    # Tests are imported by path (importlib mode), so a plain module beside them is too.
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def repository() -> Path:
    """The checkout's root."""
    return _HERE.parent


@pytest.fixture(scope="session")
def original() -> ModuleType:
    """The module `tests/original/folder.py`: ids, records, and `write_folder(application_root)`."""
    return _module("calotype_tests_original_folder", _HERE / "original" / "folder.py")


@pytest.fixture
def original_folder(tmp_path: Path, original: ModuleType) -> Path:
    """A data folder as the original application wrote it; `public/` lies beside it."""
    folder: Path = original.write_folder(tmp_path / "application")
    return folder
