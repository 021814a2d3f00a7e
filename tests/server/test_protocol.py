"""What a connection does that is not a plain request and its answer."""

from __future__ import annotations

import asyncio
import ipaddress
import json
import socket
import threading
from typing import TYPE_CHECKING, Any

import pytest
from starlette.responses import PlainTextResponse

from server.guard import GUARD, Guard
from server.limits import Limits
from server.metrics import Metrics
from server.protocol import Protocol

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


GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


def guarded(guard: Guard) -> type[Protocol]:
    """Return the protocol with a guard of its own."""

    class Guarded(Protocol):
        def __init__(self, config: Any, server_state: Any, app_state: dict[str, Any], _loop: Any = None) -> None:
            app_state[GUARD] = guard
            super().__init__(config, server_state, app_state, _loop)

    return Guarded


def limited(**limits: Any) -> type[Protocol]:
    return guarded(Guard(Limits(**limits)))


def until_closed(connection: socket.socket) -> bytes:
    answer = b""
    while more := connection.recv(65536):
        answer += more
    return answer


def problem(answer: bytes) -> tuple[int, Any]:
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"application/problem+json" in head
    return int(head.split()[1]), json.loads(body).get("setting")


class Gate:
    """An application that reads a body and answers once it is let."""

    def __init__(self) -> None:
        self.entered = threading.Semaphore(0)
        self.open = threading.Event()
        self.ends: list[str] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Wait at the gate, read, answer."""
        self.entered.release()
        await asyncio.to_thread(self.open.wait, 60)
        length = 0
        while (message := await receive())["type"] == "http.request":
            length += len(message["body"])
            if not message["more_body"]:
                break
        self.ends.append(str(message["type"]))
        await PlainTextResponse(f"read {length}")(scope, receive, send)


def test_a_connection_too_many_is_told_so_and_the_others_are_served(serve: Callable[..., Server]) -> None:
    metrics = Metrics()
    server = serve(greet, guarded(Guard(Limits(connections=2), metrics=metrics)))
    address = ("127.0.0.1", server.port)
    with socket.create_connection(address, timeout=30) as one, socket.create_connection(address, timeout=30) as two:
        for connection in (one, two):
            connection.sendall(GET)
            assert connection.recv(65536).endswith(b"hello")
        with socket.create_connection(address, timeout=30) as three:
            three.sendall(GET)
            assert problem(until_closed(three)) == (503, "CALOTYPE_MAX_CONNECTIONS")
        one.sendall(GET)
        assert one.recv(65536).endswith(b"hello")
        assert b'connections_refused_total{limit="all"} 1.0' in metrics.text({})


def test_one_address_has_its_share(serve: Callable[..., Server]) -> None:
    server = serve(greet, limited(per_address=1))
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as one:
        one.sendall(GET)
        assert one.recv(65536).endswith(b"hello")
        assert problem(server.send(GET)) == (429, "CALOTYPE_MAX_CONNECTIONS_PER_ADDRESS")


def test_behind_a_proxy_the_forwarded_address_has_its_share(serve: Callable[..., Server]) -> None:
    gate = Gate()
    trusted = [ipaddress.ip_network("127.0.0.1")]
    server = serve(gate, guarded(Guard(Limits(per_address=1), trusted=trusted)))

    def asked(client: str) -> socket.socket:
        connection = socket.create_connection(("127.0.0.1", server.port), timeout=30)
        connection.sendall(f"GET / HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: {client}\r\n\r\n".encode())
        return connection

    with asked("198.51.100.1") as first:
        assert gate.entered.acquire(timeout=30)
        with asked("198.51.100.1") as second:
            assert problem(until_closed(second)) == (429, "CALOTYPE_MAX_CONNECTIONS_PER_ADDRESS")
        with asked("198.51.100.2") as other:
            assert gate.entered.acquire(timeout=30)
            gate.open.set()
            assert other.recv(65536).endswith(b"read 0")
        assert first.recv(65536).endswith(b"read 0")
    with asked("198.51.100.1") as again:
        assert again.recv(65536).endswith(b"read 0")


def test_a_late_head_is_408_and_a_mute_connection_is_closed(serve: Callable[..., Server]) -> None:
    server = serve(greet, limited(headers_s=0.2))
    assert problem(server.send(b"GET / HTTP/1.1\r\nHost:")) == (408, None)
    assert server.send(b"\r\n") == b""
    assert server.send(b"") == b""


def test_a_late_body_is_408_and_the_application_sees_the_end(serve: Callable[..., Server]) -> None:
    gate = Gate()
    gate.open.set()
    server = serve(gate, limited(body_s=0.2))
    assert problem(server.send(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nsome")) == (408, None)
    server.stop()
    assert gate.ends == ["http.disconnect"]


def test_time_in_which_the_application_does_not_read_is_not_the_clients(serve: Callable[..., Server]) -> None:
    """A body many times the buffers waits for the application far longer than a body may take, and arrives whole."""
    gate, length = Gate(), 4 * 1024 * 1024
    server = serve(gate, limited(body_s=0.05, rate=1024**3))
    waited = threading.Timer(1, gate.open.set)
    waited.start()
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        connection.sendall(f"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n".encode() + bytes(length))
        assert connection.recv(65536).endswith(f"read {length}".encode())


def test_half_a_request_behind_a_slow_answer_does_not_cost_that_answer(serve: Callable[..., Server]) -> None:
    gate = Gate()
    server = serve(gate, limited(headers_s=0.1))
    threading.Timer(1, gate.open.set).start()
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        connection.sendall(GET + b"GET / HT")
        answers = until_closed(connection)
    assert answers.count(b"HTTP/1.1 200 ") == answers.count(b"HTTP/1.1 408 ") == 1
    assert answers.index(b"read 0") < answers.index(b"408")


def test_requests_sent_ahead_are_answered_in_turn_and_not_without_end(serve: Callable[..., Server]) -> None:
    server = serve(greet, limited(pipelined=10))
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        for _ in range(20):  # far more than wait at a time, once those before have been answered
            connection.sendall(GET * 8)
            answers = b""
            while answers.count(b"hello") < 8:
                answers += connection.recv(65536)
            assert answers.count(b"HTTP/1.1 200 ") == 8
    assert server.send(GET * 100) == b""


def test_who_goes_is_missed_by_the_request_being_answered_though_others_were_sent_behind_it(
    serve: Callable[..., Server],
) -> None:
    missed = threading.Event()

    async def wait(scope: Scope, receive: Receive, send: Send) -> None:
        await begin_and_wait(scope, receive, send)
        missed.set()

    with socket.create_connection(("127.0.0.1", serve(wait).port), timeout=30) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 2)
        connection.recv(10)
    assert missed.wait(30)


def test_trailers_are_for_nobody(serve: Callable[..., Server]) -> None:
    seen: list[list[bytes]] = []

    async def note(scope: Scope, receive: Receive, send: Send) -> None:
        while (await receive()).get("more_body"):
            continue
        seen.append([name for name, _ in scope["headers"]])
        await PlainTextResponse("noted")(scope, receive, send)

    chunks = b"1\r\na\r\n0\r\nAuthorization: Bearer x\r\n\r\n"
    head = b"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert serve(note).send(head + chunks).endswith(b"noted")
    assert seen == [[b"host", b"connection", b"transfer-encoding"]]


def test_another_protocol_is_answered_in_this_one_and_nothing_behind_it(serve: Callable[..., Server]) -> None:
    upgrade = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"
    answer = serve(greet).send(upgrade + GET)
    assert answer.count(b"HTTP/1.1 200 ") == 1
    assert answer.endswith(b"hello")


def test_the_end_of_a_refused_body_is_not_waited_for_without_end(serve: Callable[..., Server]) -> None:
    server = serve(greet, limited(end_s=0.2))
    answer = server.send(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nsome")
    assert answer.endswith(b"hello")
    assert b"connection: close" in answer
