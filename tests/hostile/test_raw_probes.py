"""Requests that no well-behaved client can send get the answers they should, and nothing worse happens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from server.protocol import Protocol

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from starlette.requests import Request

    from server.framing import Fault

FEWEST = 34


class Credulous(Protocol):
    """Believes every head."""

    def _fault(self) -> Fault | None:
        return None


def unexpected(port: int, token: str, probes: ModuleType, wire: ModuleType, **more: float) -> list[str]:
    """Send every probe and return what came back wrong."""
    found = []
    for probe in probes.PROBES:
        answer = wire.exchange(port, probe.data.replace(b"{token}", token.encode()), half=probe.half, **more)
        wrong = [] if answer.status in probe.right else [f"status {answer.status}"]
        if answer.status > 0:
            wrong += wire.faults(answer)
        if wrong:
            found.append(f"{probe.name}: {', '.join(wrong)}")
    return found


def test_every_probe_is_answered_as_it_should_be(server: Any, probes: ModuleType, wire: ModuleType) -> None:
    assert len({probe.name for probe in probes.PROBES}) == len(probes.PROBES) >= FEWEST
    assert unexpected(server.port, server.token, probes, wire) == []
    with server.client() as client:
        assert client.get("/healthz").status_code == 200
        counters = client.get("/metrics").text
    assert 'status="400"' in counters
    assert 'status="5' not in counters
    assert not [line for line in server.output if "Traceback" in line or " ERROR " in line]


async def anything(request: Request) -> PlainTextResponse:
    await request.body()
    return PlainTextResponse("ok")


@pytest.mark.parametrize(("protocol", "wrong"), [("httptools", FEWEST), (Credulous, 10)])
def test_the_probes_find_a_server_that_is_wanting(
    plain: Callable[..., int], probes: ModuleType, wire: ModuleType, protocol: type[Protocol] | str, wrong: int
) -> None:
    """Controls: uvicorn's own protocol, and ours without the check of heads, before what takes everything."""
    app = Starlette(routes=[Route("/{path:path}", anything, methods=["GET", "POST"])])
    found = unexpected(plain(app, protocol), "none", probes, wire, within=1)
    assert len([line for line in found if ": status" in line]) >= wrong, found
