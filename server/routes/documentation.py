"""`/docs`: the interface for people, by a Swagger UI that is served from here and asks nobody else for anything."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from .pages import Page

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..calls import Operation

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:;"
    " connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Swagger UI sets styles on its elements and draws its symbols from `data:`; nothing comes from elsewhere."""

_FOLDERS: Mapping[str, str] = MappingProxyType(
    {
        "index.html": "docs",
        "start.js": "docs",
        "swagger-ui.css": "swagger-ui",
        "swagger-ui-bundle.js": "swagger-ui",
    }
)


def operations() -> list[Operation]:
    """Return the operations of the page."""
    return Page("/docs", "/docs", "The interface, for people.", POLICY, _FOLDERS).operations()
