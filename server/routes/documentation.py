"""`/docs`: the interface for people, by a Swagger UI that is served from here and asks nobody else for anything."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib.resources import files
from types import MappingProxyType
from typing import TYPE_CHECKING

from starlette.responses import Response

from metadata.errors import NotFoundError

from ..calls import Access, Operation, Strictness
from ..conditional import EntityTag, not_modified
from ..responses import unchanged

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..calls import Call

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:;"
    " connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Swagger UI sets styles on its elements and draws its symbols from `data:`; nothing comes from elsewhere."""

_PAGE = "index.html"
_FILES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        _PAGE: ("docs", "text/html; charset=utf-8"),
        "start.js": ("docs", "text/javascript; charset=utf-8"),
        "swagger-ui.css": ("swagger-ui", "text/css; charset=utf-8"),
        "swagger-ui-bundle.js": ("swagger-ui", "text/javascript; charset=utf-8"),
    }
)
"""What is served, with its folder under `web/` and its type."""


@dataclass(frozen=True, slots=True)
class _File:
    content: bytes
    media_type: str
    tag: EntityTag


class Documentation:
    """The page and its files, each read when it is first asked for."""

    def __init__(self) -> None:
        self._read: dict[str, _File] = {}

    def operations(self) -> list[Operation]:
        """Return the operations."""
        return [
            Operation(
                method="GET",
                path="/docs",
                summary="The interface, for people.",
                access=Access.OPEN,
                handle=self.page,
                unknown=Strictness.IGNORE,
                answers=((200, "A page."), (304, "The caller's copy is current.")),
            ),
            Operation(
                method="GET",
                path="/docs/{name}",
                summary="A file of that page.",
                access=Access.OPEN,
                handle=self.file,
                unknown=Strictness.IGNORE,
                answers=((200, "The file."), (304, "The caller's copy is current.")),
            ),
        ]

    def page(self, call: Call) -> Response:
        """Answer with the page."""
        return self._answer(call, _PAGE)

    def file(self, call: Call) -> Response:
        """Answer with a file of the page."""
        name = call.segment("name")
        if name not in _FILES or name == _PAGE:
            raise NotFoundError(f"The page has no file {name[:80]!r}.", object=name[:80])
        return self._answer(call, name)

    def _answer(self, call: Call, name: str) -> Response:
        found = self._read.get(name) or self._read.setdefault(name, _load(name))
        if not_modified(call.joined("if-none-match"), found.tag):
            return unchanged(found.tag)
        fields = {
            "Content-Security-Policy": POLICY,
            "Cache-Control": "no-cache",
            "Cross-Origin-Resource-Policy": "same-origin",
            "ETag": str(found.tag),
        }
        return Response(found.content, headers=fields, media_type=found.media_type)


def _load(name: str) -> _File:
    folder, media_type = _FILES[name]
    content = files("server").joinpath("web", folder, name).read_bytes()
    return _File(content, media_type, EntityTag(hashlib.sha256(content).hexdigest()[:32]))
