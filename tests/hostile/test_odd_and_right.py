"""Requests that few clients send and that HTTP allows are answered like any other."""

from __future__ import annotations

import hashlib
import json
import socket
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from types import ModuleType

HOST = "Host: localhost\r\n"


def posted(server: Any, wire: ModuleType, fields: str, body: bytes, **how: bool) -> Any:
    """Upload by a raw request."""
    head = f"POST /api/assets HTTP/1.1\r\n{HOST}Authorization: Bearer {server.token}\r\n{fields}\r\n"
    return wire.exchange(server.port, head.encode() + body, **how)


@pytest.mark.parametrize(
    ("fields", "framed"),
    [("Content-Length: 24\r\n", b"%b"), ("Transfer-Encoding: chunked\r\n", b"18\r\n%b\r\n0\r\n\r\n")],
    ids=["length", "chunks"],
)
def test_a_body_beside_an_upgrade_is_read(server: Any, wire: ModuleType, fields: str, framed: bytes) -> None:
    """Java's own client asks for HTTP/2 in its first request to a server, whatever that request is."""
    upgrade = "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAEAAEAA\r\n"
    body = b"beside an upgrade %06d" % len(fields)
    answer = posted(server, wire, upgrade + fields, framed % body)
    assert answer.status == 201
    assert json.loads(answer.body)["sha256"] == hashlib.sha256(body).hexdigest()
    assert answer.fields["connection"] == "close"


def test_a_body_beside_an_upgrade_may_come_in_pieces(server: Any, wire: ModuleType) -> None:
    head = (
        f"POST /api/assets HTTP/1.1\r\n{HOST}Authorization: Bearer {server.token}\r\n"
        "Connection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 60000\r\n\r\n"
    )
    body = b"piece by piece" * 4285 + b"end now..."
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        connection.sendall(head.encode())
        for at in range(0, len(body), 7000):
            connection.sendall(body[at : at + 7000])
        connection.sendall(b"GET /healthz HTTP/1.1\r\n" + HOST.encode() + b"\r\n")
        answer = wire.read(connection)
        assert answer.status == 201, answer
        assert json.loads(answer.body)["size"] == 60_000
        assert connection.recv(100) == b"", "what stands behind such a request is for nobody"


def test_blanks_behind_a_value_are_not_of_it(server: Any, wire: ModuleType) -> None:
    """RFC 9112, section 5.1."""
    answer = posted(server, wire, "Content-Length: 6 \t\r\nContent-Type: text/plain \r\n", b"blanks")
    assert answer.status == 201
    assert wire.exchange(server.port, b"GET /healthz HTTP/1.1\r\nHost:\tlocalhost\t \r\n\r\n").status == 200


@pytest.mark.parametrize("target", ["http://localhost", "http://localhost?x=1", "HTTP://localhost"])
def test_an_absolute_target_without_a_path_is_the_root(server: Any, wire: ModuleType, target: str) -> None:
    """RFC 9112, section 3.2.2 and RFC 9110, section 4.2.3."""
    root = wire.exchange(server.port, f"GET / HTTP/1.1\r\n{HOST}\r\n".encode()).status
    assert wire.exchange(server.port, f"GET {target} HTTP/1.1\r\n{HOST}\r\n".encode()).status == root


def test_http_1_0_is_never_told_to_continue(server: Any, wire: ModuleType) -> None:
    """RFC 9110, section 10.1.1."""
    head = f"POST /api/assets HTTP/1.0\r\n{HOST}Authorization: Bearer {server.token}\r\nExpect: 100-continue\r\n"
    answer = wire.exchange(server.port, f"{head}Content-Length: 3\r\n\r\n1.0".encode())
    assert answer.status == 201


def test_who_says_that_nothing_more_will_come_is_answered(server: Any, wire: ModuleType) -> None:
    """A script may end its side behind its request and still read."""
    for number in range(5):
        body = b"half closed %d" % number
        answer = posted(server, wire, f"Content-Length: {len(body)}\r\n", body, half=True)
        assert answer.status == 201
        assert json.loads(answer.body)["sha256"] == hashlib.sha256(body).hexdigest()
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        connection.sendall(f"GET /api/me HTTP/1.1\r\n{HOST}Authorization: Bearer {server.token}\r\n\r\n".encode() * 3)
        connection.shutdown(socket.SHUT_WR)
        received = b""
        while more := connection.recv(65536):
            received += more
    assert received.count(b"HTTP/1.1 200 OK") == 3
