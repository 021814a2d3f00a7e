"""Real processes for the races."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_WORKERS = Path(__file__).with_name("workers_of_files.py")


@pytest.fixture
def worker(repository: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start a process of `workers_of_files.py`; it is killed when the test ends."""
    started: list[subprocess.Popen[str]] = []

    def start(*arguments: object) -> subprocess.Popen[str]:
        command = [sys.executable, str(_WORKERS), *map(str, arguments)]
        environment = {**os.environ, "PYTHONPATH": str(repository)}
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


@pytest.fixture
def together(worker: Callable[..., subprocess.Popen[str]]) -> Callable[..., list[str]]:
    """Start processes with these argument lists at once, wait for them, and return what each printed."""

    def run(*calls: tuple[object, ...]) -> list[str]:
        processes = [worker(*call) for call in calls]
        printed = [process.communicate(timeout=110)[0] for process in processes]
        assert [process.returncode for process in processes] == [0] * len(calls)
        return printed

    return run
