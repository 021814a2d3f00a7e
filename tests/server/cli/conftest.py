"""Running the command line: in this process, with the environment and the output under control."""

from __future__ import annotations

import json
import os
import signal
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from server.cli.program import run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Result:
    """What a command did."""

    status: int
    bytes: bytes
    err: str

    @property
    def out(self) -> str:
        return self.bytes.decode()

    def json(self) -> Any:
        return json.loads(self.bytes)


class Invoke(Protocol):
    """Runs a command on the folder of the test."""

    def __call__(self, *arguments: object) -> Result: ...


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where DATA_DIR points; not there yet."""
    return tmp_path / "data"


@pytest.fixture
def _quiet_process() -> Iterator[None]:
    """Put back what the program sets for its own process."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    hook = sys.excepthook
    yield
    for number, handler in before.items():
        signal.signal(number, handler)
    sys.excepthook = hook


@pytest.fixture
def calo(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes], _quiet_process: None
) -> Invoke:
    """Run a command and return what came of it."""
    for name in list(os.environ):
        if name.startswith(("CALOTYPE_", "DATA_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("DATA_DIR", str(folder))
    monkeypatch.setenv("CALOTYPE_MIN_FREE_BYTES", "0")

    def invoke(*arguments: object) -> Result:
        capsysbinary.readouterr()
        status = run([str(argument) for argument in arguments])
        out, err = capsysbinary.readouterr()
        return Result(status, out, err.decode())

    return invoke


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    """A file that begins like a PNG of 5 by 7 pixels."""
    file = tmp_path / "picture.png"
    file.write_bytes(bytes.fromhex("89504e470d0a1a0a0000000d4948445200000005000000070802000000") + bytes(100))
    return file
