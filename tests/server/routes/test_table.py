"""The table of operations and the router made from it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from server.routes.table import all_operations

if TYPE_CHECKING:
    from tests.server.conftest import Api

OPERATIONS = all_operations()
SOME = {"{id}": "11111111-1111-4111-8111-111111111111", "{name}": "0" * 64}
OPEN = {"/healthz", "/readyz", "/openapi.json", "/docs", "/docs/{name}", "/", "/page/{name}", "/api/auth/login"}


def address(path: str) -> str:
    for variable, value in SOME.items():
        path = path.replace(variable, value)
    return path.replace("{tagId}", SOME["{id}"]).replace("{assetId}", SOME["{id}"])


def test_each_operation_is_listed_once_and_answered_in_one_way() -> None:
    places = [(operation.method, operation.path) for operation in OPERATIONS]
    assert len(set(places)) == len(places)
    assert all((operation.handle is None) is not (operation.stream is None) for operation in OPERATIONS)


BYTES = {("GET", path) for path in ("/blobs/{name}", "/blobs/{name}/{variant}", "/avatars/{name}")}


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda each: f"{each.method} {each.path}")
def test_nobody_gets_past_the_door_without_credentials(api: Api, operation: object) -> None:
    method, path = getattr(operation, "method", ""), getattr(operation, "path", "")
    answer = api.ask(method, address(path), token=None, content=b"" if method == "GET" else b"{}")
    public = path in OPEN or (method, path) in BYTES
    assert (answer.status_code != 401) is public
    if not public:
        assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("path", sorted({operation.path for operation in OPERATIONS}))
def test_another_method_is_405_and_names_those_there_are(api: Api, path: str) -> None:
    known = {operation.method for operation in OPERATIONS if operation.path == path}
    known |= {"HEAD"} if "GET" in known else set()
    for method in {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "BREW"} - known:
        answer = api.ask(method, address(path))
        if path == "/api/assets/have" and answer.status_code != 405:  # the path of an asset fits too
            assert answer.status_code in {404, 422}
            continue
        assert answer.status_code == 405, method
        assert set(answer.headers["allow"].split(", ")) == known
        assert answer.headers["content-type"] == "application/problem+json"
