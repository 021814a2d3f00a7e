"""The application as uvicorn runs it: a real process, its start, its stop, and an upload that is running meanwhile."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from metadata.errors import InternalError, InvalidError
from server.asgi import Served, create
from server.configuration import load_settings
from server.metrics import Metrics
from server.wiring import open_store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from starlette.types import Message

PROGRAM = """
import os, uvicorn
uvicorn.run("server.asgi:create", factory=True, port=0, host="127.0.0.1", lifespan="on", proxy_headers=False,
            server_header=False, access_log=False)
"""
FAST = {"CALOTYPE_DURABILITY": "none", "CALOTYPE_MIN_FREE_BYTES": "0"}


class Process:
    """The server as a process of its own."""

    def __init__(self, folder: Path, repository: Path) -> None:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("CALOTYPE_")}
        environ = {**kept, **FAST, "CALOTYPE_AUTH": "off", "DATA_DIR": str(folder), "PYTHONPATH": str(repository)}
        self.process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM], env=environ, stderr=subprocess.PIPE, text=True, cwd=repository
        )
        self.port = self._wait_for_port()

    def connect(self) -> socket.socket:
        """Return a connection."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=30)

    def _wait_for_port(self) -> int:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            if found := re.search(r"http://127\.0\.0\.1:(\d+)", line):
                return int(found[1])
        raise AssertionError("the server ended before it listened")


@pytest.fixture
def process(tmp_path: Path, repository: Path) -> Iterator[Process]:
    """A running server."""
    started = Process(tmp_path / "data", repository)
    with contextlib.closing(started.process.stderr) if started.process.stderr else contextlib.nullcontext():
        yield started
        started.process.kill()
        started.process.wait()


def answer_of(connection: socket.socket) -> tuple[int, Any]:
    """Read one answer with a JSON body to its end."""
    with connection.makefile("rb") as stream:
        status = int(stream.readline().split()[1])
        length = 0
        while (line := stream.readline().strip()) != b"":
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        return status, json.loads(stream.read(length) or b"null")


def test_a_running_upload_ends_before_the_server_does(process: Process, tmp_path: Path) -> None:
    data = b"x" * 900_000
    with process.connect() as connection:
        head = f"POST /api/assets?filename=a HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(data)}\r\n\r\n"
        connection.sendall(head.encode() + data[:600_000])
        staged = tmp_path / "data" / "uploads"
        while not any(path.is_dir() for path in staged.iterdir()):
            assert process.process.poll() is None
        process.process.send_signal(signal.SIGTERM)
        connection.sendall(data[600_000:])
        status, asset = answer_of(connection)
    assert (status, asset["sha256"]) == (201, hashlib.sha256(data).hexdigest())
    assert process.process.wait(30) in {0, -signal.SIGTERM}
    assert [path for path in staged.iterdir() if path.is_dir()] == []
    with open_store(load_settings({"DATA_DIR": str(tmp_path / "data"), **FAST}).settings) as store:
        assert store.assets.images.get(asset["id"]).size == len(data)


def test_what_is_acknowledged_outlives_the_process(process: Process, tmp_path: Path, repository: Path) -> None:
    with process.connect() as connection:
        connection.sendall(b"POST /api/assets HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhello")
        status, asset = answer_of(connection)
    process.process.kill()
    process.process.wait()
    assert status == 201
    again = Process(tmp_path / "data", repository)
    with again.connect() as connection:
        connection.sendall(f"GET {asset['url']} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        with connection.makefile("rb") as stream:
            assert stream.read().endswith(b"hello")
    again.process.kill()
    again.process.wait()
    assert again.process.stderr is not None
    again.process.stderr.close()


def live(served: Served) -> list[Message]:
    """Take an application through a start and a stop."""
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "lifespan.startup" if not sent else "lifespan.shutdown"}

    async def send(message: Message) -> None:
        sent.append(message)

    asyncio.run(served({"type": "lifespan"}, receive, send))
    return sent


def test_start_and_stop(tmp_path: Path) -> None:
    sent = live(Served(load_settings({"DATA_DIR": str(tmp_path / "data")}).settings, Metrics()))
    assert [message["type"] for message in sent] == ["lifespan.startup.complete", "lifespan.shutdown.complete"]


def test_a_folder_that_is_not_ours_stops_the_start_with_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("not a store")
    sent = live(Served(load_settings({"DATA_DIR": str(tmp_path)}).settings, Metrics()))
    assert [message["type"] for message in sent] == ["lifespan.startup.failed"]
    assert str(tmp_path) in sent[0]["message"]


def test_a_request_before_the_start_is_our_mistake(tmp_path: Path) -> None:
    served = Served(load_settings({"DATA_DIR": str(tmp_path / "data")}).settings, Metrics())

    async def never() -> Message:
        raise AssertionError

    async def nobody(message: Message) -> None:
        raise AssertionError(message)

    with pytest.raises(InternalError, match="lifespan"):
        asyncio.run(served({"type": "http"}, never, nobody))


def test_the_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "data"))
    assert callable(create())
    assert not (tmp_path / "data").exists()
    monkeypatch.setenv("CALOTYPE_NONSENSE", "1")
    with pytest.raises(InvalidError, match="CALOTYPE_NONSENSE"):
        create()
