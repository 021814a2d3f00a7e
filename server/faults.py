"""From a problem document back to the error it was made of: the reading side of `server.errors`."""

from __future__ import annotations

import json
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from metadata import errors

from .errors import KINDS, TYPE_PREFIX

if TYPE_CHECKING:
    from collections.abc import Mapping

_CLASSES: Mapping[str, type[errors.CalotypeError]] = MappingProxyType(
    {
        each.kind: each
        for each in (
            errors.InternalError,
            errors.InvalidError,
            errors.NotFoundError,
            errors.ConflictError,
            errors.StaleError,
            errors.UnauthenticatedError,
            errors.DeniedError,
            errors.ThrottledError,
            errors.TooLargeError,
            errors.UnsupportedError,
            errors.UnreadableError,
            errors.UnwrittenError,
            errors.BusyError,
            errors.FullError,
        )
    }
)
# The first kind of a status wins.
_BY_STATUS = {row.status: kind for kind, row in reversed(list(KINDS.items()))} | {
    400: "invalid",
    502: "busy",
    504: "busy",
}
_STANDARD = frozenset({"type", "title", "status", "detail", "instance"})


def error_of(status: int, body: bytes) -> errors.CalotypeError:
    """Return the error that an answer of 400 and above stands for.

    Args:
        status: the answer's status, which decides when the body does not name one of our kinds.
        body: a problem document, or whatever something between us and the server has written.
    """
    problem = _object(body)
    name = str(problem.get("type", "")).removeprefix(TYPE_PREFIX)
    kind = name if name in _CLASSES else _BY_STATUS.get(status, "internal")
    detail = problem.get("detail") or problem.get("title")
    message = detail if isinstance(detail, str) else f"The server answered {status} and did not say why."
    if "requestId" in problem:
        message += f" (request id {problem['requestId']})"
    error = _CLASSES[kind](message)
    # Not as arguments: the members are the server's words, and one may be called `message`.
    error.details.update({name: value for name, value in problem.items() if name not in _STANDARD})
    return error


def _object(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
