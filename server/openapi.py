"""The OpenAPI 3.1 document, made from the table of operations."""

from __future__ import annotations

import http
import re
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from openapi_pydantic import OpenAPI

from .calls import Access
from .groups import GROUPS, group_of
from .queries import FLAG_VALUES, Form
from .responses import PROBLEM_TYPE
from .wireschemas import ref, schemas

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .calls import Operation
    from .queries import Parameter

_ERRORS = (
    (http.HTTPStatus.BAD_REQUEST, "Not HTTP, or a host that this server does not answer to."),
    (http.HTTPStatus.UNPROCESSABLE_ENTITY, "A rule is broken; `field` names the place."),
    (http.HTTPStatus.INTERNAL_SERVER_ERROR, "Something went wrong inside; `requestId` finds it in the log."),
    (http.HTTPStatus.SERVICE_UNAVAILABLE, "A lock is held; try again."),
)
_UNSAFE_ERRORS = (
    (http.HTTPStatus.CONFLICT, "It collides with what is stored."),
    (http.HTTPStatus.PRECONDITION_FAILED, "If-Match names another version."),
    (http.HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "Over a limit; `limit` and `setting` say which."),
    (http.HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "Not a media type that is taken here."),
    (http.HTTPStatus.INSUFFICIENT_STORAGE, "No room."),
)
_SIGNED_IN = (
    (http.HTTPStatus.UNAUTHORIZED, "No credentials, or wrong ones."),
    (http.HTTPStatus.FORBIDDEN, "The scope is too small, or another site's page asks."),
)
_THROTTLED = (http.HTTPStatus.TOO_MANY_REQUESTS, "Too many attempts failed; `Retry-After` says when to come back.")
_ABSENT = (http.HTTPStatus.NOT_FOUND, "There is no such thing, or it is not the caller's.")
_EMPTY = frozenset({http.HTTPStatus.NO_CONTENT, http.HTTPStatus.NOT_MODIFIED, http.HTTPStatus.TEMPORARY_REDIRECT})
_SAFE = frozenset({"GET", "HEAD"})
_MADE_OF = ("/blobs/{name}/", "/avatars/")
_SPANS = ("/blobs/", "/avatars/")
_BYTES = "application/octet-stream"
_ABOUT = "Pictures and files, stored once and served by their SHA-256. Errors are problem documents (RFC 9457)."
_VARIABLE = re.compile(r"{(\w+)}")


def document(operations: Sequence[Operation], *, base: str = "") -> dict[str, Any]:
    """Return the document, checked by the models of `openapi_pydantic`.

    Args:
        operations: the table.
        base: what addresses begin with.
    """
    paths: dict[str, dict[str, Any]] = {}
    used = {group_of(operation.path) for operation in operations}
    for operation in operations:
        described = _operation(operation)
        paths.setdefault(operation.path, {})[operation.method.lower()] = described
        if operation.method == "GET":
            paths[operation.path]["head"] = _head(described)
    raw = {
        "openapi": "3.1.0",
        "info": {"title": "Calotype", "version": version("calotype"), "description": _ABOUT},
        "servers": [{"url": base or "/"}],
        "tags": [{"name": group.name, "description": group.meaning} for group in GROUPS if group.name in used],
        "paths": paths,
        "components": {
            "schemas": schemas(),
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer", "bearerFormat": "calo_…"}},
        },
    }
    return OpenAPI.model_validate(raw).model_dump(mode="json", by_alias=True, exclude_unset=True)


def _operation(operation: Operation) -> dict[str, Any]:
    found: dict[str, Any] = {
        "operationId": _name(operation.method, operation.path),
        "summary": operation.summary,
        "tags": [group_of(operation.path)],
        "parameters": [*_path_parameters(operation.path), *map(_query_parameter, operation.parameters)],
        "responses": _responses(operation),
    }
    if operation.access is not Access.OPEN:
        found["security"] = [{"token": []}] if operation.access is not Access.BYTES else [{}, {"token": []}]
    if operation.media:
        content = {media: {"schema": ref(operation.takes)} for media in operation.media}
        found["requestBody"] = {"required": True, "content": content}
    elif operation.stream is not None and operation.method not in _SAFE:
        found["requestBody"] = _upload_body(operation)
    return found


def _head(get: dict[str, Any]) -> dict[str, Any]:
    answers = {status: {"description": answer["description"]} for status, answer in get["responses"].items()}
    return {**get, "operationId": get["operationId"] + "Head", "responses": answers}


def _name(method: str, path: str) -> str:
    words = re.findall(r"[A-Za-z0-9]+", path)
    return method.lower() + "".join(word[:1].upper() + word[1:] for word in words if word != "api")


def _path_parameters(path: str) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in _VARIABLE.findall(path)
    ]


def _query_parameter(parameter: Parameter) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string"}
    if parameter.choices:
        schema["enum"] = list(parameter.choices)
    if parameter.form is Form.FLAG:
        schema["enum"] = list(FLAG_VALUES)
    elif parameter.form is Form.NUMBER:
        schema = {"type": "integer", "minimum": 0}
    elif parameter.form is Form.TEXTS:
        schema = {"type": "array", "items": schema}
    return {"name": parameter.name, "in": "query", "description": parameter.meaning, "schema": schema}


def _responses(operation: Operation) -> dict[str, Any]:
    answers: dict[str, Any] = {str(status): _success(operation, status, words) for status, words in operation.answers}
    errors = [*_ERRORS]
    if operation.method not in _SAFE:
        errors += _UNSAFE_ERRORS
    if operation.access is not Access.OPEN:
        errors += _SIGNED_IN
    if operation.path.startswith("/api/auth/"):
        errors += [*_SIGNED_IN, _THROTTLED]
    if "{" in operation.path or operation.path.endswith("/consume"):
        errors.append(_ABSENT)
    exported = operation.path.endswith("/export")
    if (operation.path.startswith(_MADE_OF) or exported) and operation.method == "GET":
        errors.append((http.HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "No other picture can be made of it."))
        errors.append((http.HTTPStatus.INSUFFICIENT_STORAGE, "No room to make it."))
    if (operation.path.startswith(_SPANS) or exported) and operation.method == "GET":
        errors.append((http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, "The range lies outside the content."))
    content = {PROBLEM_TYPE: {"schema": ref("Problem")}}
    if operation.method == "POST" and operation.gives:  # of several, one answer each, and none could be made
        content["application/json"] = {"schema": ref(operation.gives)}
    for status, words in errors:
        answers.setdefault(str(int(status)), {"description": words, "content": content})
    return answers


def _success(operation: Operation, status: int, words: str) -> dict[str, Any]:
    if status in _EMPTY:
        return {"description": words}
    if not operation.gives:
        return {"description": words, "content": {"*/*": {}}}  # bytes of any type, JSON too: 3.1 has no schema for them
    schema = ref(operation.gives)
    if any(parameter.name == "fields" for parameter in operation.parameters):
        schema = {"anyOf": [schema, {"type": "object"}]}  # with `fields=` only the members asked for
    return {"description": words, "content": {"application/json": {"schema": schema}}}


def _upload_body(operation: Operation) -> dict[str, Any]:
    content: dict[str, Any] = {_BYTES: {"schema": {"type": "string", "format": "binary"}}}
    if operation.takes:
        content["application/json"] = {"schema": ref(operation.takes)}
    if operation.method == "POST":
        file = {"type": "array", "items": {"type": "string", "format": "binary"}}
        texts = {parameter.name: _query_parameter(parameter)["schema"] for parameter in operation.parameters}
        texts.pop("filename", None)
        content["multipart/form-data"] = {
            "schema": {"type": "object", "properties": {"file": file, **texts}, "required": ["file"]}
        }
    return {"required": True, "content": content}
