"""The one table from kinds of error to HTTP status, title and exit code, and the bodies made from it (RFC 9457)."""

from __future__ import annotations

import http
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from metadata.errors import CalotypeError

TYPE_PREFIX = "urn:calotype:problem:"
RETRY_SECONDS = 1
"""When a caller that met a held lock should come back."""

_RESERVED = frozenset({"type", "title", "status", "detail", "instance", "requestId"})
_INSIDE = frozenset({"path", "pid"})
_CLOSED = frozenset({"internal", "unreadable", "unwritten", "busy"})
"""Kinds whose messages name paths and processes: only an administrator reads them."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a kind of error becomes outside.

    Attributes:
        status: the HTTP status.
        title: the same words for every error of the kind.
        exit_code: what the command line ends with.
        detail: said instead of the error's message where that is about the inside.
    """

    status: int
    title: str
    exit_code: int
    detail: str = ""


KINDS: Mapping[str, Outcome] = MappingProxyType(
    {
        "internal": Outcome(
            500, "Internal error", 1, "Something went wrong inside. The server's log has more under this request id."
        ),
        "invalid": Outcome(422, "Invalid input", 2),
        "not-found": Outcome(404, "Not found", 3),
        "conflict": Outcome(409, "Conflict", 4),
        "stale": Outcome(412, "Changed in between", 5),
        "unauthenticated": Outcome(401, "Not signed in", 6),
        "denied": Outcome(403, "Not allowed", 7),
        "throttled": Outcome(429, "Too many attempts", 8),
        "too-large": Outcome(413, "Too large", 9),
        "unsupported": Outcome(415, "Not supported", 10),
        "unreadable": Outcome(
            500, "Unreadable record", 11, "A stored file cannot be read. Run `calotype verify`; the log names the file."
        ),
        "unwritten": Outcome(
            500,
            "Not written",
            15,
            "The disk did not take or confirm a write, so this does not count. Try again; else look at the disk."
            " The log names the file.",
        ),
        "busy": Outcome(503, "Busy", 12, "What this needs is in use: a lock, or the decoders. Try again in a moment."),
        "full": Outcome(507, "No room", 13),
    }
)

_FRAMEWORK: Mapping[int, str] = MappingProxyType(
    {
        400: "The request is malformed; check its first line, headers and framing.",
        404: "There is nothing under this address; /openapi.json lists what there is.",
        405: "This address does not answer to that method; `Allow` lists those it does.",
        413: "The request is larger than the server takes.",
        415: "The request's media type is not one this address takes; check `Content-Type`.",
        416: "The range lies outside the content; `Content-Range` says how long it is.",
        422: "The request is understood but breaks a rule.",
    }
)


def outcome(error: CalotypeError) -> Outcome:
    """Return what an error becomes outside; a kind without a row is internal."""
    return KINDS.get(error.kind, KINDS["internal"])


def problem(error: CalotypeError, *, request_id: str = "", admin: bool = False) -> dict[str, object]:
    """Return the body for an error of ours.

    Args:
        error: what went wrong.
        request_id: named in answers of 500 and above, so that the log line can be found.
        admin: whether the caller may read messages that name paths and processes. An internal error stays closed.
    """
    row = outcome(error)
    closed = error.kind in _CLOSED and (not admin or error.kind == "internal")
    body: dict[str, object] = {
        "type": TYPE_PREFIX + (error.kind if error.kind in KINDS else "internal"),
        "title": row.title,
        "status": row.status,
        "detail": row.detail if closed else error.message,
    }
    if error.kind != "internal":
        hidden = _RESERVED if admin else _RESERVED | _INSIDE
        body |= {name: value for name, value in error.details.items() if name not in hidden}
    return body | _request_id(row.status, request_id)


def problem_of_status(status: int, detail: str = "", *, request_id: str = "", **members: object) -> dict[str, object]:
    """Return the body for a status the framework chose; `about:blank` says that the status tells it all."""
    try:
        phrase = http.HTTPStatus(status).phrase
    except ValueError:
        phrase = "Error"
    if not detail or detail == phrase:
        detail = _FRAMEWORK.get(status, f"{phrase}.")
    body: dict[str, object] = {"type": "about:blank", "title": phrase, "status": status, "detail": detail}
    return body | members | _request_id(status, request_id)


def headers_of(error: CalotypeError) -> dict[str, str]:
    """Return the header fields an error's answer needs: how to sign in, when to come back, how long the content is."""
    match error.kind:
        case "unauthenticated":
            return {"WWW-Authenticate": 'Bearer realm="calotype"'}
        case "throttled" | "busy":
            return {"Retry-After": str(error.details.get("retryAfterSeconds", RETRY_SECONDS))}
        case _:
            return {}


def _request_id(status: int, request_id: str) -> dict[str, object]:
    return {"requestId": request_id} if request_id and status >= http.HTTPStatus.INTERNAL_SERVER_ERROR else {}
