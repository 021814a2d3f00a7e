"""Uploads through real applications, and over real sockets where the transfer breaks."""

from __future__ import annotations

import asyncio
import threading
import time
import tracemalloc
from typing import TYPE_CHECKING, Protocol

import anyio
import httpx2
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from assets.blobs.memory import MemoryBlobs
from assets.digest import digest_of
from metadata.errors import CalotypeError, InvalidError
from server.multipart import FormRules
from server.problems import exception_handlers
from server.uploads import is_form, receive_form, receive_raw

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from starlette.types import ASGIApp, Message

LIMIT = 1_000_000


class Served(Protocol):
    """The conftest's server."""

    port: int

    def send(self, data: bytes, *, cut: bool = False) -> bytes:
        """Send raw bytes."""


class Kept:
    """The outcome of `CountingSink`."""

    def __init__(self, sinks: Sinks, size: int, head: bytes) -> None:
        self.size = size
        self.head = head
        self._sinks = sinks

    def discard(self) -> None:
        """Note it."""
        self._sinks.kept.discard(self)


class CountingSink:
    """Keeps sizes and the first bytes, and which threads wrote."""

    def __init__(self, sinks: Sinks) -> None:
        self.sinks = sinks
        self.size = 0
        self.head = b""
        self.writing = False

    def write(self, chunk: bytes | memoryview) -> None:
        """Count it."""
        self.sinks.threads.add(threading.get_ident())
        self.sinks.largest = max(self.sinks.largest, len(chunk))
        self.size += len(chunk)
        self.head = (self.head + bytes(chunk[:100]))[:100]
        self.writing = True
        time.sleep(self.sinks.delay)
        self.writing = False

    def finish(self) -> Kept:
        """Hand it on."""
        self.sinks.open.discard(self)
        kept = Kept(self.sinks, self.size, self.head)
        self.sinks.kept.add(kept)
        return kept

    def discard(self) -> None:
        """Forget it."""
        assert not self.writing, "discarded under the hands of the thread that writes"
        self.sinks.open.discard(self)


class Sinks:
    """Makes counting sinks and knows which are open and which results are kept."""

    def __init__(self, delay: float = 0) -> None:
        self.open: set[CountingSink] = set()
        self.kept: set[Kept] = set()
        self.threads: set[int] = set()
        self.largest = 0
        self.made = 0
        self.delay = delay

    def __call__(self) -> CountingSink:
        """Make one."""
        self.made += 1
        sink = CountingSink(self)
        self.open.add(sink)
        return sink


RULES = FormRules(frozenset({"file"}), frozenset({"tags"}), LIMIT, 100)


def app_of(sinks: Sinks, limit: int = LIMIT) -> Starlette:
    async def endpoint(request: Request) -> Response:
        if is_form(request):
            form = await receive_form(request, RULES, sinks)
            sizes = [-1 if isinstance(file.outcome, CalotypeError) else file.outcome.size for file in form.files]
            return JSONResponse({"sizes": sizes, "texts": form.texts})
        raw = await receive_raw(request, limit, sinks)
        return JSONResponse({"size": raw.kept.size, "name": raw.filename, "expected": raw.expected})

    return Starlette(routes=[Route("/", endpoint, methods=["POST"])], exception_handlers=exception_handlers())


def post(sinks: Sinks, **request: object) -> httpx2.Response:
    async def run() -> httpx2.Response:
        transport = httpx2.ASGITransport(app_of(sinks))
        async with httpx2.AsyncClient(transport=transport, base_url="http://x") as client:
            return await client.post("/", **request)  # type: ignore[arg-type]  # passed on as given

    return asyncio.run(run())


def test_a_raw_body_with_its_name_and_digest() -> None:
    sinks = Sinks()
    headers = {"Content-Disposition": "attachment; filename*=UTF-8''Zo%C3%AB.png", "X-SHA-256": digest_of(b"x")}
    answer = post(sinks, content=b"x", headers=headers)
    assert answer.json() == {"size": 1, "name": "Zoë.png", "expected": digest_of(b"x")}
    assert threading.get_ident() not in sinks.threads
    assert post(Sinks(), content=b"x", params={"filename": "../q.png"}).json()["name"] == "q.png"
    assert post(Sinks(), content=b"x").json()["name"] is None


def test_a_clients_form() -> None:
    files = [("file", ("a.png", b"x" * 10)), ("file", ("a.png", b"y" * 300_000))]
    answer = post(Sinks(), files=files, data={"tags": ["a", "ü"]})
    assert answer.json() == {"sizes": [10, 300_000], "texts": [["tags", "a"], ["tags", "ü"]]}


@pytest.mark.parametrize(
    ("content", "headers", "status"),
    [
        (b"", {}, 422),
        (b"x" * (LIMIT + 1), {}, 413),
        (b"x", {"X-SHA-256": "no"}, 422),
        (b"x", {"Content-Encoding": "gzip"}, 415),
        (b"x", {"Content-Type": "multipart/form-data"}, 422),
        (b"x", {"Content-Type": "multipart/form-data; boundary=b"}, 422),
        (b"xyz", {"Content-Length": "2"}, 422),
        (b"xyz", {"Content-Length": "4"}, 422),
        (b"x", {"Content-Length": "one"}, 422),
    ],
)
def test_refusals_leave_nothing(content: bytes, headers: dict[str, str], status: int) -> None:
    sinks = Sinks()
    answer = post(sinks, content=content, headers=headers)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert not sinks.open | sinks.kept


def test_a_length_over_the_limit_is_refused_unread() -> None:
    sinks = Sinks()
    answer = post(sinks, content=b"x" * (LIMIT + 1))
    assert (answer.json()["limit"], answer.json()["actual"], sinks.made) == (LIMIT, LIMIT + 1, 0)


def test_a_body_of_unknown_length_stops_at_the_limit() -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += 100_000
            yield bytes(100_000)

    sinks = Sinks()
    assert post(sinks, content=endless()).status_code == 413
    assert sent < 2 * LIMIT
    assert not sinks.open | sinks.kept


@pytest.mark.parametrize("as_form", [False, True])
def test_memory_stays_bounded_and_chunks_are_cut(as_form: bool) -> None:  # noqa: FBT001  # a table
    sinks = Sinks()
    start = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
    pieces = [bytes(8 * 1024 * 1024)] * 20
    if as_form:
        pieces = [start, *pieces, b"\r\n--b--"]
    headers = [(b"content-type", b"multipart/form-data; boundary=b")] if as_form else []
    left = iter(pieces)

    async def receive() -> Message:
        piece = next(left, b"")
        return {"type": "http.request", "body": piece, "more_body": bool(piece)}

    async def run() -> None:
        request = Request({"type": "http", "headers": headers, "query_string": b""}, receive)
        if as_form:
            rules = FormRules(RULES.files, RULES.texts, 10**9, 100)
            await receive_form(request, rules, sinks)
        else:
            await receive_raw(request, 10**9, sinks)

    tracemalloc.start()
    try:
        asyncio.run(run())
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert [kept.size for kept in sinks.kept] == [20 * 8 * 1024 * 1024]
    assert sinks.largest <= 256 * 1024
    assert peak < 2 * 1024 * 1024


def test_the_staging_of_the_blob_store_is_a_sink() -> None:
    store = MemoryBlobs()

    async def endpoint(request: Request) -> Response:
        raw = await receive_raw(request, LIMIT, store.stage)
        store.publish(raw.kept)
        return JSONResponse(raw.kept.digest)

    async def run() -> str:
        transport = httpx2.ASGITransport(Starlette(routes=[Route("/", endpoint, methods=["PUT"])]))
        async with httpx2.AsyncClient(transport=transport, base_url="http://x") as client:
            return str((await client.put("/", content=b"hello")).json())

    assert asyncio.run(run()) == digest_of(b"hello")
    with store.open(digest_of(b"hello")) as file:
        assert file.read() == b"hello"


FORM = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n' + b"x" * 400_000
POST = b"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"


@pytest.mark.parametrize(
    "request_bytes",
    [
        POST + b"Content-Length: 900000\r\n\r\n" + b"x" * 600_000,
        POST + b"Transfer-Encoding: chunked\r\n\r\n" + b"%x\r\n" % 900_000 + b"x" * 600_000,
        POST + b"Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 900000\r\n\r\n" + FORM,
        POST
        + b"Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 900000\r\n\r\n"
        + FORM
        + b"\r\n"
        + FORM,
    ],
)
def test_a_client_that_leaves_leaves_nothing(serve: Callable[[ASGIApp], Served], request_bytes: bytes) -> None:
    sinks = Sinks()
    server = serve(app_of(sinks))
    server.send(request_bytes, cut=True)
    assert asyncio.run(_until(lambda: sinks.made > 0 and not sinks.open | sinks.kept))


def test_a_body_longer_than_it_said_is_cut_by_the_framing(serve: Callable[[ASGIApp], Served]) -> None:
    sinks = Sinks()
    answer = serve(app_of(sinks)).send(POST + b"Content-Length: 3\r\n\r\nxyzzy")
    assert answer.startswith(b"HTTP/1.1 200")
    assert b'"size":3' in answer


def test_a_form_without_its_end_over_a_socket(serve: Callable[[ASGIApp], Served]) -> None:
    sinks = Sinks()
    head = b"Content-Type: multipart/form-data; boundary=b\r\nContent-Length: %d\r\n\r\n" % len(FORM)
    answer = serve(app_of(sinks)).send(POST + head + FORM)
    assert answer.startswith(b"HTTP/1.1 422")
    assert b"closing boundary" in answer
    assert not sinks.open | sinks.kept


def test_an_early_refusal_sends_no_100_continue(serve: Callable[[ASGIApp], Served]) -> None:
    answer = serve(app_of(Sinks())).send(POST + b"Expect: 100-continue\r\nContent-Length: 9000000\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 413")


def test_a_cancelled_upload_discards_after_its_thread_is_done() -> None:
    sinks = Sinks(delay=0.05)

    async def receive() -> Message:
        return {"type": "http.request", "body": bytes(300_000), "more_body": True}

    async def run() -> None:
        request = Request({"type": "http", "headers": [], "query_string": b""}, receive)
        task = asyncio.ensure_future(receive_raw(request, 10**9, sinks))
        await asyncio.sleep(0.12)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(run())
    assert sinks.made == 1  # and `discard` saw no writing thread
    assert not sinks.open | sinks.kept


def test_a_cancelled_scope_discards_too() -> None:
    sinks = Sinks(delay=0.05)

    async def receive() -> Message:
        return {"type": "http.request", "body": bytes(300_000), "more_body": True}

    async def run() -> bool:
        request = Request({"type": "http", "headers": [], "query_string": b""}, receive)
        with anyio.move_on_after(0.12) as scope:
            await receive_raw(request, 10**9, sinks)
        assert not sinks.open | sinks.kept
        return scope.cancelled_caught

    assert asyncio.run(run())
    assert sinks.made == 1


def test_refusals_are_ours() -> None:
    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    request = Request(
        {"type": "http", "headers": [(b"content-type", b"multipart/form-data")], "query_string": b""}, receive
    )
    with pytest.raises(InvalidError, match="boundary"):
        asyncio.run(receive_form(request, RULES, Sinks()))


async def _until(condition: Callable[[], bool]) -> bool:
    for _ in range(500):
        if condition():
            return True
        await asyncio.sleep(0.01)
    return False
