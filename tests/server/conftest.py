"""Fixtures of the server's tests: an upload's sink in memory, and a real server on a real socket."""

from __future__ import annotations

import contextlib
import logging
import socket
import threading
import time
from typing import TYPE_CHECKING

import pytest
import uvicorn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from starlette.types import ASGIApp


class Server:
    """A uvicorn in a thread, listening on a free port of 127.0.0.1."""

    def __init__(self, app: ASGIApp) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        config = uvicorn.Config(
            app, log_config=None, lifespan="off", proxy_headers=False, server_header=False, access_log=False
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, args=([self._socket],), daemon=True)
        self._thread.start()
        while not self._server.started:
            time.sleep(0.005)

    def send(self, data: bytes, *, cut: bool = False) -> bytes:
        """Send raw bytes; with `cut` close the sending side and wait for nothing."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=10) as connection:
            connection.sendall(data)
            if cut:
                return b""
            answer = bytearray()
            while chunk := connection.recv(65536):
                answer += chunk
            return bytes(answer)

    def stop(self) -> None:
        """End it and wait."""
        self._server.should_exit = True
        self._thread.join(10)
        self._socket.close()


@pytest.fixture
def serve() -> Iterator[Callable[[ASGIApp], Server]]:
    """Return a function that starts a server for an application; all are stopped afterwards."""
    logging.getLogger("uvicorn").setLevel(logging.CRITICAL)
    with contextlib.ExitStack() as stack:

        def start(app: ASGIApp) -> Server:
            server = Server(app)
            stack.callback(server.stop)
            return server

        yield start
