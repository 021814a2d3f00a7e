"""The shared part of a worker's connections."""

from __future__ import annotations

import asyncio
import ipaddress
import json
import socket
from typing import TYPE_CHECKING

import pytest

from server.framing import Fault
from server.guard import Guard, unsent
from server.limits import Limits
from server.metrics import Metrics

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("address", "place"),
    [("127.0.0.1", None), ("203.0.113.9", "203.0.113.9"), (None, None), ("::ffff:127.0.0.1", None)],
)
def test_a_trusted_proxy_is_nobody_itself(address: str | None, place: str | None) -> None:
    assert Guard(trusted=[ipaddress.ip_network("127.0.0.1")]).place(address) == place


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        ([], None),
        ([(b"x-forwarded-for", b"198.51.100.7")], "198.51.100.7"),
        ([(b"x-forwarded-for", b"198.51.100.7, 203.0.113.9")], "203.0.113.9"),
        ([(b"x-forwarded-for", b"203.0.113.9"), (b"x-forwarded-for", b"127.0.0.1")], "203.0.113.9"),
        ([(b"x-forwarded-for", b"nonsense")], None),
    ],
)
def test_whom_a_proxy_speaks_for(fields: list[tuple[bytes, bytes]], place: str | None) -> None:
    assert Guard(trusted=[ipaddress.ip_network("127.0.0.1")]).place_behind(fields) == place


def test_last_words_are_a_whole_answer_and_are_recorded(recorded: object) -> None:
    metrics = Metrics()
    guard = Guard(metrics=metrics, recorder=recorded)  # type: ignore[arg-type] # the fixture's own class
    said = guard.last_words(Fault(503, "Full.", {"limit": 3}), "203.0.113.9", [(b"date", b"today")])
    head, _, body = said.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 503 Service Unavailable\r\ndate: today\r\n")
    assert f"Content-Length: {len(body)}".encode() in head
    assert b"\r\nRetry-After: 1" in head
    assert (json.loads(body)["limit"], json.loads(body)["detail"]) == (3, "Full.")
    (visit,) = getattr(recorded, "visits", [])
    assert (visit.client, visit.status, visit.bytes) == ("203.0.113.9", 503, len(body))
    assert visit.id.encode() in head
    assert b'requests_rejected_total{status="503"} 1.0' in metrics.text({})


class Connection:
    """Is looked at three times and gone."""

    def __init__(self, connections: set[Connection]) -> None:
        self.looks: list[float] = []
        self.gone = asyncio.Event()
        self._connections = connections

    def check(self, now: float, elapsed: float) -> None:
        """Count."""
        assert now > 0
        self.looks.append(elapsed)
        if len(self.looks) == 3:
            self._connections.discard(self)
            self.gone.set()


def test_the_watch_ends_with_the_last_connection_and_begins_with_the_next() -> None:
    async def run() -> None:
        guard = Guard(Limits(headers_s=0.05))
        loop = asyncio.get_running_loop()
        connections: set[Connection] = set()
        for _ in range(2):
            connection = Connection(connections)
            connections.add(connection)
            guard.watch(loop, connections)
            guard.watch(loop, connections)  # the same watch
            assert guard.watching
            await connection.gone.wait()
            assert len(connection.looks) == 3
            assert not guard.watching

    asyncio.run(asyncio.wait_for(run(), 60))


def test_what_the_system_holds_for_a_client() -> None:
    one, other = socket.socketpair()
    with one, other:
        assert unsent(one.fileno()) == 0
        one.sendall(b"x" * 1000)
        held = unsent(one.fileno())
        other.recv(1000)
        assert held >= unsent(one.fileno()) == 0


def test_a_descriptor_that_can_hold_nothing_holds_nothing(tmp_path: Path) -> None:
    with (tmp_path / "file").open("wb") as file:
        assert unsent(file.fileno()) == 0
