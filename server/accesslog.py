"""One line a request, as text or JSON, with nothing in it that opens anything.

The query string is left out whole: signatures of signed URLs travel there, and whatever a client puts there by mistake.
"""

from __future__ import annotations

import json
import logging
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Protocol

from metadata.clock import timestamp

from .settings import LogFormat

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from metadata.clock import Clock

ACCESS_LOGGER = "calotype.access"
VISIT = "visit"
"""The name, in the request's state, of what was recorded of it."""
_MAX_PATH = 500
_NO_ANSWER = 0


@dataclass(frozen=True, slots=True)
class Visit:
    """What is logged of a request.

    Attributes:
        time: when it came, as records hold it.
        client: the address, a trusted proxy's client rather than the proxy.
        method: as sent.
        path: without the query string, all but printable ASCII escaped, at most 500 characters.
        status: of the answer; 0 when there was none.
        bytes: of the answer's body.
        ms: from the first byte of the request to the last of the answer.
        id: the request id.
        route: the template of the path that answered, such as `/blobs/{name}`; empty when none did.
    """

    time: str
    client: str
    method: str
    path: str
    status: int
    bytes: int
    ms: float
    id: str
    route: str = ""


class Recorder(Protocol):
    """Takes visits."""

    def record(self, visit: Visit) -> None:
        """Take one; must not block for long and must not fail."""


class Several:
    """Hands visits to several recorders.

    Args:
        recorders: in turn.
    """

    def __init__(self, *recorders: Recorder) -> None:
        self._recorders = recorders

    def record(self, visit: Visit) -> None:
        """Hand one to each."""
        for recorder in self._recorders:
            recorder.record(visit)


class LogRecorder:
    """Writes visits to a logger, in one of the two formats."""

    def __init__(self, log_format: LogFormat, logger: logging.Logger | None = None) -> None:
        self._json = log_format is LogFormat.JSON
        self._logger = logger or logging.getLogger(ACCESS_LOGGER)

    def record(self, visit: Visit) -> None:
        """Write one line."""
        if self._json:
            self._logger.info("%s", json.dumps(asdict(visit)))
            return
        self._logger.info(
            '%s "%s %s" %d %d %.1fms %s',
            visit.client,
            visit.method,
            visit.path.replace('"', r"\x22"),  # else a path could pass for the rest of the line
            visit.status,
            visit.bytes,
            visit.ms,
            visit.id,
        )


class AccessLog:
    """Counts what goes out and records the visit when it is over, however it ends."""

    def __init__(self, app: ASGIApp, recorder: Recorder, clock: Clock) -> None:
        self.app = app
        self.recorder = recorder
        self.clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and record it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        came, began = timestamp(self.clock.now()), self.clock.monotonic()
        status, sent = _NO_ANSWER, 0

        async def counted(message: Message) -> None:
            nonlocal status, sent
            if message["type"] == "http.response.start":
                status = message["status"]
            elif scope["method"] != "HEAD":
                sent += len(message.get("body", b""))
            await send(message)

        try:
            await self.app(scope, receive, counted)
        finally:
            visit = _visit(scope, came, status, sent, self.clock.monotonic() - began)
            self.recorder.record(visit)
            scope.setdefault("state", {})[VISIT] = visit


def _visit(scope: Scope, came: str, status: int, sent: int, seconds: float) -> Visit:
    client = scope.get("client")
    path = scope["path"][:_MAX_PATH].encode("unicode_escape").decode("ascii")[:_MAX_PATH]
    request_id = str(scope.get("state", {}).get("request_id", ""))
    address = client[0] if client else "-"
    route = str(getattr(scope.get("route"), "path", ""))  # the router puts it there
    return Visit(came, address, scope["method"], path, status, sent, round(seconds * 1000, 1), request_id, route)
