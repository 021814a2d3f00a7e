"""Bytes as answers, through a real application."""

from __future__ import annotations

import asyncio
import email
import io
from email.message import Message
from typing import TYPE_CHECKING, BinaryIO, Protocol

import httpx2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.routing import Route

from assets.digest import digest_of
from metadata.errors import NotFoundError
from server.digests import repr_digest
from server.payloads import CHUNK_BYTES, Payload, payload_answer
from server.problems import exception_handlers

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import ASGIApp

DATA = bytes(range(256)) * 40
DIGEST = digest_of(DATA)


class Served(Protocol):
    """The conftest's server."""

    port: int

    def send(self, data: bytes, *, cut: bool = False) -> bytes:
        """Send raw bytes."""


def opened(start: int, end: int) -> BinaryIO:
    return io.BytesIO(DATA[start:end])


def app_of(payload: Payload) -> Starlette:
    async def endpoint(request: Request) -> Response:
        return payload_answer(request.headers, payload)

    return Starlette(routes=[Route("/", endpoint)], exception_handlers=exception_handlers())


PICTURE = Payload(len(DATA), "image/png", DIGEST, opened, "cat.png", inline=True, repr_digest=repr_digest(DIGEST))


def get(payload: Payload = PICTURE, method: str = "GET", **headers: str) -> httpx2.Response:
    async def ask() -> httpx2.Response:
        transport = httpx2.ASGITransport(app_of(payload), raise_app_exceptions=False)
        async with httpx2.AsyncClient(transport=transport, base_url="http://x") as client:
            return await client.request(method, "/", headers={k.replace("_", "-"): v for k, v in headers.items()})

    return asyncio.run(ask())


def test_the_whole() -> None:
    answer = get()
    assert (answer.status_code, answer.content) == (200, DATA)
    assert dict(answer.headers) == {
        "etag": f'"{DIGEST}"',
        "cache-control": "public, max-age=31536000, immutable",
        "cross-origin-resource-policy": "cross-origin",
        "accept-ranges": "bytes",
        "content-security-policy": "default-src 'none'; sandbox; frame-ancestors 'none'",
        "content-disposition": 'inline; filename="cat.png"',
        "repr-digest": repr_digest(DIGEST),
        "content-type": "image/png",
        "content-length": str(len(DATA)),
    }


def test_head_says_the_same_without_the_bytes() -> None:
    answer = get(method="HEAD")
    assert (answer.content, answer.headers) == (b"", get().headers)


def test_private_bytes_and_attachments() -> None:
    answer = get(Payload(len(DATA), "image/svg+xml", "x", opened, "a.svg", public=False))
    assert answer.headers["cache-control"] == "private, max-age=31536000, immutable"
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"
    assert answer.headers["content-disposition"] == 'attachment; filename="a.svg"'


def test_not_modified() -> None:
    answer = get(if_none_match=f'"x", W/"{DIGEST}"')
    assert (answer.status_code, answer.content) == (304, b"")
    assert answer.headers["etag"] == f'"{DIGEST}"'
    assert "content-length" not in answer.headers


def test_one_range() -> None:
    answer = get(range="bytes=10-19")
    assert (answer.status_code, answer.content) == (206, DATA[10:20])
    assert answer.headers["content-range"] == f"bytes 10-19/{len(DATA)}"
    assert answer.headers["content-length"] == "10"
    assert answer.headers["repr-digest"] == repr_digest(DIGEST)


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(st.integers(0, 11_000), st.integers(0, 11_000)), min_size=2, max_size=4))
def test_several_ranges_hold_what_was_asked_for(pairs: list[tuple[int, int]]) -> None:
    answer = get(range="bytes=" + ",".join(f"{min(pair)}-{max(pair)}" for pair in pairs))
    assert len(answer.content) == int(answer.headers["content-length"]) or answer.status_code == 416
    if answer.headers["content-type"].startswith("multipart/byteranges"):
        head = f"Content-Type: {answer.headers['content-type']}\r\n\r\n".encode()
        for part in email.message_from_bytes(head + answer.content).get_payload():
            assert isinstance(part, Message)
            first, _, last = part["content-range"].removeprefix("bytes ").partition("/")[0].partition("-")
            assert part["content-type"] == "image/png"
            raw = (
                f"Content-Range: {part['content-range']}\r\n\r\n".encode()
                + DATA[int(first) : int(last) + 1]
                + b"\r\n--"
            )
            assert raw in answer.content


def test_several_ranges_byte_for_byte() -> None:
    answer = get(range="bytes=0-1,1000-1002")
    boundary = answer.headers["content-type"].partition("boundary=")[2]
    assert answer.content == (
        f"\r\n--{boundary}\r\nContent-Type: image/png\r\nContent-Range: bytes 0-1/10240\r\n\r\n".encode()
        + DATA[:2]
        + f"\r\n--{boundary}\r\nContent-Type: image/png\r\nContent-Range: bytes 1000-1002/10240\r\n\r\n".encode()
        + DATA[1000:1003]
        + f"\r\n--{boundary}--\r\n".encode()
    )


def test_unsatisfiable_is_a_problem() -> None:
    answer = get(range="bytes=999999-")
    assert answer.status_code == 416
    assert answer.headers["content-range"] == f"bytes */{len(DATA)}"
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == 416


@pytest.mark.parametrize(("if_range", "status"), [(f'"{DIGEST}"', 206), ('"old"', 200), (f'W/"{DIGEST}"', 200)])
def test_if_range(if_range: str, status: int) -> None:
    assert get(range="bytes=0-0", if_range=if_range).status_code == status


def test_a_payload_that_vanished_is_still_an_error_answer() -> None:
    def gone(start: int, end: int) -> BinaryIO:
        raise NotFoundError(f"no bytes {start} {end}")

    for method in ("GET", "HEAD"):
        assert get(Payload(5, "image/png", "x", gone), method).status_code == 404


def test_a_file_is_closed_and_read_in_chunks(tmp_path: Path) -> None:
    path = tmp_path / "raw"
    path.write_bytes(bytes(CHUNK_BYTES * 3 + 7))
    files: list[BinaryIO] = []

    def from_file(start: int, end: int) -> BinaryIO:
        assert end <= CHUNK_BYTES * 3 + 7
        files.append(path.open("rb"))
        files[-1].seek(start)
        return files[-1]

    answer = get(Payload(CHUNK_BYTES * 3 + 7, "image/png", "x", from_file), range="bytes=1-")
    assert len(answer.content) == CHUNK_BYTES * 3 + 6
    assert [file.closed for file in files] == [True]


def test_a_client_that_leaves_stops_the_reading(serve: Callable[[ASGIApp], Served]) -> None:
    reads = 0
    closed: list[bool] = []

    class Endless(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            nonlocal reads
            reads += 1
            return bytes(size or 0)

        def close(self) -> None:
            closed.append(True)
            super().close()

    size = 40_000 * CHUNK_BYTES
    server = serve(app_of(Payload(size, "image/png", "x", lambda _start, _end: Endless())))
    server.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", cut=True)
    deadline = asyncio.run(_until(lambda: bool(closed)))
    assert deadline
    assert reads < 1000


def test_a_file_that_is_too_short_breaks_the_answer_off(serve: Callable[[ASGIApp], Served]) -> None:
    server = serve(app_of(Payload(len(DATA) + 5, "image/png", "x", opened)))
    answer = server.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    assert answer.partition(b"\r\n\r\n")[2] == DATA


async def _until(condition: Callable[[], bool]) -> bool:
    for _ in range(500):
        if condition():
            return True
        await asyncio.sleep(0.01)
    return False
