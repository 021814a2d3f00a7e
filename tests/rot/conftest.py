"""The module `filled.py` as a fixture, and one filled store to be copied."""

from __future__ import annotations

import importlib.util
import logging
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import ModuleType


def _module(name: str) -> ModuleType:
    """Load a module that lies beside this one."""
    full = f"calotype_tests_rot_{name}"
    if full not in sys.modules:
        spec = importlib.util.spec_from_file_location(full, Path(__file__).with_name(f"{name}.py"))
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[full] = module
        spec.loader.exec_module(module)
    return sys.modules[full]


@pytest.fixture(scope="session")
def rot() -> ModuleType:
    """The module `filled.py`: `fill`, `Filled`, `bodies`, `places`, `put` and `flip`."""
    return _module("filled")


@pytest.fixture(scope="session")
def damage() -> ModuleType:
    """The module `damage.py`: `WAYS` to damage a store."""
    return _module("damage")


@pytest.fixture(scope="session")
def model(rot: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A filled store that nobody changes."""
    return rot.fill(tmp_path_factory.mktemp("rot") / "model")


@pytest.fixture
def copied(rot: ModuleType, model: Any, tmp_path: Path) -> Iterator[Callable[[], Any]]:
    """Return a function that makes a copy of the filled store; it is removed by the next one."""
    logger = logging.getLogger("calotype")
    before = logger.level
    logger.setLevel(logging.CRITICAL)
    root = tmp_path / "copy"

    def copy() -> Any:
        shutil.rmtree(root, ignore_errors=True)
        shutil.copytree(model.root, root)
        return rot.Filled(root, dict(model.payloads))

    yield copy
    logger.setLevel(before)
    shutil.rmtree(root, ignore_errors=True)
