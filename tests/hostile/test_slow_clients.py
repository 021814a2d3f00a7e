"""Slow clients are ended, whatever they are slow at, and a normal client is served throughout."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from starlette.requests import Request

ENDED_S = 25
"""Within this long every slow client is to be gone with the default deadlines; waited for five times as long."""
SHORT = {"HEADER_TIMEOUT_S": "1", "BODY_TIMEOUT_S": "1", "UNREAD_TIMEOUT_S": "1", "KEEP_ALIVE_S": "1"}
CROWD = 32
"""Half of the listener's queue."""
KIB_EACH = 256
"""What a slow client may cost the worker at the most."""
CALM_KIB = 96 * 1024
"""What serving costs besides."""


def resident_kib(pid: int, field: str) -> int:
    """Return a size of a process from /proc; 0 where there is none."""
    status = Path(f"/proc/{pid}/status")
    found = re.search(rf"^{field}:\s+(\d+) kB", status.read_text(), re.MULTILINE) if status.exists() else None
    return int(found[1]) if found else 0


async def serve_meanwhile(server: Any, until: asyncio.Future[Any]) -> int:
    """Ask for small things one after the other until the slow ones are gone; return how many answers there were."""
    served = 0
    async with httpx2.AsyncClient(
        base_url=server.url, headers=server.headers, timeout=5 * ENDED_S, trust_env=False
    ) as client:
        while not until.done():
            assert (await client.get("/healthz")).status_code == 200
            content = f"normal {served}".encode()
            assert (await client.post("/api/assets", content=content)).status_code == 201
            served += 1
            await asyncio.wait({until}, timeout=0.05)
    return served


async def all_ended(server: Any, slow: ModuleType, target: Any, each: int) -> int:
    """Hold the server by clients of every kind and return how often a normal one was answered until they were gone.

    They come in small crowds, and the next when a new connection has been answered: what overflows the listener's queue
    is a connection in the client's eyes alone, which no server can end.
    """
    over = asyncio.get_running_loop().create_future()
    meanwhile = asyncio.ensure_future(serve_meanwhile(server, over))
    opened, held = asyncio.Semaphore(0), []
    kinds = [kind for _ in range(each) for kind in slow.KINDS]
    for begin in range(0, len(kinds), CROWD):
        crowd = [asyncio.ensure_future(slow.hold(kind, target, opened)) for kind in kinds[begin : begin + CROWD]]
        for _ in crowd:
            await asyncio.wait_for(opened.acquire(), 5 * ENDED_S)
        await answered(server)
        held += crowd
    await asyncio.wait_for(asyncio.gather(*held), 5 * ENDED_S)
    over.set_result(None)
    return await meanwhile


async def answered(server: Any) -> None:
    """Return when a connection that is opened now has been answered."""
    async with httpx2.AsyncClient(base_url=server.url, timeout=5 * ENDED_S, trust_env=False) as client:
        assert (await client.get("/healthz")).status_code == 200


@pytest.mark.heavy
@pytest.mark.timeout(400)
def test_slow_clients_are_ended_and_a_normal_one_is_served(
    serving: ModuleType, slow: ModuleType, tmp_path: Path, scale: int, promise: Callable[[str, int, int], None]
) -> None:
    """At the everyday scale few of each and short deadlines; above it the real ones, with 300 and 600 of each."""
    each = 12 if scale == 1 else 300 if scale < 50 else 600
    extra = {f"CALOTYPE_{name}": value for name, value in SHORT.items()} if scale == 1 else {}
    with serving.Server(tmp_path / "data", extra=extra) as server:
        with server.client() as client:
            large = client.post("/api/assets", content=bytes(slow.ENOUGH_TO_BLOCK)).json()["url"]
        before = resident_kib(server.process.pid, "VmRSS")
        target = slow.Target(server.port, server.token, large, 0.1 if scale == 1 else 1.0)
        served = asyncio.run(all_ended(server, slow, target, each))
        grown = resident_kib(server.process.pid, "VmHWM") - before
        with server.client() as client:
            counted = client.get("/metrics").text
            assert client.get("/api/assets").json()["total"] == served + 1
        assert list((tmp_path / "data/uploads").glob("*.part")) == []
        assert not [line for line in server.output if "Traceback" in line or " ERROR " in line or '" 5' in line]
    assert served > 0
    assert grown < KIB_EACH * each * len(slow.KINDS) + CALM_KIB
    cut = dict(re.findall(r'^calotype_connections_cut_total{waited_for="(\w+)"} ([\d.]+)', counted, re.MULTILINE))
    assert {kind: float(count) for kind, count in cut.items()} == {"headers": 2 * each, "body": each, "unread": each}
    promise("slow clients of five kinds", each * len(slow.KINDS), 0)
    promise("normal requests served among them", 2 * served, 0)
    promise("KiB that they cost the worker at most", grown, 0)


async def big(request: Request) -> Response:
    await request.body()
    return Response(bytes(24 * 1024 * 1024))


async def small(request: Request) -> Response:
    del request
    return Response(b"ok")


def test_they_would_hold_a_plain_server(plain: Callable[..., int], slow: ModuleType) -> None:
    """Control: uvicorn's own protocol keeps every one of them."""
    routes = [Route("/healthz", small), Route("/api/assets", big, methods=["POST"]), Route("/large", big)]
    target = slow.Target(plain(Starlette(routes=routes), "httptools"), "none", "/large", 0.1)

    async def run() -> set[str]:
        opened = asyncio.Semaphore(0)
        tasks = {kind: asyncio.ensure_future(slow.hold(kind, target, opened)) for kind in slow.KINDS}
        _, held = await asyncio.wait(tasks.values(), timeout=4)
        for task in held:
            task.cancel()
        await asyncio.wait(tasks.values())
        return {kind for kind, task in tasks.items() if task in held}

    assert asyncio.run(run()) == set(slow.KINDS)
