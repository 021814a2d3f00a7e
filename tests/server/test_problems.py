"""Every error of an application is a problem document."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Route

from metadata.clock import SystemClock
from metadata.errors import CalotypeError, InternalError, NotFoundError, UnauthenticatedError, UnreadableError
from server.accesslog import LogRecorder
from server.configuration import load_settings
from server.door import door
from server.problems import exception_handlers
from server.settings import LogFormat

if TYPE_CHECKING:
    from starlette.requests import Request

FAILURES: dict[str, Exception] = {
    "ours": NotFoundError("No such picture.", field="id"),
    "unreadable": UnreadableError("chats/index.jsonl line 4", id="4", path="chats/index.jsonl"),
    "internal": InternalError("the flux broke"),
    "surprise": ZeroDivisionError("sesame"),
    "framework": HTTPException(413),
    "who": UnauthenticatedError("Send a token."),
}


async def endpoint(request: Request) -> Response:
    if (failure := FAILURES.get(request.path_params["name"])) is not None:
        raise failure
    return Response("fine")


def ask(path: str, method: str = "GET") -> httpx2.Response:
    app = Starlette(routes=[Route("/{name}", endpoint)], exception_handlers=exception_handlers())
    outer = door(app, load_settings({}).settings, recorder=LogRecorder(LogFormat.TEXT), clock=SystemClock())

    async def run() -> httpx2.Response:
        transport = httpx2.ASGITransport(outer, raise_app_exceptions=False)
        async with httpx2.AsyncClient(transport=transport, base_url="http://x") as client:
            return await client.request(method, path)

    return asyncio.run(run())


@pytest.mark.parametrize(
    ("path", "method", "status"),
    [("/ours", "GET", 404), ("/unreadable", "GET", 500), ("/internal", "GET", 500), ("/surprise", "GET", 500),
     ("/framework", "GET", 413), ("/who", "GET", 401), ("/a/b", "GET", 404), ("/x", "DELETE", 405)],
)  # fmt: skip
def test_every_error_is_a_problem(path: str, method: str, status: int) -> None:
    answer = ask(path, method)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert answer.headers["cache-control"] == "no-store"
    body = answer.json()
    assert {"type", "title", "status", "detail"} <= set(body)
    assert body["status"] == status
    if status >= 500:
        assert body["requestId"] == answer.headers["x-request-id"]
    for inside in ("sesame", "flux", "jsonl", "ZeroDivision"):
        assert inside not in answer.text


def test_a_method_not_allowed_says_which_are() -> None:
    """In one order, whichever process answers."""
    assert ask("/x", "DELETE").headers["allow"] == "GET, HEAD"


def test_missing_credentials_say_how() -> None:
    assert ask("/who").headers["www-authenticate"].startswith("Bearer")


def test_the_log_has_the_inside_under_the_same_id(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR, "calotype.errors"):
        answer = ask("/surprise")
    assert answer.headers["x-request-id"] in caplog.text
    assert "sesame" in caplog.text


def test_all_failures_are_exercised() -> None:
    assert any(not isinstance(failure, CalotypeError) for failure in FAILURES.values())
