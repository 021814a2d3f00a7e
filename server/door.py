"""What stands before every route: request id, proxies, path prefix, access log, CORS, Host and Origin checks.

From the outside in: the id comes first, so that every answer has it; the proxy's word before the log, so that the log
names the client; CORS before the checks, so that a page may read why it was refused. The application inside answers its
own errors, so these pass through here like any answer.
"""

from __future__ import annotations

import re
import secrets
from http import HTTPStatus
from typing import TYPE_CHECKING

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import RedirectResponse

from .accesslog import AccessLog
from .cors import CrossOrigin
from .hosts import HostCheck, OriginCheck
from .peers import TrustedProxies

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from metadata.clock import Clock

    from .accesslog import Recorder
    from .settings import Settings

_FORWARDED_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")


class RequestIds:
    """Gives each request an id and each answer the header fields that all answers carry; takes `Server` away.

    An id that a trusted proxy hands down is kept, so that its log and ours can be matched.
    """

    def __init__(self, app: ASGIApp, new_id: Callable[[], str]) -> None:
        self.app = app
        self.new_id = new_id

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on with `state["request_id"]` set."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        state = scope.setdefault("state", {})
        given = Headers(scope=scope).get("x-request-id", "") if state.get("behind_proxy") else ""
        request_id = given if _FORWARDED_ID.fullmatch(given) else self.new_id()
        state["request_id"] = request_id

        async def marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["X-Request-Id"] = request_id
                headers["X-Content-Type-Options"] = "nosniff"
                headers["Referrer-Policy"] = "no-referrer"
                headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
                del headers["Server"]
            await send(message)

        await self.app(scope, receive, marked)


class RootPath:
    """Lets the application live under a prefix, whether the proxy before it strips the prefix or not."""

    def __init__(self, app: ASGIApp, root_path: str) -> None:
        self.app = app
        self.root_path = root_path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Set `root_path`, and make the path begin with it, as ASGI wants it."""
        if self.root_path and scope["type"] in {"http", "websocket"}:
            path = scope["path"]
            if path != self.root_path and not path.startswith(f"{self.root_path}/"):
                path = self.root_path + path
            scope = {**scope, "root_path": self.root_path, "path": path}
        await self.app(scope, receive, send)


class Doorstep:
    """Sends whoever asks for the prefix without the slash behind it on to the page: its links are relative to that."""

    def __init__(self, app: ASGIApp, root_path: str) -> None:
        self.app = app
        self.root_path = root_path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Redirect for good, and never to a host that the request named; or pass the request on."""
        app = self.app
        if self.root_path and scope["type"] == "http" and scope["path"] == self.root_path:
            app = RedirectResponse(f"{self.root_path}/", HTTPStatus.PERMANENT_REDIRECT)
        await app(scope, receive, send)


def random_request_id() -> str:
    """Return 16 hex digits nobody has seen."""
    return secrets.token_hex(8)


def door(
    app: ASGIApp,
    settings: Settings,
    *,
    recorder: Recorder,
    clock: Clock,
    new_id: Callable[[], str] = random_request_id,
) -> ASGIApp:
    """Wrap an application whose own error handlers are in place; uvicorn's proxy and Server headers have to be off."""
    app = Doorstep(app, settings.root_path)
    app = OriginCheck(app, settings)
    app = HostCheck(app, settings)
    app = CrossOrigin(app, settings)
    app = AccessLog(app, recorder, clock)
    app = RootPath(app, settings.root_path)
    app = RequestIds(app, new_id)
    return TrustedProxies(app, settings.trusted_proxies)
