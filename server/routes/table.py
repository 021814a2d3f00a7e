"""The table of all operations, and the router made from it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.routing import Route

from ..calls import Access, Operation, Strictness
from ..openapi import document
from ..responses import json_answer
from . import (
    assets,
    backup,
    blobs,
    cards,
    documentation,
    gc,
    links,
    messages,
    metrics,
    operations,
    pages,
    participants,
    pictures,
    portraits,
    preferences,
    records,
    relations,
    secrets,
    signin,
    signing,
    tokens,
    variants,
    verification,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.requests import Request
    from starlette.responses import Response

    from ..calls import Call, Service


def all_operations() -> list[Operation]:
    """Return every operation; where two paths fit an address, the first that is listed answers it."""
    found = [
        *blobs.operations(),
        *variants.operations(),
        *portraits.operations(),
        *assets.operations(),
        *links.operations(),
        *signing.operations(),
        *tokens.operations(),
        *signin.operations(),
        *preferences.operations(),
        *secrets.operations(),  # before the collections, whose ids stand where `consume` does
        *cards.operations(),
        *records.operations(),
        *relations.operations(),
        *pictures.operations(),
        *messages.operations(),
        *participants.operations(),
        *operations.operations(),
        *metrics.operations(),
        *backup.operations(),
        *gc.operations(),
        *verification.operations(),
        *documentation.operations(),
        *pages.operations(),
    ]
    described = Operation(
        method="GET",
        path="/openapi.json",
        summary="This document.",
        access=Access.OPEN,
        handle=_Document(found).answer,
        unknown=Strictness.IGNORE,
        gives="Document",
    )
    found.append(described)  # the document lists itself
    return found


class _Document:
    """The OpenAPI document of a table, made when it is first asked for."""

    def __init__(self, operations: Sequence[Operation]) -> None:
        self._operations = operations
        self._made: dict[str, Any] | None = None

    def answer(self, call: Call) -> Response:
        if self._made is None:
            self._made = document(self._operations, base=call.service.base)
        return json_answer(self._made)


def routes(operations: Sequence[Operation], service: Service) -> list[Route]:
    """Return one route for each path."""
    paths: dict[str, dict[str, Operation]] = {}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method] = operation
    return [Route(path, _Resource(methods, service).answer, methods=sorted(methods)) for path, methods in paths.items()]


class _Resource:
    """One path and its methods."""

    def __init__(self, methods: dict[str, Operation], service: Service) -> None:
        self._methods = methods
        self._service = service

    async def answer(self, request: Request) -> Response:
        """Hand the request to its operation; HEAD is GET without the content, which the server leaves out."""
        method = "GET" if request.method == "HEAD" else request.method
        return await self._methods[method].answer(request, self._service)
