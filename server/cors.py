"""Cross-origin reading (the Fetch standard's CORS): which pages elsewhere may see answers, errors included.

Public bytes are for everybody, by GET and HEAD; everything else is for the origins in `CALOTYPE_CORS_ORIGINS`, none by
default. Cookies are never allowed across origins: pages elsewhere send an access token.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response

from .responses import status_answer
from .settings import BlobAccess

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from .settings import Settings

METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE"
READING = "GET, HEAD"
REQUEST_HEADERS = "Authorization, Content-Type, If-Match, If-None-Match, Range, Repr-Digest, X-SHA-256"
EXPOSED = "ETag, Location, Content-Range, Repr-Digest, X-Request-Id"
MAX_AGE_S = 86_400
PUBLIC_PATHS = ("/blobs/", "/avatars/")


class CrossOrigin:
    """Answers preflights and adds the header fields to every answer that has an allowed origin."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app = app
        self.origins = frozenset(settings.cors_origins)
        self.bytes_public = settings.blob_access is BlobAccess.PUBLIC
        self.root_path = settings.root_path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a preflight here; pass anything else on and mark its answer."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        origin = headers.get("origin")
        if scope["method"] == "OPTIONS" and origin and "access-control-request-method" in headers:
            await self._preflight(scope, origin, headers)(scope, receive, send)
            return
        await self.app(scope, receive, self._marking(scope, send, origin))

    def _allowed(self, scope: Scope, origin: str | None, method: str) -> str | None:
        """Return the value of Access-Control-Allow-Origin, or None."""
        if "*" in self.origins or (self._is_public(scope) and method in {"GET", "HEAD"}):
            return "*"
        return origin if origin is not None and origin.lower() in self.origins else None

    def _is_public(self, scope: Scope) -> bool:
        path = scope["path"].removeprefix(self.root_path) if self.root_path else scope["path"]
        return self.bytes_public and path.startswith(PUBLIC_PATHS)

    def _varies(self, scope: Scope) -> bool:
        return bool(self.origins) and "*" not in self.origins and not self._is_public(scope)

    def _marking(self, scope: Scope, send: Send, origin: str | None) -> Send:
        allowed = self._allowed(scope, origin, scope["method"])

        async def marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                if allowed is not None:
                    headers["Access-Control-Allow-Origin"] = allowed
                    headers["Access-Control-Expose-Headers"] = EXPOSED
                if self._varies(scope):
                    headers.add_vary_header("Origin")
            await send(message)

        return marked

    def _preflight(self, scope: Scope, origin: str, headers: Headers) -> Response:
        method = headers["access-control-request-method"].upper()
        allowed = self._allowed(scope, origin, method)
        vary = {"Vary": "Origin, Access-Control-Request-Method, Access-Control-Request-Headers"}
        if allowed is None:
            detail = f"The origin {origin[:80]!r} may not do this; put it into CALOTYPE_CORS_ORIGINS if it is yours."
            return status_answer(403, detail, headers=vary, setting="CALOTYPE_CORS_ORIGINS")
        whole = allowed != "*" or "*" in self.origins
        fields = {
            "Access-Control-Allow-Origin": allowed,
            "Access-Control-Allow-Methods": METHODS if whole else READING,
            "Access-Control-Allow-Headers": REQUEST_HEADERS,
            "Access-Control-Max-Age": str(MAX_AGE_S),
        }
        return Response(None, 204, fields | vary)
