"""The table of all operations, and the router made from it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.routing import Route

from . import assets, blobs, links, operations, tokens

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.requests import Request
    from starlette.responses import Response

    from ..calls import Operation, Service


def all_operations() -> list[Operation]:
    """Return every operation; where two paths fit an address, the first that is listed answers it."""
    return [
        *blobs.operations(),
        *assets.operations(),
        *links.operations(),
        *tokens.operations(),
        *operations.operations(),
    ]


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
