"""Requests that no well-behaved client can send get the answers they should, and nothing worse happens."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from server.protocol import Protocol

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import ModuleType

    from starlette.requests import Request

    from server.framing import Fault

FEWEST = 34
FLAWED = 200


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


def test_every_probe_is_answered_as_it_should_be(
    server: Any, probes: ModuleType, wire: ModuleType, promise: Callable[[str, int, int], None]
) -> None:
    assert len({probe.name for probe in probes.PROBES}) == len(probes.PROBES) >= FEWEST
    wrong = unexpected(server.port, server.token, probes, wire)
    promise("raw probes", len(probes.PROBES), len(wrong))
    assert wrong == []
    with server.client() as client:
        assert client.get("/healthz").status_code == 200
        counters = client.get("/metrics").text
    assert 'status="400"' in counters
    assert 'status="5' not in counters
    assert not [line for line in server.output if "Traceback" in line or " ERROR " in line]


def flawed(probe: Any, number: int) -> bytes:
    """Return a probe's bytes with a flaw, the same every time: a bit, a cut, a piece twice, or another's middle."""
    chance = random.Random(number)  # noqa: S311 - the same every time is the point
    data = bytes(probe.data)
    at = chance.randrange(min(len(data), 400))
    match number % 4:
        case 0:
            return data[:at] + bytes([data[at] ^ 1 << chance.randrange(8)]) + data[at + 1 :]
        case 1:
            return data[:at]
        case 2:
            return data[:at] + data[max(0, at - 40) :]
        case _:
            return data[:at] + chance.choice((b"\r\n", b"\x00", b"\n", b" ", b"\r\n\r\n", b":", b"0" * 30)) + data[at:]


@pytest.mark.heavy
def test_flawed_probes_are_refused_or_understood(
    serving: ModuleType,
    probes: ModuleType,
    wire: ModuleType,
    tmp_path: Path,
    scale: int,
    promise: Callable[[str, int, int], None],
) -> None:
    """Deadlines are short, so that what waits for more is answered too."""
    extra = {"CALOTYPE_HEADER_TIMEOUT_S": "0.3", "CALOTYPE_BODY_TIMEOUT_S": "0.3"}
    with serving.Server(tmp_path / "data", extra=extra) as server:

        def wrong(number: int) -> str:
            probe = probes.PROBES[number % len(probes.PROBES)]
            data = flawed(probe, number).replace(b"{token}", server.token.encode())
            answer = wire.exchange(server.port, data)
            faults = wire.faults(answer) if answer.status > 0 else []
            known = answer.status >= 0 and answer.status < 500
            return "" if known and not faults else f"{number} {probe.name}: {answer.status} {faults}"

        with ThreadPoolExecutor(16) as pool:
            bad = [found for found in pool.map(wrong, range(FLAWED * scale)) if found]
        promise("raw probes with flaws", FLAWED * scale, len(bad))
        assert bad == []
        with server.client() as client:
            counted = client.get("/metrics").text
        assert 'status="5' not in counted
        assert 'status="408"' in counted
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
