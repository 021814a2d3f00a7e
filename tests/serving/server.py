"""A real server in a process of its own, for tests that need sockets, several workers, or a kill -9."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Self

import httpx2

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from types import TracebackType

COMMAND = (sys.executable, "-c", "from server.cli import main; main()")
"""The console script's own entry, with the interpreter of the test."""

_ADDRESS = re.compile(r"http://127\.0\.0\.1:(\d+)")
_STARTS_WITHIN_S = 60


def environment(folder: Path, extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return an environment with this data folder and none of the caller's own settings."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("CALOTYPE_", "DATA_"))}
    return {**kept, "DATA_DIR": str(folder), "NO_COLOR": "1", **(extra or {})}


def run(folder: Path, *arguments: str, extra: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[bytes]:
    """Run the command line on a folder and return what came of it."""
    return subprocess.run([*COMMAND, *arguments], env=environment(folder, extra), capture_output=True, check=False)


class Server:
    """A server on a folder, on a free port, with an admin token.

    Args:
        folder: the data folder; it is made when it is absent.
        workers: how many processes serve it.
        extra: settings as environment variables.
    """

    def __init__(self, folder: Path, *, workers: int = 1, extra: Mapping[str, str] | None = None) -> None:
        self.folder = folder
        created = run(folder, "token", "create", "--scope", "admin", "--name", "test", extra=extra)
        assert created.returncode == 0, created.stderr.decode()
        self.token = created.stdout.decode().strip()
        self._arguments = ("serve", "--port", "0", "--workers", str(workers))
        self._extra = {"CALOTYPE_MIN_FREE_BYTES": "0", **(extra or {})}
        self.output: list[str] = []
        self.start()

    @property
    def headers(self) -> dict[str, str]:
        """The header that signs requests in."""
        return {"Authorization": f"Bearer {self.token}"}

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.url.rpartition(":")[2])

    def start(self) -> None:
        """Start, or start again after a kill; return when the server answers."""
        self.output.clear()
        self.process = subprocess.Popen(
            [*COMMAND, *self._arguments],
            env=environment(self.folder, self._extra),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.url = self._wait()

    def client(self, **options: object) -> httpx2.Client:
        """Return a client that is signed in."""
        return httpx2.Client(base_url=self.url, headers=self.headers, timeout=60, trust_env=False, **options)  # type: ignore[arg-type] # handed on

    def kill(self) -> None:
        """Kill -9 the server and its workers, as a crash would."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self._end()

    def stop(self) -> int:
        """Ask the server to end, wait for it and return its exit status."""
        if self.process.poll() is None:
            self.process.terminate()
        return self._end()

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the server."""
        if self.process.poll() is None:
            self.stop()

    def _end(self) -> int:
        status = self.process.wait(timeout=60)
        self._reader.join(timeout=10)
        if self.process.stdout is not None:
            self.process.stdout.close()
        return status

    def _read(self) -> None:
        stream = self.process.stdout
        if stream is not None:
            self.output.extend(stream)

    def _wait(self) -> str:
        deadline = time.monotonic() + _STARTS_WITHIN_S
        while time.monotonic() < deadline and self.process.poll() is None:
            found = _ADDRESS.search("".join(self.output))
            if found is not None and self._answers(found[0]):
                return found[0]
            time.sleep(0.02)
        raise AssertionError("The server did not start:\n" + "".join(self.output))

    def _answers(self, url: str) -> bool:
        try:
            return httpx2.get(f"{url}/readyz", timeout=5, trust_env=False).status_code == httpx2.codes.OK
        except httpx2.TransportError:
            return False
