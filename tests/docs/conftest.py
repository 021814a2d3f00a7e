"""Runs a page of documentation: its `sh` and `python` blocks, in order, in one folder, as a reader would.

- A block marked `sh` runs in bash with `-eu -o pipefail`. Variables and the working directory go on to the next block.
- A block marked `sh server` is the first terminal: it is started, waited for at `/healthz`, and left running; its
  process id is in `SERVER`. A second such block replaces a first one that is still running.
- A block marked `python` runs as a program of its own with the same variables and folder.
- A block marked `js` is a script of a page that was served from elsewhere: it runs in Node under the rules that a
  browser has for such pages (`browser.mjs`). Where there is no Node of at least 20, the page's test is skipped there.

Other blocks (`console`, `json`, none) are for reading only. `127.0.0.1:8256` stands for the server's real address.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

WRITTEN_ADDRESS = "127.0.0.1:8256"
PAGE_ORIGIN = "http://localhost:5173"
BLOCK = re.compile(r"^```(sh server|sh|python|js)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# Everything assigned is exported, and saved for the next block even where the block fails.
SHELL = """set -a
. {state}
trap 'export -p > {state}; printf "cd %q\\n" "$PWD" >> {state}' EXIT
{text}"""


@dataclass(frozen=True)
class Block:
    """One fenced block: what it is, its text, and the line of the page it begins at."""

    kind: str
    text: str
    line: int


def blocks_of(page: str) -> list[Block]:
    """Return the blocks of a page that are to be run."""
    return [Block(m[1], m[2], page.count("\n", 0, m.start()) + 1) for m in BLOCK.finditer(page)]


def free_port() -> int:
    """Return a port that nobody listens on now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def has_node() -> bool:
    """Tell whether a Node with `fetch`, `File` and `--import` is installed."""
    found = shutil.which("node")
    if found is None:
        return False
    named = subprocess.run([found, "--version"], capture_output=True, text=True, check=False).stdout
    return int(re.sub(r"v(\d+).*", r"\1", named.strip(), flags=re.DOTALL) or 0) >= 20


class Walk:
    """One reader with two terminals in one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.state = folder.parent / f"{folder.name}.state"
        self.log = folder.parent / f"{folder.name}.server.log"
        self.server: subprocess.Popen[bytes] | None = None
        self.state.write_text("")
        ours = ("CALOTYPE_", "DATA_")
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
        self.environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        self.environment["CALOTYPE_PORT"] = str(self.port)

    def run(self, page: str) -> list[str]:
        """Run a page; return what its blocks printed."""
        try:
            return [self.step(block) for block in blocks_of(page)]
        finally:
            self.stop_server()

    def step(self, block: Block) -> str:
        """Run one block; fail with its text, its place and its output."""
        text = block.text.replace(WRITTEN_ADDRESS, f"127.0.0.1:{self.port}")
        if block.kind == "sh server":
            return self.start_server(text)
        if block.kind == "python":
            script = self.folder.parent / "block.py"
            script.write_text(text)
            text = f"python {script}\n"
        if block.kind == "js":
            text = self.script(text)
        done = subprocess.run(
            self.shell(text),
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        if done.returncode != 0:
            pytest.fail(
                f"line {block.line}: exit code {done.returncode}\n{block.text}\n--- printed\n{done.stdout}{done.stderr}"
                f"\n--- server\n{self.server_log()}",
                pytrace=False,
            )
        return done.stdout

    def script(self, text: str) -> str:
        """Return the command that runs a page's script; without Node the test is skipped."""
        if not has_node():
            pytest.skip("no Node of at least 20 is installed, which runs what pages do in a browser")
        script = self.folder.parent / "block.mjs"
        script.write_text(text)
        return f"PAGE_ORIGIN={PAGE_ORIGIN} node --import {Path(__file__).with_name('browser.mjs').as_uri()} {script}\n"

    def shell(self, text: str) -> list[str]:
        """Return the command that runs a block in the reader's shell."""
        return ["bash", "-eu", "-o", "pipefail", "-c", SHELL.format(state=self.state, text=text)]

    def start_server(self, text: str) -> str:
        """Start the first terminal's block and wait until it answers."""
        self.stop_server()
        # Its own log, no trap: the first terminal's variables are not the second's.
        command = ["bash", "-eu", "-c", f". {self.state}\nexec {text.strip()}"]
        with self.log.open("ab") as log:
            self.server = subprocess.Popen(command, cwd=self.folder, env=self.environment, stdout=log, stderr=log)
        deadline = time.monotonic() + 30
        while not self.answers():
            if self.server.poll() is not None or time.monotonic() > deadline:
                self.stop_server()
                pytest.fail(f"the server did not come up:\n{text}\n--- server\n{self.server_log()}", pytrace=False)
            time.sleep(0.05)
        with self.state.open("a") as state:
            state.write(f"SERVER={self.server.pid}\n")
        return ""

    def answers(self) -> bool:
        """Tell whether /healthz answers with success."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/healthz", timeout=2) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return False

    def stop_server(self) -> None:
        """End the server, if it has not ended yet, and wait for it."""
        if self.server is not None:
            with suppress(ProcessLookupError):
                self.server.send_signal(signal.SIGKILL)
            self.server.wait(30)

    def server_log(self) -> str:
        """Return the end of what the server printed."""
        return self.log.read_text(errors="replace")[-4000:] if self.log.exists() else "(not started)"


@pytest.fixture
def walk(tmp_path: Path) -> Iterator[Callable[[str], list[str]]]:
    """Return the function that runs a page in a fresh folder."""
    folder = tmp_path / "reader"
    folder.mkdir()
    reader = Walk(folder)
    yield reader.run
    reader.stop_server()


@pytest.fixture(scope="session")
def pages(repository: Path) -> list[Path]:
    """Every page of documentation in the repository."""
    return [*sorted(repository.glob("*.md")), *sorted((repository / "docs").rglob("*.md"))]
