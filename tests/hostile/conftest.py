"""Fixtures of the hostile tests: servers, and what to send to them."""

from __future__ import annotations

import contextlib
import importlib.util
import socket
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import uvicorn

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Iterator
    from types import ModuleType

    from starlette.types import ASGIApp


def _beside(name: str) -> ModuleType:
    whole = f"calotype_tests_hostile_{name}"
    if whole in sys.modules:
        return sys.modules[whole]
    spec = importlib.util.spec_from_file_location(whole, Path(__file__).with_name(f"{name}.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[whole] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def probes() -> ModuleType:
    """The module `tests/hostile/probes.py`."""
    return _beside("probes")


@pytest.fixture(scope="session")
def wire() -> ModuleType:
    """The module `tests/hostile/wire.py`: raw bytes to a server and back."""
    return _beside("wire")


@pytest.fixture(scope="session")
def slow() -> ModuleType:
    """The module `tests/hostile/slow.py`: clients that hold a connection."""
    return _beside("slow")


@pytest.fixture(scope="session")
def awkward() -> ModuleType:
    """The module `tests/hostile/awkward.py`: names."""
    return _beside("awkward")


@pytest.fixture(scope="session")
def damage() -> ModuleType:
    """The module `tests/hostile/damage.py`: forms that are not whole."""
    return _beside("damage")


@pytest.fixture(scope="session")
def server(serving: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A server in its own process, for tests that leave it as sound as it was."""
    with serving.Server(tmp_path_factory.mktemp("hostile") / "data") as started:
        yield started


@pytest.fixture
def plain() -> Iterator[Callable[[ASGIApp, type[asyncio.Protocol] | str], int]]:
    """Return a function that serves an application in a thread by a protocol and returns the port: for controls."""
    with contextlib.ExitStack() as stack:

        def start(app: ASGIApp, protocol: type[asyncio.Protocol] | str) -> int:
            listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
            config = uvicorn.Config(app, http=protocol, log_config=None, lifespan="off", timeout_keep_alive=3600)
            running = uvicorn.Server(config)
            thread = threading.Thread(target=running.run, args=([listener],), daemon=True)
            stack.callback(_stop, running, thread)
            thread.start()
            while not running.started:
                time.sleep(0.005)
            return int(listener.getsockname()[1])

        yield start


def _stop(running: uvicorn.Server, thread: threading.Thread) -> None:
    running.should_exit = running.force_exit = True
    thread.join(30)


@pytest.fixture(scope="session")
def ruin() -> ModuleType:
    """The module `tests/hostile/ruin.py`: pictures that are damaged or made to do harm."""
    return _beside("ruin")
