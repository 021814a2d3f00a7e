"""What becomes of an exception in a route: the handlers for Starlette, so that every error is a problem document."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from metadata.errors import CalotypeError, InternalError

from .errors import outcome
from .responses import problem_answer, request_id_of, status_answer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request
    from starlette.types import ExceptionHandler

_LOG = logging.getLogger("calotype.errors")
_SERVER_ERROR = 500
_CLOSED_REQUEST = 499
"""What nginx logs when the client went away; nobody reads the answer."""


async def on_ours(request: Request, error: Exception) -> Response:
    """Answer an error of ours; those of 500 and above are logged with the request's id."""
    if not isinstance(error, CalotypeError):
        return await on_unexpected(request, error)
    request_id = request_id_of(request)
    if outcome(error).status >= _SERVER_ERROR:
        internal = error if isinstance(error, InternalError) else None
        number = {"errno": error.details.get("errno")}
        _LOG.error("%s %s: %s", request_id, error.kind, error.message, exc_info=internal, extra=number)
    admin = bool(request.scope.get("state", {}).get("admin", False))
    return problem_answer(error, request_id=request_id, admin=admin)


async def on_status(request: Request, error: Exception) -> Response:
    """Answer a status the framework raised: an unknown address, a wrong method, a body it cannot read."""
    if not isinstance(error, HTTPException):
        return await on_unexpected(request, error)
    if error.status_code in {204, 304}:
        return Response(None, error.status_code, error.headers)
    headers = dict(error.headers or {})
    if "Allow" in headers:  # of a set, in another order in each process
        headers["Allow"] = ", ".join(sorted(headers["Allow"].split(", ")))
    return status_answer(error.status_code, error.detail, request_id=request_id_of(request), headers=headers)


async def on_disconnect(request: Request, error: Exception) -> Response:
    """Answer a client that went away while it was sending; the answer ends the request and reaches nobody."""
    del request, error
    return Response(None, _CLOSED_REQUEST)


async def on_unexpected(request: Request, error: Exception) -> Response:
    """Answer anything else: nothing of the inside goes out, all of it goes to the log, under the request's id."""
    request_id = request_id_of(request)
    _LOG.error("%s %s: %s", request_id, type(error).__name__, error, exc_info=error)
    return problem_answer(InternalError("unexpected"), request_id=request_id)


def exception_handlers() -> Mapping[type[Exception] | int, ExceptionHandler]:
    """Return the handlers, as `Starlette(exception_handlers=…)` takes them."""
    return {
        CalotypeError: on_ours,
        HTTPException: on_status,
        ClientDisconnect: on_disconnect,
        Exception: on_unexpected,
    }
