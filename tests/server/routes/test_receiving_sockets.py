"""Uploads and payloads over real sockets: what clients do wrong on the wire, and what proxies and browsers do right."""

from __future__ import annotations

import hashlib
import json
import socket
import time
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.server.conftest import Api, Server

FORM = "Content-Type: multipart/form-data; boundary=x"
PART = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'


class Wire:
    """The application behind a real server."""

    def __init__(self, api: Api, server: Server) -> None:
        self.api = api
        self.port = server.port

    def connect(self) -> socket.socket:
        """Return a connection."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=30)

    def head(self, method: str, path: str, *fields: str) -> bytes:
        """Return a request's head, of alice."""
        named = ["Host: localhost", f"Authorization: Bearer {self.api.alice}", *fields]
        return "\r\n".join([f"{method} {path} HTTP/1.1", *named, "", ""]).encode()

    def ask(self, data: bytes) -> tuple[int, dict[str, str], bytes]:
        """Send a request and read its answer."""
        with self.connect() as connection:
            connection.sendall(data)
            with connection.makefile("rb") as stream:
                return answer(stream)

    def nothing_comes_of(self, begun: bytes) -> None:
        """Send the beginning of an upload until it is staged, go away, and wait until nothing is left of it."""
        with self.connect() as connection:
            connection.sendall(begun)
            self.wait(lambda: bool(self.api.staged()))
        self.wait(lambda: not self.api.staged())
        assert self.api.payloads() == []
        assert self.api.ask("GET", "/api/assets").json()["total"] == 0

    @staticmethod
    def wait(until: Callable[[], bool]) -> None:
        """Wait for something to become true."""
        deadline = time.monotonic() + 30
        while not until():
            assert time.monotonic() < deadline
            time.sleep(0.01)


def answer(stream: Any, *, head: bool = False) -> tuple[int, dict[str, str], bytes]:
    status = int(stream.readline().split()[1])
    fields: dict[str, str] = {}
    while (line := stream.readline().strip()) != b"":
        name, _, value = line.decode("latin-1").partition(":")
        fields[name.lower()] = value.strip()
    return status, fields, b"" if head else stream.read(int(fields.get("content-length", "0")))


@pytest.fixture
def wire(api: Api, serve: Callable[..., Server]) -> Wire:
    """The application behind a real server."""
    return Wire(api, serve(api.app))


def test_a_client_that_goes_away_leaves_nothing(wire: Wire) -> None:
    half = b"x" * 600_000
    wire.nothing_comes_of(wire.head("POST", "/api/assets", "Content-Length: 1000000") + half)
    wire.nothing_comes_of(wire.head("PUT", f"/blobs/{'0' * 64}", "Content-Length: 1000000") + half)
    wire.nothing_comes_of(wire.head("POST", "/api/assets", FORM, "Content-Length: 1000000") + PART + half)
    chunk = f"{len(half):x}\r\n".encode() + half + b"\r\n"
    wire.nothing_comes_of(wire.head("POST", "/api/assets", "Transfer-Encoding: chunked") + chunk)


def test_a_body_shorter_than_announced_stores_nothing(wire: Wire) -> None:
    with wire.connect() as connection:
        connection.sendall(wire.head("POST", "/api/assets", "Content-Length: 10") + b"short")
        connection.shutdown(socket.SHUT_WR)
        connection.settimeout(30)
        while connection.recv(65536):
            pass
    assert (wire.api.staged(), wire.api.payloads()) == ([], [])


def test_a_body_longer_than_announced_is_no_request(wire: Wire) -> None:
    status, fields, _ = wire.ask(wire.head("POST", "/api/assets", "Content-Length: 5") + b"hello and more")
    assert (status, fields["content-type"], fields["connection"]) == (400, "application/problem+json", "close")
    wire.wait(lambda: not wire.api.staged())


def test_a_chunked_body_is_a_body(wire: Wire) -> None:
    sent = wire.head("POST", "/api/assets", "Transfer-Encoding: chunked") + b"3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n"
    status, _, body = wire.ask(sent)
    assert (status, json.loads(body)["sha256"]) == (201, hashlib.sha256(b"hello").hexdigest())


def test_a_form_cut_off_is_refused_and_stores_nothing(wire: Wire) -> None:
    body = PART + b"words\r\n"
    status, fields, _ = wire.ask(wire.head("POST", "/api/assets", FORM, f"Content-Length: {len(body)}") + body)
    assert (status, fields["content-type"]) == (422, "application/problem+json")
    assert (wire.api.staged(), wire.api.payloads()) == ([], [])


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        (("Content-Length: 999999999999",), 413),
        (("Content-Length: 5", "X-SHA-256: short"), 422),
        (("Content-Length: 5", "Content-Encoding: br"), 415),
    ],
)
def test_who_asks_first_is_told_no_before_sending(wire: Wire, fields: tuple[str, ...], status: int) -> None:
    found, answered, _ = wire.ask(wire.head("POST", "/api/assets", "Expect: 100-continue", *fields))
    assert (found, answered["content-type"]) == (status, "application/problem+json")


def test_who_asks_first_and_may_is_told_to_go_on(wire: Wire) -> None:
    with wire.connect() as connection, connection.makefile("rb") as stream:
        connection.sendall(wire.head("POST", "/api/assets", "Expect: 100-continue", "Content-Length: 5"))
        assert answer(stream)[0] == 100
        connection.sendall(b"hello")
        assert answer(stream)[0] == 201


def test_a_connection_serves_on_after_an_upload_was_refused(wire: Wire) -> None:
    with wire.connect() as connection, connection.makefile("rb") as stream:
        connection.sendall(wire.head("POST", "/api/assets?type=banana", "Content-Length: 5") + b"hello")
        assert answer(stream)[0] == 422
        connection.sendall(wire.head("POST", "/api/assets", "Content-Length: 5") + b"hello")
        assert answer(stream)[0] == 201


def test_requests_in_a_row_are_answered_in_their_order(wire: Wire) -> None:
    data = bytes(range(256)) * 64
    url = wire.api.upload(data)["url"]
    spans = [(0, 9), (100, 199), (16_000, 16_383), (5, 5)]
    with wire.connect() as connection, connection.makefile("rb") as stream:
        connection.sendall(b"".join(wire.head("GET", url, f"Range: bytes={first}-{last}") for first, last in spans))
        for first, last in spans:
            status, fields, body = answer(stream)
            assert (status, body) == (206, data[first : last + 1])
            assert fields["content-range"] == f"bytes {first}-{last}/{len(data)}"


@pytest.mark.parametrize("path", ["/api/assets", "/healthz", "/readyz", "/api/me", "/nothing"])
def test_head_has_the_fields_and_no_content(wire: Wire, path: str) -> None:
    wire.api.upload()
    with wire.connect() as connection, connection.makefile("rb") as stream:
        connection.sendall(wire.head("HEAD", path) + wire.head("GET", path))
        head, get = answer(stream, head=True), answer(stream)
    assert head[0] == get[0]
    assert head[1]["content-length"] == str(len(get[2]))
    assert head[1]["content-type"] == get[1]["content-type"]


def test_head_of_a_payload(wire: Wire, png: bytes) -> None:
    url = wire.api.upload(png)["url"]
    with wire.connect() as connection, connection.makefile("rb") as stream:
        connection.sendall(wire.head("HEAD", url) + wire.head("GET", url))
        head, get = answer(stream, head=True), answer(stream)
    assert (head[0], get[0], get[2]) == (200, 200, png)
    varying = {"x-request-id", "date"}
    assert {name: value for name, value in head[1].items() if name not in varying} == {
        name: value for name, value in get[1].items() if name not in varying
    }
    assert "server" not in get[1]


@pytest.mark.parametrize(
    "path", ["/blobs/../settings/general.json", "/../../etc/passwd", "/blobs/%2e%2e/%2e%2e", "//", "/%00"]
)
def test_paths_that_climb_are_404(wire: Wire, path: str) -> None:
    status, fields, _ = wire.ask(wire.head("GET", path))
    assert (status, fields["content-type"]) == (404, "application/problem+json")


def test_two_readers_of_one_large_payload_and_one_that_goes_away(wire: Wire) -> None:
    data = b"0123456789abcdef" * 500_000
    url = wire.api.upload(data)["url"]
    with wire.connect() as gone:
        gone.sendall(wire.head("GET", url))
        gone.recv(1000)
    with wire.connect() as one, wire.connect() as two, one.makefile("rb") as first, two.makefile("rb") as second:
        for connection in (one, two):
            connection.sendall(wire.head("GET", url))
        assert answer(first)[2] == answer(second)[2] == data
