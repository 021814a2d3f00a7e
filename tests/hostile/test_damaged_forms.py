"""Damaged forms are refused or understood, never half; and of clients that go away nothing is left."""

from __future__ import annotations

import contextlib
import hashlib
import re
import socket
import struct
import time
from typing import TYPE_CHECKING, Any

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from metadata.errors import CalotypeError
from server.multipart import Form, FormReader, FormRules

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from starlette.requests import Request

EACH_SCALE = 200
RIGHT = {200, 201, 409, 413, 415, 422}
_RESET_AT_CLOSE = struct.pack("ii", 1, 0)


def wrong(client: httpx2.Client, damage: ModuleType, count: int) -> list[str]:
    """Send damaged forms and return those that were answered as they should not be."""
    found = []
    for number in range(count):
        body = damage.damaged(number)
        answer = client.post("/api/assets", content=body, headers={"Content-Type": damage.MEDIA})
        taken = answer.status_code < 300
        if answer.status_code not in RIGHT or (taken and damage.CLOSING not in body):
            found.append(f"{number}: {answer.status_code} {answer.text[:100]}")
        for item in answer.json().get("items", []) if taken else []:
            if "asset" in item and not _is_part_of(item["asset"], body):
                found += [f"{number}: {item['asset']['sha256']} was never sent"]
    return found


def _is_part_of(asset: dict[str, Any], body: bytes) -> bool:
    """Tell whether a file's bytes stand in a form behind an empty line and before a boundary."""
    for match in re.finditer(rb"\r\n\r\n", body):
        candidate = body[match.end() : match.end() + asset["size"]]
        if hashlib.sha256(candidate).hexdigest() == asset["sha256"]:
            return True
    return False


def quiet(server: Any) -> bool:
    """Tell whether the log names no error of the server's."""
    return not [
        line for line in server.output if "Traceback" in line or " ERROR " in line or re.search('" 5[0-9][0-9] ', line)
    ]


def left_over(server: Any) -> list[str]:
    """Return what lies in the folder of files on their way in, once that is nothing or a minute is over."""
    deadline = time.monotonic() + 60
    while True:
        left = [path.name for path in (server.folder / "uploads").iterdir() if path.suffix != ".lock"]
        if not left or time.monotonic() > deadline:
            return left
        time.sleep(0.02)


@pytest.mark.heavy
def test_damaged_forms(server: Any, damage: ModuleType, scale: int, promise: Callable[[str, int, int], None]) -> None:
    with server.client() as client:
        found = wrong(client, damage, EACH_SCALE * scale)
        promise("damaged multipart bodies", EACH_SCALE * scale, len(found))
        assert found == []
        assert 'status="5' not in client.get("/metrics").text
    assert left_over(server) == []
    assert quiet(server)


def test_sound_forms_are_taken_and_the_damage_is_damage(server: Any, damage: ModuleType) -> None:
    with server.client() as client:
        for number in (70_001, 70_002, 70_004):
            form = damage.form(number)
            assert client.post("/api/assets", content=form, headers={"Content-Type": damage.MEDIA}).status_code == 201
    bodies = [damage.damaged(number) for number in range(EACH_SCALE)]
    assert sum(damage.CLOSING not in body for body in bodies) > EACH_SCALE // 5
    assert sum(body != damage.form(number) for number, body in enumerate(bodies)) > EACH_SCALE * 9 // 10


class Kept:
    """A file's bytes in memory, and where they go."""

    def write(self, chunk: bytes | memoryview) -> None:
        """Pass them over."""

    def finish(self) -> Kept:
        """Be what was kept."""
        return self

    def discard(self) -> None:
        """Drop nothing."""


class Credulous(FormReader[Kept]):
    """Takes the end of the body for the end of the form."""

    def close(self) -> Form[Kept]:
        return self._form


async def believe(request: Request) -> Response:
    names = frozenset({"file"}), frozenset({"source"})
    reader = Credulous(b"b0undary", FormRules(*names, max_file_bytes=10**6, max_parts=100), Kept)
    try:
        reader.feed(await request.body())
    except CalotypeError:
        return JSONResponse({}, 422)
    return JSONResponse({"items": [{"status": 201} for _ in reader.close().files]}, 201)


def test_a_credulous_server_is_caught(plain: Callable[..., int], damage: ModuleType) -> None:
    """Control: the reader without its look for the closing boundary."""
    port = plain(Starlette(routes=[Route("/api/assets", believe, methods=["POST"])]), "httptools")
    with httpx2.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=60) as client:
        assert len(wrong(client, damage, 50)) > 5


@pytest.mark.parametrize("reset", [False, True], ids=["closed", "reset"])
def test_nothing_is_left_of_clients_that_go_away(server: Any, damage: ModuleType, scale: int, *, reset: bool) -> None:
    with server.client() as client:
        before = client.get("/api/assets").json()["total"]
        for number in range(40 * scale):
            form = damage.form(3000 + number)
            head = (
                f"POST /api/assets HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {server.token}\r\n"
                f"Content-Type: {damage.MEDIA}\r\nContent-Length: {len(form)}\r\n\r\n"
            )
            sent = head.encode() + form[: number * len(form) // (40 * scale)]
            with (
                contextlib.suppress(ConnectionError),
                socket.create_connection(("127.0.0.1", server.port)) as connection,
            ):
                connection.sendall(sent)
                if reset:
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_AT_CLOSE)
        assert left_over(server) == []
        assert client.get("/api/assets").json()["total"] == before
        assert 'status="5' not in client.get("/metrics").text
    assert quiet(server)
