"""One request on its way through the routes."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from starlette.requests import Request
from starlette.responses import Response

from metadata.errors import (
    CalotypeError,
    DeniedError,
    InternalError,
    InvalidError,
    NotFoundError,
    StaleError,
    UnauthenticatedError,
)
from server.calls import Access, Call, Operation, Service, Strictness
from server.metrics import Metrics
from server.queries import Parameter

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import Message

    from tests.server.conftest import Api

ONE = "11111111-1111-4111-8111-111111111111"


def request(query: str = "", headers: dict[str, str] | None = None, key: str = "") -> Request:
    async def receive() -> Message:
        return {"type": "http.request", "body": b'{"a":1}', "more_body": False}

    fields = [(name.encode(), value.encode()) for name, value in (headers or {}).items()]
    scope = {"type": "http", "method": "GET", "query_string": query.encode(), "headers": fields}
    return Request({**scope, "path_params": {"id": key}}, receive)


def seen(service: Service, access: Access, asked: Request, **more: object) -> Call:
    """Return the call as the operation's handler got it."""
    calls: list[Call] = []

    def handle(call: Call) -> Response:
        calls.append(call)
        return Response()

    operation = Operation(method="GET", path="/x", summary="", access=access, handle=handle, **more)  # type: ignore[arg-type] # passed on
    asyncio.run(operation.answer(asked, service))
    return calls[0]


def admitted(api: Api, access: Access, token: str | None = None, **more: object) -> Call:
    headers = {} if token is None else {"authorization": f"Bearer {token}"}
    return seen(Service(api.store, Metrics()), access, request(headers=headers), **more)


@pytest.mark.parametrize("access", [Access.READ, Access.WRITE, Access.ADMIN])
def test_who_has_no_credentials_is_not_admitted(api: Api, access: Access) -> None:
    with pytest.raises(UnauthenticatedError):
        admitted(api, access)
    with pytest.raises(UnauthenticatedError):
        admitted(api, access, "calo_wrong")


def test_who_may_too_little_is_not_admitted(api: Api) -> None:
    assert admitted(api, Access.READ, api.reader).user.user_id == api.users["alice"]
    for access, token in ((Access.WRITE, api.reader), (Access.ADMIN, api.alice)):
        with pytest.raises(DeniedError):
            admitted(api, access, token)
    assert admitted(api, Access.ADMIN, api.admin).owner is None


def test_where_anybody_may_ask_credentials_help_and_do_no_harm(api: Api) -> None:
    assert admitted(api, Access.OPEN).caller is None
    assert admitted(api, Access.OPEN, "calo_wrong").caller is None
    assert admitted(api, Access.OPEN, api.admin).user.admin
    with pytest.raises(InternalError):
        _ = admitted(api, Access.OPEN).user


def test_without_sign_in_everybody_is_the_first_user(open_api: Callable[..., Api]) -> None:
    api = open_api(AUTH="off")
    for access in (Access.OPEN, Access.READ, Access.ADMIN):
        assert admitted(api, access).user.user_id == api.store.owner.id


def test_bytes_are_for_anybody_unless_they_are_private(open_api: Callable[..., Api]) -> None:
    public = open_api()
    assert admitted(public, Access.BYTES, "calo_wrong").caller is None
    private = open_api(BLOB_ACCESS="private")
    with pytest.raises(UnauthenticatedError):
        admitted(private, Access.BYTES)
    assert admitted(private, Access.BYTES, private.reader).user.user_id == private.users["alice"]


def test_the_error_handlers_learn_who_may_read_about_the_inside(api: Api) -> None:
    for token, admin in ((api.admin, True), (api.alice, False)):
        assert admitted(api, Access.READ, token).request.scope["state"]["admin"] is admin


def test_unknown_parameters_are_refused_or_ignored(api: Api) -> None:
    service, known = Service(api.store, Metrics()), (Parameter("a", ""),)
    with pytest.raises(InvalidError):
        seen(service, Access.OPEN, request("a=1&b=2"), parameters=known)
    lax = seen(service, Access.OPEN, request("a=1&b=2"), parameters=known, unknown=Strictness.IGNORE)
    assert lax.arguments.text("a") == "1"


def test_a_json_body_is_read_where_one_is_taken(api: Api) -> None:
    with_body = seen(Service(api.store, Metrics()), Access.OPEN, request(), media=("application/json",))
    assert with_body.content() == {"a": 1}
    assert seen(Service(api.store, Metrics()), Access.OPEN, request()).body == b""


def test_an_operation_without_a_handler_is_our_mistake(api: Api) -> None:
    operation = Operation(method="GET", path="/x", summary="", access=Access.OPEN)
    with pytest.raises(InternalError):
        asyncio.run(operation.answer(request(), Service(api.store, Metrics())))


def test_ids_in_paths_are_uuids(api: Api) -> None:
    def call(text: str) -> Call:
        return Call(request(key=text), Service(api.store, Metrics()))

    assert call(ONE).id() == ONE
    for text in ("", "..", f"{ONE}\n", ONE[1:], "x" * 999):
        with pytest.raises(NotFoundError):
            call(text).id()


@pytest.mark.parametrize(
    ("header", "expected"),
    [(None, None), ("*", None), (" * ", None), ('"v"', "v"), ('"v.derived"', "v"), ('"old", "v.x"', "v")],
)
def test_the_version_that_a_write_has_to_meet(api: Api, header: str | None, expected: str | None) -> None:
    headers = {} if header is None else {"if-match": header}
    assert Call(request(headers=headers), Service(api.store, Metrics())).expected("v") == expected


@pytest.mark.parametrize(("header", "error"), [('"old"', StaleError), ('W/"v"', StaleError), ("v", InvalidError)])
def test_a_version_that_is_not_met(api: Api, header: str, error: type[CalotypeError]) -> None:
    with pytest.raises(error):
        Call(request(headers={"if-match": header}), Service(api.store, Metrics())).expected("v")
