"""Fixtures of the server's tests: a real server on a real socket, and the application over a folder of its own."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import threading
import time
import uuid
from typing import TYPE_CHECKING, Any

import httpx2
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from metadata.clock import SystemClock
from metadata.documents.contract import put
from metadata.errors import UnauthenticatedError
from server.app import create_app
from server.configuration import load_settings
from server.door import door
from server.problems import exception_handlers
from server.protocol import Protocol
from server.wiring import open_store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from starlette.requests import Request
    from starlette.types import ASGIApp

    from server.accesslog import Recorder, Visit
    from server.wiring import Store

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489"
    "0000000d49444154789c6360606060000000050001a5f645400000000049454e44ae426082"
)


class Server:
    """A uvicorn in a thread, listening on a free port of 127.0.0.1."""

    def __init__(self, app: ASGIApp, protocol: type[Protocol] = Protocol) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        config = uvicorn.Config(
            app,
            http=protocol,
            log_config=None,
            lifespan="off",
            proxy_headers=False,
            server_header=False,
            access_log=False,
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

    def send_twice(self, data: bytes, until: bytes, more: bytes) -> bytes:
        """Send some bytes, and more as soon as something was answered; return all that came until the end."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=10) as connection:
            connection.sendall(data)
            answer = bytearray()
            while until not in answer:
                answer += connection.recv(65536)
            connection.sendall(more)
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

        def start(app: ASGIApp, protocol: type[Protocol] = Protocol) -> Server:
            server = Server(app, protocol)
            stack.callback(server.stop)
            return server

        yield start


class Api:
    """An application over a data folder of its own, asked without a network.

    Attributes:
        store: the opened folder.
        admin, alice, bob, reader: tokens: of the first user, of two who may write, of alice but only for reading.
    """

    def __init__(self, store: Store, runner: asyncio.Runner) -> None:
        self.store = store
        self.app = create_app(store)
        self._runner = runner
        known = {user.email.partition("@")[0]: user.id for user in store.records.users.find_all()}
        self.users = {name: known.get(name) or self._user(name) for name in ("alice", "bob")}
        self.admin = self._token(store.owner.id, "admin")
        self.alice = self._token(self.users["alice"], "write")
        self.bob = self._token(self.users["bob"], "write")
        self.reader = self._token(self.users["alice"], "read")

    def ask(self, method: str, url: str, *, token: str | None = "", **more: Any) -> httpx2.Response:
        """Send a request, as alice unless another token is given, or None."""
        headers = dict(more.pop("headers", {}))
        if token is not None:
            headers["Authorization"] = f"Bearer {token or self.alice}"
        return self._runner.run(self._ask(method, url, headers=headers, **more))

    def upload(self, content: bytes = PNG, *, token: str = "", **fields: str) -> dict[str, Any]:
        """Store a file and return its asset."""
        answer = self.ask("POST", "/api/assets", token=token, content=content, params=fields)
        assert answer.status_code in {200, 201}, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def put_record(self, kind: str, body: dict[str, Any]) -> str:
        """Store a record of another kind and return its id."""
        dates = {"createdAt": "2026-01-01T00:00:00.000Z", "updatedAt": "2026-01-01T00:00:00.000Z"}
        record = {"id": str(uuid.uuid4()), "userId": self.users["alice"], **dates, **body}
        self.store.documents.apply([put(kind, record)])
        return str(record["id"])

    def character(self, **more: object) -> str:
        """Store a character of alice's and return its id."""
        texts = dict.fromkeys(["name", "description", "personality", "scenario", "firstMessage"], "x")
        return self.put_record("character", {**texts, **more})

    def staged(self) -> list[str]:
        """Return what lies in `uploads/`, but for lock files."""
        return [path.name for path in (self.store.engine.paths.root / "uploads").iterdir() if path.suffix != ".lock"]

    def payloads(self) -> list[str]:
        """Return the names of the payloads' folders."""
        return sorted(path.name for path in (self.store.engine.paths.root / "binaries").iterdir() if path.is_dir())

    def _user(self, name: str) -> str:
        return self.store.records.users.create(email=f"{name}@example.org").id

    def _token(self, user_id: str, scope: str) -> str:
        return self.store.records.access_tokens.issue(user_id, scope, scope)[1]

    async def _ask(self, method: str, url: str, **more: Any) -> httpx2.Response:
        transport = httpx2.ASGITransport(self.app, raise_app_exceptions=False)
        async with httpx2.AsyncClient(transport=transport, base_url="http://localhost:8256") as http:
            return await http.request(method, url, **more)


@pytest.fixture
def open_api(tmp_path: Path) -> Iterator[Callable[..., Api]]:
    """Return a function that opens a folder with some settings; all are closed afterwards."""
    with contextlib.ExitStack() as stack:
        logger = logging.getLogger("calotype")
        stack.callback(logger.setLevel, logger.level)
        logger.setLevel(logging.CRITICAL)
        runner = stack.enter_context(asyncio.Runner())

        def start(**settings: str) -> Api:
            fast = {"DURABILITY": "none", "MIN_FREE_BYTES": "0", **settings}
            environ = {f"CALOTYPE_{name}": value for name, value in fast.items()}
            loaded = load_settings({"DATA_DIR": str(tmp_path / "data"), **environ})
            return Api(stack.enter_context(open_store(loaded.settings)), runner)

        yield start


@pytest.fixture
def api(open_api: Callable[..., Api]) -> Api:
    """An application over a fresh folder."""
    return open_api()


@pytest.fixture
def png() -> bytes:
    """A picture of one pixel."""
    return PNG


class Recorded:
    """Keeps visits."""

    def __init__(self) -> None:
        self.visits: list[Visit] = []

    def record(self, visit: Visit) -> None:
        """Keep one."""
        self.visits.append(visit)


async def _echo(request: Request) -> Response:
    client = request.client
    seen = {"client": client.host if client else None, "url": str(request.url), "root": request.scope["root_path"]}
    return JSONResponse(seen, headers={"Server": "boast"})


async def _locked(request: Request) -> Response:
    raise UnauthenticatedError(f"Send a token, not {request.method}.")


@pytest.fixture
def ask() -> Callable[..., httpx2.Response]:
    """Return a function that sends a request through the door to routes that echo it; see its arguments."""

    def run(
        method: str = "GET",
        url: str = "http://localhost:8256/api/x",
        *,
        environ: dict[str, str] | None = None,
        client: str = "127.0.0.1",
        recorder: Recorder | None = None,
        **headers: str,
    ) -> httpx2.Response:
        settings = load_settings({f"CALOTYPE_{name}": value for name, value in (environ or {}).items()}).settings
        methods = ["GET", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"]
        inner = Starlette(
            routes=[Route("/locked", _locked, methods=methods), Route("/{rest:path}", _echo, methods=methods)],
            exception_handlers=exception_handlers(),
        )
        app = door(inner, settings, recorder=recorder or Recorded(), clock=SystemClock())

        async def send() -> httpx2.Response:
            transport = httpx2.ASGITransport(app, client=(client, 5))
            async with httpx2.AsyncClient(transport=transport) as http:
                fields = {name.replace("_", "-"): value for name, value in headers.items()}
                return await http.request(method, url, headers=fields)

        return asyncio.run(send())

    return run


@pytest.fixture
def recorded() -> Recorded:
    """A recorder that keeps the visits in `visits`."""
    return Recorded()
