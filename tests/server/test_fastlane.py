"""The fast lane beside the ordinary way: the same answers, byte for byte, and nothing told that is not so any more."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import io
import re
import signal
import socket
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from prometheus_client.parser import text_string_to_metric_families

from server.answercache import AnswerCache
from server.asgi import Served
from server.configuration import load_settings
from server.fastlane import FastLane
from server.guard import GUARD, Guard
from server.metrics import Metrics

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from types import ModuleType

LARGE = bytes(range(256)) * 12_000
"""More than is kept in memory."""
UNKNOWN = "0" * 64
ANY_ID = re.compile(rb"[0-9a-f]{16}")


def png(side: int) -> bytes:
    """Return a picture."""
    out = io.BytesIO()
    Image.new("RGB", (side, side), (side, 20, 30)).save(out, "PNG")
    return out.getvalue()


@dataclass(frozen=True)
class Answer:
    """An answer without what differs each time."""

    status: bytes
    fields: tuple[bytes, ...]
    body: bytes


class Line:
    """A connection on which answers are read one by one."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        self.rest = b""

    def ask(self, request: bytes) -> Answer | None:
        """Send a request and return its answer; None when the connection ended instead."""
        self.socket.sendall(request)
        while b"\r\n\r\n" not in self.rest:
            if not self._more():
                return None
        head, _, self.rest = self.rest.partition(b"\r\n\r\n")
        status, *fields = head.split(b"\r\n")
        named = dict(field.lower().split(b": ", 1) for field in fields)
        empty = request.startswith(b"HEAD ") or status.split()[1] in {b"204", b"304"}
        length = 0 if empty else int(named.get(b"content-length", b"0"))
        while len(self.rest) < length:
            assert self._more()
        body, self.rest = self.rest[:length], self.rest[length:]
        assert ANY_ID.fullmatch(named[b"x-request-id"])
        kept = [field for field in fields if not field.lower().startswith((b"date: ", b"x-request-id: "))]
        boundary = re.search(rb"boundary=([0-9a-f]+)", head)
        if boundary is not None:
            body, kept = body.replace(boundary[1], b"-"), [field.replace(boundary[1], b"-") for field in kept]
        return Answer(status, tuple(kept), re.sub(rb'"requestId":"[0-9a-f]+"', b"", body))

    def close(self) -> None:
        """End the connection."""
        self.socket.close()

    def _more(self) -> bool:
        try:
            piece = self.socket.recv(1 << 20)
        except ConnectionError:
            piece = b""
        self.rest += piece
        return bool(piece)


@dataclass
class Pair:
    """One folder and two servers on it, with the fast lane and without."""

    fast: Any
    slow: Any
    digests: tuple[str, ...]

    def both(self, request: bytes) -> tuple[Answer | None, ...]:
        """Return what the ordinary way answers, and what the fast lane does the first and the second time."""
        plain, quick = Line(self.slow.port), Line(self.fast.port)
        try:
            first = quick.ask(request)
            if first is None or b"connection: close" in [field.lower() for field in first.fields]:
                quick.close()
                quick = Line(self.fast.port)
            return plain.ask(request), first, quick.ask(request)
        finally:
            plain.close()
            quick.close()

    def remembered(self) -> float:
        return remembered(self.fast)


def remembered(server: Any) -> float:
    """Return how many requests were answered from memory, once it has been told: a moment later."""
    with server.client() as client:
        text = client.get("/metrics").raise_for_status().text
    families = text_string_to_metric_families(text)
    return sum(
        sample.value
        for family in families
        for sample in family.samples
        if sample.name == "calotype_requests_remembered_total"
    )


def wait_for(server: Any, count: float) -> None:
    deadline = time.monotonic() + 60
    while remembered(server) < count:
        assert time.monotonic() < deadline


def asset(server: Any, content: bytes, filename: str = "a.png") -> tuple[str, str]:
    """Upload something; return its id and its hash."""
    with server.client() as client:
        made = client.post("/api/assets", params={"filename": filename}, content=content).raise_for_status().json()
    return made["id"], made["sha256"]


def get(digest: str, path: str = "/blobs/{}", *fields: str) -> bytes:
    lines = [f"GET {path.format(digest)} HTTP/1.1", "Host: 127.0.0.1", *fields]
    return "".join(f"{line}\r\n" for line in lines).encode() + b"\r\n"


def ask_once(server: Any, digest: str) -> Answer:
    line = Line(server.port)
    answer = line.ask(get(digest))
    line.close()
    assert answer is not None
    return answer


@pytest.fixture(scope="module")
def pair(serving: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    folder = tmp_path_factory.mktemp("fast") / "data"
    with (
        serving.Server(folder) as fast,
        serving.Server(folder, extra={"CALOTYPE_FASTLANE_BYTES": "0"}) as slow,
    ):
        digests = tuple(asset(fast, content)[1] for content in (png(40), b"plain text", LARGE, b"<svg/>"))
        yield Pair(fast, slow, digests)


PATHS = (
    "/blobs/{0}",
    "/blobs/{0}.png",
    "/blobs/{0}?download=1",
    "/blobs/{0}?x=%20",
    "/blobs/{0}/thumb.webp",
    "/blobs/{0}/thumb",
    "/avatars/{0}.png?s=48",
    "/avatars/{0}?d=identicon",
)
ODD_PATHS = ("/blobs/{0}/32x.exe", "/blobs/{0}/", "//blobs/{0}", "/blobs/{0}0", "http://127.0.0.1/blobs/{0}")
FIELDS = (
    *(
        f"{name}: {tag}"
        for name in ("If-None-Match", "If-Range")
        for tag in ('"{0}"', 'W/"{0}"', '"a", "{0}"', "*", "x", "")
    ),
    *(f"Range: bytes={value}" for value in ("0-", "5-9", "-7", "0-0", "9-5", "99999999-")),
    *(f"Accept: {value}" for value in ("*/*", "image/webp", "image/avif,image/*;q=0.5", "text/html", "", ";")),
    "Origin: http://elsewhere.example",
    "Origin: null",
    "User-Agent: somebody",
    "user-agent:\tanother ",
    "Accept-Encoding: gzip",
    "Connection: keep-alive",
)
ODD_FIELDS = (
    "Range: bytes=0-1,3-4",
    "Range: bytes=-",
    "Cookie: a=b",
    "Authorization: Bearer nonsense",
    "Connection: close",
    "X-Forwarded-For: 203.0.113.9",
    "Content-Length: 0",
    "Host: 127.0.0.1",
    "Unknown: field",
)


def heads(digests: tuple[str, ...]) -> st.SearchStrategy[bytes]:
    """Return requests: of four parts each is mostly plain."""

    def mostly(plain: tuple[str, ...], odd: tuple[str, ...]) -> st.SearchStrategy[str]:
        return st.integers(0, 9).flatmap(lambda dice: st.sampled_from(odd if dice == 0 else plain))

    def written(digest: str, method: str, path: str, version: str, host: str, fields: list[str]) -> bytes:
        lines = [f"{method} {path} HTTP/{version}", host, *fields, "", ""]
        return "\r\n".join(lines).replace("{0}", digest).encode()

    return st.builds(
        written,
        mostly(digests, (UNKNOWN, UNKNOWN.upper())),
        mostly(("GET", "GET", "HEAD"), ("DELETE", "OPTIONS")),
        mostly(PATHS, ODD_PATHS),
        mostly(("1.1",), ("1.0",)),
        mostly(("Host: 127.0.0.1", "host: localhost:1"), ("Host: evil.example", "Host: a b")),
        st.lists(mostly(FIELDS, ODD_FIELDS), max_size=3),
    )


@pytest.mark.heavy
def test_both_ways_give_the_same(pair: Pair, scale: int) -> None:
    """Whatever is asked: the ordinary way's answer, the fast lane's first, and its second, from memory."""

    @settings(max_examples=300 * scale, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])
    @given(heads(pair.digests))
    def check(request: bytes) -> None:
        ordinary, first, second = pair.both(request)
        assert first == ordinary
        assert second == ordinary

    before = pair.remembered()
    check()
    wait_for(pair.fast, before + 50)


@pytest.mark.heavy
def test_pieces_and_requests_sent_ahead_are_answered_in_order(pair: Pair) -> None:
    picture, text, large, _ = pair.digests
    requests = [get(text), get(picture), get(large, "/blobs/{}", "Range: bytes=1-5"), get(text)]
    for request in requests:
        pair.both(request)  # so that all of it is in memory
    for server in (pair.slow, pair.fast):
        line = Line(server.port)
        line.socket.sendall(b"".join(requests))
        together = [line.ask(b"") for _ in requests]
        for request in requests:
            line.socket.sendall(request[:9])
            line.socket.sendall(request[9:])
        apart = [line.ask(b"") for _ in requests]
        assert together == apart == [pair.both(request)[0] for request in requests]
        line.close()


@pytest.mark.heavy
def test_a_large_file_comes_whole_many_times_on_one_connection(pair: Pair) -> None:
    large = pair.digests[2]
    line = Line(pair.fast.port)
    before = pair.remembered()
    for start in (0, 1_000_000) * 5:  # an answer is kept a moment after its last byte has come
        answer = line.ask(get(large, "/blobs/{}", *([f"Range: bytes={start}-"] if start else [])))
        assert answer is not None
        assert answer.body == LARGE[start:]
    small = line.ask(get(pair.digests[1]))
    assert small is not None
    assert small.body == b"plain text"
    line.close()
    wait_for(pair.fast, before + 3)


@pytest.mark.heavy
def test_what_changes_is_seen_at_the_next_request_by_every_worker(serving: ModuleType, tmp_path: Path) -> None:
    """A name, a record that goes, bytes that are purged and come back: made here, seen by workers that remember."""
    with serving.Server(tmp_path / "data", workers=2) as server:
        kept, digest = asset(server, png(20), "first.png")
        lines = [Line(server.port) for _ in range(8)]

        def seen() -> set[tuple[bytes, bytes]]:
            found = set()
            for line in lines * 3:
                answer = line.ask(get(digest))
                assert answer is not None
                name = re.search(rb'filename="([^"]*)"', b"".join(answer.fields))
                found.add((answer.status[9:12], name[1] if name else b""))
            return found

        assert seen() == {(b"200", b"first.png")}
        with server.client() as client:
            version = client.get(f"/api/assets/{kept}").headers["etag"]
            changed = client.patch(
                f"/api/assets/{kept}", json={"filename": "second.png"}, headers={"If-Match": version}
            )
            assert changed.status_code == 200
            assert seen() == {(b"200", b"second.png")}
            assert client.delete(f"/api/assets/{kept}?purge=1").status_code == 204
            assert seen() == {(b"404", b"")}
        asset(server, png(20), "third.png")
        assert seen() == {(b"200", b"third.png")}
        wait_for(server, 24)
        for line in lines:
            line.close()


@pytest.mark.heavy
def test_each_answer_from_memory_is_in_the_log_with_its_own_id(pair: Pair) -> None:
    _, digest = asset(pair.fast, b"logged", "a.txt")
    line, before = Line(pair.fast.port), pair.remembered()
    for _ in range(20):  # one behind the other, as fast as they come; an answer is kept a moment after its last byte
        line.ask(get(digest))
    line.close()
    wait_for(pair.fast, before + 10)
    deadline = time.monotonic() + 60
    while len(logged := [each for each in pair.fast.output if f"GET /blobs/{digest}" in each]) < 20:
        assert time.monotonic() < deadline
    assert len({each.split()[-1] for each in logged}) == 20
    assert all(" 200 6 " in each for each in logged)


@pytest.mark.parametrize(
    ("setting", "kept"), [({}, True), ({"BLOB_ACCESS": "private"}, False), ({"FASTLANE_BYTES": "0"}, False)]
)
def test_private_bytes_are_never_answered_from_memory(tmp_path: Path, setting: dict[str, str], kept: bool) -> None:  # noqa: FBT001 - a parameter of the test
    environ = {"DATA_DIR": str(tmp_path), "CALOTYPE_MIN_FREE_BYTES": "0"}
    environ |= {f"CALOTYPE_{name}": value for name, value in setting.items()}
    state: dict[str, Any] = {}
    found: list[bool] = []

    async def send(message: Any) -> None:
        if message["type"] == "lifespan.startup.complete":
            found.append(state[GUARD].cache is not None)

    async def receive() -> Any:
        return {}

    served = Served(load_settings(environ).settings, Metrics())
    asyncio.run(served({"type": "lifespan", "state": state}, receive, send))
    assert found == [kept]


class Lane(Line):
    """A connection to a fast lane in a thread of this process, and what it answers from and records."""

    def __init__(self, port: int, guard: Guard, folder: Path) -> None:
        super().__init__(port)
        self.guard = guard
        self.folder = folder

    def remember(self, digest: str) -> None:
        """Ask until it is answered from memory, a moment after an answer's last byte has come."""
        deadline = time.monotonic() + 60
        assert self.guard.cache is not None
        while not self.guard.cache.held:
            assert self.ask(get(digest)) is not None
            assert time.monotonic() < deadline


@pytest.fixture
def lane(api: Any, serve: Any, recorded: Any) -> Iterator[Callable[[], Lane]]:
    """Return a function that connects to a fast lane in a thread."""

    class Known(FastLane):
        def __init__(self, config: Any, server_state: Any, app_state: Any, _loop: Any = None) -> None:
            del app_state
            super().__init__(config, server_state, {GUARD: guard}, _loop)

    guard = Guard(cache=AnswerCache(1 << 20, api.store.engine.epochs.values), log=recorded)
    port = serve(api.app, Known).port
    with contextlib.ExitStack() as stack:

        def connect() -> Lane:
            line = Lane(port, guard, api.store.engine.paths.root)
            stack.callback(line.close)
            return line

        yield connect


def test_a_download_that_is_broken_off_is_recorded_as_far_as_it_came(
    lane: Callable[[], Lane], api: Any, recorded: Any
) -> None:
    digest = api.upload(LARGE * 8)["sha256"]
    line = lane()
    line.remember(digest)
    recorded.visits.clear()
    line.socket.sendall(get(digest))
    assert line.socket.recv(10) == b"HTTP/1.1 2"
    line.close()
    deadline = time.monotonic() + 60
    while not recorded.visits:
        assert time.monotonic() < deadline
    (visit,) = recorded.visits
    assert visit.status == 200
    assert 0 < visit.bytes < len(LARGE * 8)


def test_a_file_that_is_not_whole_is_left_to_the_ordinary_way(lane: Callable[[], Lane], api: Any) -> None:
    digest = api.upload(LARGE)["sha256"]
    line = lane()
    line.remember(digest)
    raw = line.folder / "binaries" / digest / "raw"
    raw.chmod(0o600)
    raw.write_bytes(LARGE[:-1])
    answer = line.ask(get(digest))
    assert answer is not None
    assert answer.status.split()[1] == b"404"
    raw.write_bytes(LARGE)
    line.remember(digest)
    answer = line.ask(get(digest))
    assert answer is not None
    assert answer.body == LARGE


@pytest.mark.heavy
def test_a_large_file_is_not_waited_for_without_end(serving: ModuleType, tmp_path: Path) -> None:
    """Not where it is not read, and not between two requests; but a server that ends lets it leave first."""
    quick = {"CALOTYPE_UNREAD_TIMEOUT_S": "1", "CALOTYPE_KEEP_ALIVE_S": "1"}
    with serving.Server(tmp_path / "data", extra=quick) as server:
        _, digest = asset(server, LARGE * 8, "large.bin")
        assert ask_once(server, digest).body == LARGE * 8
        stuck, resting = Line(server.port), Line(server.port)
        stuck.socket.sendall(get(digest))
        for _ in range(2):
            assert resting.ask(get(digest)) is not None
        resting.socket.settimeout(30)
        assert resting.socket.recv(1) == b""
        with server.client() as client:
            deadline = time.monotonic() + 60
            while 'connections_cut_total{waited_for="unread"} 1.0' not in client.get("/metrics").text:
                assert time.monotonic() < deadline
        stuck.close()
        resting.close()
        line = Line(server.port)
        line.socket.sendall(get(digest))
        line.rest += line.socket.recv(1)
        server.process.send_signal(signal.SIGTERM)
        answer = line.ask(b"")
        assert answer is not None
        assert hashlib.sha256(answer.body).hexdigest() == digest
        line.close()
        assert server.process.wait(timeout=60) == 0
        server.stop()
