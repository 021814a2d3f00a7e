"""Requests to a server that misbehaves: each end is an error of ours."""

from __future__ import annotations

import socket
import threading
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

import pytest

from metadata.errors import BusyError, ConflictError, InvalidError, UnauthenticatedError
from server.connection import Connection

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def answering(*answers: bytes) -> Iterator[Connection]:
    """Return a connection to a server that gives one of these answers a connection and hangs up."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            for answer in answers:
                accepted, _ = listener.accept()
                with accepted:
                    accepted.recv(65_536)
                    accepted.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        with closing(Connection(f"http://127.0.0.1:{listener.getsockname()[1]}", "calo_x")) as connection:
            yield connection
        thread.join()


def http(status: str, body: bytes, *fields: str) -> bytes:
    head = "\r\n".join([f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *fields])
    return head.encode() + b"\r\n\r\n" + body


def test_an_answer_is_read() -> None:
    with answering(http("200 OK", b'{"a": 1}', 'ETag: "v"')) as connection:
        answer = connection.send("GET", "/api/assets")
    assert (answer.json(), answer.headers["etag"]) == ({"a": 1}, '"v"')


def test_a_problem_is_raised() -> None:
    body = b'{"type": "urn:calotype:problem:conflict", "detail": "Used.", "count": 2}'
    with answering(http("409 Conflict", body)) as connection, pytest.raises(ConflictError, match="Used") as caught:
        connection.send("DELETE", "/api/assets/x")
    assert caught.value.details == {"count": 2}
    with answering(http("409 Conflict", body)) as connection, pytest.raises(ConflictError):
        connection.stream("/blobs/x")


@pytest.mark.parametrize("answer", [b"", b"SSH-2.0-OpenSSH\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nshort"])
def test_a_server_that_breaks_off(answer: bytes) -> None:
    with answering(answer) as connection, pytest.raises(BusyError, match="no answer from http"):
        connection.send("GET", "/")


def test_a_download_that_breaks_off() -> None:
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nshort"
    with answering(answer) as connection, connection.stream("/blobs/x") as file, pytest.raises(BusyError):
        file.read()


@pytest.mark.parametrize("body", [b"<html>", b"[1]", b"[" * 100_000, b""])
def test_what_is_no_object_is_no_calotype(body: bytes) -> None:
    with answering(http("200 OK", body)) as connection, pytest.raises(InvalidError, match="Is this a Calotype server"):
        connection.send("GET", "/").json()


def test_a_redirect_names_the_place() -> None:
    moved = http("301 Moved", b"", "Location: https://p.example/x")
    with answering(moved, moved) as connection:
        for ask in (lambda: connection.send("GET", "/"), lambda: connection.stream("/blobs/x")):
            with pytest.raises(InvalidError, match=r"https://p\.example/x"):
                ask()


@pytest.mark.parametrize("url", ["", "127.0.0.1:8256", "ftp://x", "http://", "http:///x"])
def test_what_is_no_address(url: str) -> None:
    with pytest.raises(InvalidError):
        Connection(url)


@pytest.mark.parametrize("token", ["a b", "ü", "a\nb", ""])
def test_what_can_be_no_token(token: str) -> None:
    with pytest.raises(UnauthenticatedError):
        Connection("http://127.0.0.1:1", token)
