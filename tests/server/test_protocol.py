"""What is not HTTP is answered with a problem document."""

from __future__ import annotations

import json
import socket
from typing import TYPE_CHECKING

import pytest
from starlette.responses import PlainTextResponse

from server.limits import Limits

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import ASGIApp, Receive, Scope, Send

    from tests.server.conftest import Server


LINGER_BYTES = Limits().passed_over


async def greet(scope: Scope, receive: Receive, send: Send) -> None:
    await PlainTextResponse("hello")(scope, receive, send)


async def begin_and_wait(scope: Scope, receive: Receive, send: Send) -> None:
    del scope
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"first", "more_body": True})
    while (await receive())["type"] != "http.disconnect":
        continue


def sending_after_the_answer(server: Server, length: int) -> tuple[int, bytes]:
    """Send a body that is answered already, in pieces; return how much of it was taken, and all that came back."""
    piece, taken, answer = b"x" * 65536, 0, b""
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
        connection.sendall(f"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n".encode())
        answer = connection.recv(65536)
        try:
            while taken < length:
                connection.sendall(piece)
                taken += len(piece)
            while more := connection.recv(65536):
                answer += more
        except ConnectionError:
            pass
    return taken, answer


def test_an_early_answer_can_be_read_and_ends_the_connection(serve: Callable[[ASGIApp], Server]) -> None:
    taken, answer = sending_after_the_answer(serve(greet), LINGER_BYTES)
    assert taken == LINGER_BYTES
    assert answer.endswith(b"hello")
    assert answer.lower().count(b"connection: close") == 1


def test_who_goes_on_sending_after_the_answer_is_cut_off(serve: Callable[[ASGIApp], Server]) -> None:
    taken, answer = sending_after_the_answer(serve(greet), 100 * LINGER_BYTES)
    assert taken < 100 * LINGER_BYTES
    assert answer.endswith(b"hello")


def test_an_answer_behind_a_whole_request_keeps_the_connection(serve: Callable[[ASGIApp], Server]) -> None:
    server = serve(greet)
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
        for _ in range(3):
            connection.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nab")
            answer = connection.recv(65536)
            assert answer.endswith(b"hello")
            assert b"connection: close" not in answer.lower()


@pytest.mark.parametrize(
    "data",
    [
        b"no http at all\r\n\r\n",
        b"GET / HTTP/1.1\r\nBad Header\r\n\r\n",
        b"BREW / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
    ],
)
def test_what_is_not_http_is_a_problem(serve: Callable[[ASGIApp], Server], data: bytes) -> None:
    head, _, body = serve(greet).send(data).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 ")
    assert b"Content-Type: application/problem+json" in head
    assert b"Connection: close" in head
    assert b"uvicorn" not in head
    assert (json.loads(body)["status"], f"Content-Length: {len(body)}".encode() in head) == (400, True)


def test_nothing_is_mixed_into_an_answer_that_is_on_its_way(serve: Callable[[ASGIApp], Server]) -> None:
    server = serve(begin_and_wait)
    answer = server.send_twice(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"first", b"nonsense\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert b"400" not in answer
