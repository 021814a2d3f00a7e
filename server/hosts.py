"""Host names and origins: which names the server answers to, and whose pages may make it act.

The Host list is against DNS rebinding, by which a foreign page reaches a server that asks nobody who they are; the
Origin check is against foreign pages that use a visitor's session, or an open server, in the visitor's name.
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from starlette.datastructures import Headers

from .framing import is_host
from .responses import status_answer

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from .settings import Settings

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
_OWN_PAGES = frozenset({"same-origin", "none"})
_PORTS = {"http": 80, "https": 443}


class HostCheck:
    """Refuses a Host that the settings do not know: 400, naming the host and the setting.

    `localhost` and IP literals always pass, as no name can be rebound to them.
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app = app
        self.names = tuple(name.lower() for name in settings.allowed_hosts)
        self.own = (urlsplit(settings.public_url).hostname or "") if settings.public_url else ""
        self.any = "*" in self.names or (settings.auth and not self.names)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass requests for a known host on."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        hosts = Headers(scope=scope).getlist("host")
        if len(hosts) == 1 and is_host(hosts[0]) and (self.any or self._known(host_name(hosts[0]))):
            await self.app(scope, receive, send)
            return
        shown = hosts[0][:80] if len(hosts) == 1 else ""
        detail = (
            f"This server does not answer to the host {shown!r}. If the name is right, put it into "
            "CALOTYPE_ALLOWED_HOSTS."
            if shown
            else "The request has to have exactly one Host header."
        )
        answer = status_answer(400, detail, host=shown, setting="CALOTYPE_ALLOWED_HOSTS")
        await answer(scope, receive, send)

    def _known(self, name: str) -> bool:
        if not name:
            return False
        if name in {"localhost", self.own} or name.endswith(".localhost") or _is_address(name):
            return True
        return any(name == known or (known[:2] == "*." and name.endswith(known[1:])) for known in self.names)


class OriginCheck:
    """Refuses unsafe requests that a foreign page made: 403.

    A request with an Authorization header was made by somebody who holds a token, so it passes, unless nobody is asked
    for one. Programs that are not browsers send neither `Sec-Fetch-Site` nor `Origin` and pass.
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app = app
        self.auth = settings.auth
        self.origins = frozenset(settings.cors_origins) - {"*"}
        self.own = _origin_place(settings.public_url) if settings.public_url else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass requests on that a foreign page did not make."""
        if scope["type"] != "http" or scope["method"] in SAFE_METHODS or self._passes(scope):
            await self.app(scope, receive, send)
            return
        detail = (
            "Another site's page made this request. If that page is yours, put its origin into CALOTYPE_CORS_ORIGINS, "
            "or let it send an access token."
        )
        await status_answer(403, detail, setting="CALOTYPE_CORS_ORIGINS")(scope, receive, send)

    def _passes(self, scope: Scope) -> bool:
        headers = Headers(scope=scope)
        if self.auth and "authorization" in headers:
            return True
        origin = headers.get("origin", "").lower()
        if origin in self.origins:
            return True
        site = headers.get("sec-fetch-site", "").lower()
        if site:
            return site in _OWN_PAGES
        return not origin or self._same(origin, scope["scheme"], headers.get("host", ""))

    def _same(self, origin: str, scheme: str, host: str) -> bool:
        place = _origin_place(origin)
        if place is None:
            return False
        return place == self.own or place in {_origin_place(f"{scheme}://{host}"), _origin_place(f"https://{host}")}


def host_name(host: str) -> str:
    """Return the name in a Host header, lower case, without port, brackets and final dot; empty if it is malformed."""
    try:
        name = urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""
    return "" if any(mark in host for mark in "/@?#\\ ") else name.removesuffix(".")


def _origin_place(origin: str) -> tuple[str, int | None] | None:
    """Return host and port of an origin; None for `null` and what is no origin."""
    try:
        parts = urlsplit(origin)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in _PORTS or not parts.hostname:
        return None
    return parts.hostname, port or _PORTS[parts.scheme]


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name.partition("%")[0])
    except ValueError:
        return False
    return True
