"""Slow clients: each holds a connection in its own way until the server ends it."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

KINDS = ("headers", "body", "reading", "idle", "resting")
ENOUGH_TO_BLOCK = 24 * 1024 * 1024
"""Bytes of a payload that no system buffers whole for a client that does not read."""


@dataclass(frozen=True, slots=True)
class Target:
    """Whom to hold.

    Attributes:
        port: of 127.0.0.1.
        token: may upload.
        large: the path of a payload of `ENOUGH_TO_BLOCK`.
        pause: seconds between two bytes.
    """

    port: int
    token: str
    large: str
    pause: float


async def hold(kind: str, target: Target, opened: asyncio.Semaphore) -> None:
    """Open a connection, release `opened`, be slow, and return when the server has ended it."""
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.settimeout(0)
    loop = asyncio.get_running_loop()
    with connection, contextlib.suppress(ConnectionError):
        try:
            await loop.sock_connect(connection, ("127.0.0.1", target.port))
        finally:
            opened.release()
        await _WAYS[kind](connection, target, loop)


async def _headers(connection: socket.socket, target: Target, loop: asyncio.AbstractEventLoop) -> None:
    await _trickle(connection, target, loop, b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: ")


async def _body(connection: socket.socket, target: Target, loop: asyncio.AbstractEventLoop) -> None:
    head = (
        f"POST /api/assets HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {target.token}\r\n"
        "Content-Length: 1000000\r\n\r\n"
    )
    await _trickle(connection, target, loop, head.encode())


async def _trickle(connection: socket.socket, target: Target, loop: asyncio.AbstractEventLoop, begun: bytes) -> None:
    await loop.sock_sendall(connection, begun)
    ended = asyncio.ensure_future(_until_the_end(connection, loop))
    try:
        while not ended.done():
            await loop.sock_sendall(connection, b"a")
            await asyncio.wait({ended}, timeout=target.pause)
    finally:
        ended.cancel()
        await asyncio.wait({ended})


async def _reading(connection: socket.socket, target: Target, loop: asyncio.AbstractEventLoop) -> None:
    await loop.sock_sendall(connection, f"GET {target.large} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    # What has arrived can be read after a reset too, so the error is asked for as well.
    while not connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
        if not await loop.sock_recv(connection, 1):
            break
        await asyncio.sleep(target.pause)


async def _idle(connection: socket.socket, target: Target, loop: asyncio.AbstractEventLoop) -> None:
    del target
    await _until_the_end(connection, loop)


async def _resting(connection: socket.socket, target: Target, loop: asyncio.AbstractEventLoop) -> None:
    del target
    await loop.sock_sendall(connection, b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
    await _until_the_end(connection, loop)


async def _until_the_end(connection: socket.socket, loop: asyncio.AbstractEventLoop) -> None:
    with contextlib.suppress(ConnectionError):
        while await loop.sock_recv(connection, 65536):
            continue


_WAYS: dict[str, Callable[[socket.socket, Target, asyncio.AbstractEventLoop], Awaitable[None]]] = {
    "headers": _headers,
    "body": _body,
    "reading": _reading,
    "idle": _idle,
    "resting": _resting,
}
