"""Answers: JSON and problems with their header fields, as `http-api.md` fixes them.

Fields that every answer carries whatever made it (`nosniff`, `Referrer-Policy`, `X-Request-Id`) are the door's to add.
"""

from __future__ import annotations

import http
import json
from typing import TYPE_CHECKING

from starlette.responses import Response

from .errors import headers_of, problem, problem_of_status

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request

    from metadata.errors import CalotypeError

    from .conditional import EntityTag

JSON_TYPE = "application/json"
PROBLEM_TYPE = "application/problem+json"
JSON_POLICY = "default-src 'none'; frame-ancestors 'none'"


def encode_json(value: object) -> bytes:
    """Return compact JSON in UTF-8; a lone surrogate, which UTF-8 cannot hold, turns the whole to ASCII escapes.

    Raises:
        ValueError: NaN or an infinity, which JSON cannot hold.
    """
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
    except UnicodeEncodeError:
        return json.dumps(value, allow_nan=False, separators=(",", ":")).encode()


def json_answer(
    value: object,
    status: int = http.HTTPStatus.OK,
    *,
    etag: EntityTag | None = None,
    location: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Return a JSON answer; with an ETag it may be kept and must be checked again, without one it is not kept."""
    fields = {"Content-Security-Policy": JSON_POLICY, **_caching(etag)}
    if location is not None:
        fields["Location"] = location
    return Response(encode_json(value), status, fields | dict(headers or {}), JSON_TYPE)


def empty_answer(status: int = http.HTTPStatus.NO_CONTENT, *, headers: Mapping[str, str] | None = None) -> Response:
    """Return an answer without content, such as a 204."""
    return Response(None, status, {"Cache-Control": "no-store"} | dict(headers or {}))


def unchanged(etag: EntityTag, *, headers: Mapping[str, str] | None = None) -> Response:
    """Return a 304; it repeats the fields that a 200 would use to update a cache (RFC 9110, section 15.4.5)."""
    return Response(None, http.HTTPStatus.NOT_MODIFIED, _caching(etag) | dict(headers or {}))


def problem_answer(error: CalotypeError, *, request_id: str = "", admin: bool = False) -> Response:
    """Return the answer to an error of ours."""
    body = problem(error, request_id=request_id, admin=admin)
    return _problem(body, headers_of(error))


def status_answer(
    status: int, detail: str = "", *, request_id: str = "", headers: Mapping[str, str] | None = None, **members: object
) -> Response:
    """Return the problem answer to a status that is not one of our kinds."""
    return _problem(problem_of_status(status, detail, request_id=request_id, **members), headers)


def request_id_of(request: Request) -> str:
    """Return the id the door gave the request; empty when there was no door."""
    return str(request.scope.get("state", {}).get("request_id", ""))


def _caching(etag: EntityTag | None) -> dict[str, str]:
    return {"Cache-Control": "no-store"} if etag is None else {"Cache-Control": "private, no-cache", "ETag": str(etag)}


def _problem(body: dict[str, object], headers: Mapping[str, str] | None) -> Response:
    fields = {"Content-Security-Policy": JSON_POLICY, "Cache-Control": "no-store"} | dict(headers or {})
    status = body["status"]
    return Response(encode_json(body), status if isinstance(status, int) else 500, fields, PROBLEM_TYPE)
