"""Fixtures for the whole suite, and its scale.

`CALOTYPE_TEST_SCALE` (1) multiplies the counts: Hypothesis examples here, rounds, processes and records where a test
takes the `scale` fixture. `make verify` and `make soak` set it. It and `CALOTYPE_CORPUS` are taken out of the
environment at once, so that a program under test never sees a setting that is not its own.
"""

from __future__ import annotations

import importlib.util
import os
import resource
import sys
import time
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings

from tests.promises import SOAK, VERIFY, table

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

_HERE = Path(__file__).parent
_SCALE = pytest.StashKey[int]()
_CORPUS = pytest.StashKey[str]()
_DESCRIPTORS = 65_536
_PROMISE = "promise"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--screenshot`, by which the README's picture is made anew."""
    parser.addoption("--screenshot", action="store_true", help="write docs/images/page.png anew (tests/browser)")


def pytest_configure(config: pytest.Config) -> None:
    """Take the suite's own variables out of the environment and set the number of Hypothesis examples."""
    handed = getattr(config, "workerinput", {})  # what the first process gave to a worker of pytest-xdist
    scale = int(handed.get("scale") or os.environ.pop("CALOTYPE_TEST_SCALE", "1"))
    config.stash[_SCALE] = scale
    config.stash[_CORPUS] = handed.get("corpus") or os.environ.pop("CALOTYPE_CORPUS", "")
    # Properties open thousands of stores in one test, and what they drop keeps files open until it is collected.
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, _DESCRIPTORS)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
    # No deadline: a loaded machine is slow, and a test must not fail for that.
    settings.register_profile("calotype", deadline=None, max_examples=100 * scale)
    settings.load_profile("calotype")


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Hand the variables on to a worker of pytest-xdist."""
    node.workerinput["scale"] = node.config.stash[_SCALE]
    node.workerinput["corpus"] = node.config.stash[_CORPUS]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark what tells a figure of docs/reliability.md, and give a night's counts a night's time."""
    for item in items:
        if _PROMISE in getattr(item, "fixturenames", ()):
            item.add_marker(_PROMISE)
        if config.stash[_SCALE] >= SOAK:
            item.add_marker(pytest.mark.timeout(0), append=False)


@pytest.fixture(scope="session")
def scale(pytestconfig: pytest.Config) -> int:
    """By how much to multiply the counts of a heavy test."""
    return pytestconfig.stash[_SCALE]


@pytest.fixture(scope="session")
def counts(scale: int) -> Callable[[int, int, int], int]:
    """Return a function that says how much to do: every day, in `make verify` and in `make soak`, and between them."""

    def between(everyday: int, verify: int, soak: int) -> int:
        if scale <= VERIFY:
            return everyday + (verify - everyday) * (scale - 1) // (VERIFY - 1)
        return verify + (soak - verify) * (scale - VERIFY) // (SOAK - VERIFY)

    return between


@pytest.fixture
def promise(request: pytest.FixtureRequest) -> Callable[[str, int, int], None]:
    """Tell a figure of docs/reliability.md: the row, how much was counted, and how much of it was bad.

    The end of the run prints them all, with the seconds since the test's last figure; a test asserts for itself.
    """
    since = [time.monotonic()]

    def tell(row: str, counted: int, bad: int) -> None:
        seconds, since[0] = time.monotonic() - since[0], time.monotonic()
        request.node.user_properties.append((_PROMISE, (row, counted, bad, seconds)))

    return tell


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the figures, those of one row together."""
    rows: dict[str, list[float]] = defaultdict(lambda: [0, 0, 0])
    for report in (each for reports in terminalreporter.stats.values() for each in reports):
        told = getattr(report, "user_properties", ()) if getattr(report, "when", "") == "call" else ()
        for row, *figures in (value for name, value in told if name == _PROMISE):
            rows[row] = [sum(pair) for pair in zip(rows[row], figures, strict=True)]
    if rows:
        terminalreporter.section("promises")
        for line in table(rows, terminalreporter.config.stash[_SCALE]):
            terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def corpus(pytestconfig: pytest.Config) -> Path:
    """The folder of real files; a test that asks for it is skipped where there is none."""
    named = pytestconfig.stash[_CORPUS]
    folder = Path(named) if named else _HERE.parents[1] / "shared" / "corpus"
    if not (folder / "images").is_dir():
        pytest.skip("no corpus: set CALOTYPE_CORPUS to a folder holding images/ and tavern/")
    return folder


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
def load_beside() -> Callable[[Path], ModuleType]:
    """Load a plain module that stands beside a test, by its path."""
    return lambda path: _module(f"calotype_tests_{path.parent.name}_{path.stem}", path)


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


@pytest.fixture(scope="session")
def serving() -> ModuleType:
    """The module `tests/serving/server.py`: `Server`, a real server in its own process, and `run` for commands."""
    return _module("calotype_tests_serving_server", _HERE / "serving" / "server.py")
