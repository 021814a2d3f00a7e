"""One line a request, and no secrets in it."""

from __future__ import annotations

import asyncio
import json
import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from server.accesslog import AccessLog, LogRecorder, Visit
from server.settings import LogFormat

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx2
    from starlette.types import Message, Receive, Scope, Send

    Ask = Callable[..., httpx2.Response]

VISIT = Visit("2026-01-31T12:00:00.000Z", "203.0.113.9", "GET", "/blobs/a", 200, 12, 3.5, "abc", "/blobs/{name}")


class Clock:
    """Stands still, but for a quarter of a second at each look."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> datetime:
        """Return noon."""
        return datetime(2026, 1, 31, 12, tzinfo=UTC)

    def monotonic(self) -> float:
        """Return a little more each time."""
        self.seconds += 0.25
        return self.seconds


def visit(recorded: Any, *messages: Message, fail: Exception | None = None, **scope: Any) -> Visit:
    """Return what is recorded of a request that is answered by these messages."""

    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        for message in messages:
            await send(message)
        if fail is not None:
            raise fail

    async def receive() -> Message:
        return {"type": "http.request"}

    async def send(message: Message) -> None:
        sent.append(message)

    sent: list[Message] = []
    whole = {"type": "http", "method": "GET", "path": "/a", "client": ("203.0.113.9", 5), **scope}
    try:
        asyncio.run(AccessLog(app, recorded, Clock())(whole, receive, send))
    finally:
        assert sent == list(messages)
    found: Visit = recorded.visits[0]
    return found


START: Message = {"type": "http.response.start", "status": 206, "headers": []}
BODY: list[Message] = [
    {"type": "http.response.body", "body": b"1234", "more_body": True},
    {"type": "http.response.body"},
]


def test_what_is_recorded_of_an_answer(recorded: Any) -> None:
    found = visit(recorded, START, *BODY, state={"request_id": "abc"})
    assert found == Visit("2026-01-31T12:00:00.000Z", "203.0.113.9", "GET", "/a", 206, 4, 250.0, "abc")


def test_the_body_of_an_answer_to_head_is_never_sent(recorded: Any) -> None:
    assert visit(recorded, START, *BODY, method="HEAD").bytes == 0


def test_a_request_without_an_answer_is_recorded_too(recorded: Any) -> None:
    with pytest.raises(ZeroDivisionError):
        visit(recorded, fail=ZeroDivisionError())
    assert recorded.visits[0].status == 0


def test_an_answer_that_breaks_off_is_recorded_as_far_as_it_came(recorded: Any) -> None:
    with pytest.raises(ZeroDivisionError):
        visit(recorded, START, BODY[0], fail=ZeroDivisionError())
    assert (recorded.visits[0].status, recorded.visits[0].bytes) == (206, 4)


def test_a_client_without_an_address(recorded: Any) -> None:
    assert visit(recorded, START, client=None).client == "-"


def test_what_is_no_request_is_passed_on_and_not_recorded(recorded: Any) -> None:
    with pytest.raises(IndexError):
        visit(recorded, type="lifespan")


@pytest.mark.parametrize("letter", ["a", "\n", "é", "🎈"])
def test_a_path_is_never_longer_than_500_characters(recorded: Any, letter: str) -> None:
    path = visit(recorded, START, path="/" + letter * 600).path
    assert len(path) == 500
    assert path.isascii()
    assert path.isprintable()


@pytest.mark.parametrize("log_format", LogFormat)
def test_no_path_can_pass_for_the_rest_of_its_line(
    recorded: Any, caplog: pytest.LogCaptureFixture, log_format: LogFormat
) -> None:
    forged = '/a" 200 5 1.0ms id\n203.0.113.1 "GET /b'
    with caplog.at_level(logging.INFO, "calotype.access"):
        LogRecorder(log_format).record(visit(recorded, START, path=forged))
    line = caplog.records[0].getMessage()
    assert "\n" not in line
    if log_format is LogFormat.TEXT:
        assert line.count('"') == 2
        assert line.endswith('" 206 0 250.0ms ')
    else:
        assert json.loads(line)["status"] == 206


def test_the_two_formats(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "elsewhere"):
        for log_format in LogFormat:
            LogRecorder(log_format, logging.getLogger("elsewhere")).record(VISIT)
    lines = {record.getMessage() for record in caplog.records if record.name == "elsewhere"}
    assert '203.0.113.9 "GET /blobs/a" 200 12 3.5ms abc' in lines
    assert [json.loads(line) for line in lines if line.startswith("{")] == [
        {
            "time": "2026-01-31T12:00:00.000Z",
            "client": "203.0.113.9",
            "method": "GET",
            "path": "/blobs/a",
            "status": 200,
            "bytes": 12,
            "ms": 3.5,
            "id": "abc",
            "route": "/blobs/{name}",
        }
    ]


def test_the_access_log_has_no_secrets_and_no_line_breaks(ask: Ask, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "calotype.access"):
        for log_format in LogFormat:
            ask(
                url="http://localhost/blobs/a%0Ab%1b?signature=sesame",
                authorization="Bearer sesame",
                cookie="sesame",
                recorder=LogRecorder(log_format),
            )
    text, line = (record.getMessage() for record in caplog.records)
    assert "sesame" not in caplog.text
    assert text.startswith('127.0.0.1 "GET /blobs/a\\nb\\x1b" 404 ')
    visited = json.loads(line)
    assert (visited["status"], visited["method"], visited["path"]) == (404, "GET", "/blobs/a\\nb\\x1b")
    assert visited["bytes"] > 0
