"""Who the caller is, and their access tokens."""

from __future__ import annotations

import http
from typing import TYPE_CHECKING

from metadata.clock import parse_timestamp
from metadata.errors import DeniedError, InvalidError, NotFoundError
from metadata.index.query import Query
from metadata.schemas.catalog import CATALOG
from metadata.schemas.enums import Scope

from ..auth import includes
from ..bodies import JSON_TYPES
from ..calls import Access, Operation
from ..responses import empty_answer, json_answer
from ..wire import entity_wire
from .answers import CURSOR, FIELDS, LIMIT, entity_answer, limit_of, page_answer
from .collections import COLLECTIONS, wires

if TYPE_CHECKING:
    from datetime import datetime

    from starlette.responses import Response

    from ..calls import Call

_PATH = "/api/tokens/{id}"
_MEMBERS = ("name", "scope", "expiresAt", "userId")
_READ_ONLY = ("id", "createdAt", "updatedAt", "lastUsedAt")
_MAX_NAME = 200


def operations() -> list[Operation]:
    """Return the operations on callers and tokens."""
    return [
        Operation(
            method="GET", path="/api/me", summary="Who the caller is.", access=Access.READ, handle=me, gives="Me"
        ),
        Operation(
            method="GET",
            path="/api/tokens",
            summary="A page of the caller's access tokens; administrators see everybody's.",
            access=Access.READ,
            handle=list_tokens,
            gives="TokenPage",
            parameters=(LIMIT, CURSOR, FIELDS),
        ),
        Operation(
            method="POST",
            path="/api/tokens",
            summary="Make an access token; `token` in the answer is shown this once.",
            access=Access.WRITE,
            handle=create,
            takes="TokenWanted",
            gives="TokenMade",
            media=JSON_TYPES,
            answers=((201, "The token."),),
        ),
        Operation(
            method="GET",
            path=_PATH,
            summary="One access token, without its text.",
            access=Access.READ,
            handle=read,
            gives="AccessToken",
            parameters=(FIELDS,),
        ),
        Operation(
            method="DELETE",
            path=_PATH,
            summary="Revoke an access token, from the next request on.",
            access=Access.WRITE,
            handle=revoke,
            answers=((204, "It is revoked."),),
        ),
    ]


def me(call: Call) -> Response:
    """Answer with the caller's user, scope and token."""
    caller = call.user
    token = None if caller.token is None else entity_wire(caller.token)
    (user,) = wires(call, COLLECTIONS["users"], [call.store.records.users.get(caller.user_id)])
    return json_answer({"user": user, "scope": caller.scope, "token": token})


def list_tokens(call: Call) -> Response:
    """Answer with a page of tokens."""
    query = Query(owner=call.owner, limit=limit_of(call), cursor=call.arguments.text(CURSOR.name))
    kind = CATALOG["accessToken"]
    known = dict.fromkeys(name for name in kind.members if name not in kind.hidden)
    return page_answer(call, call.store.records.access_tokens.list(query), entity_wire, known, kind)


def create(call: Call) -> Response:
    """Make a token of no more scope than the caller's own."""
    body = call.content()
    for name in body:
        if name not in (*_MEMBERS, *_READ_ONLY):
            raise InvalidError(f"A token has no member {name[:80]!r}.", field=name[:80])
    token, secret = call.store.records.access_tokens.issue(
        _user(call, body.get("userId")), _name(body.get("name")), _scope(call, body), expires_at=_expiry(call, body)
    )
    wire = entity_wire(token)
    location = f"{call.service.base}/api/tokens/{token.id}"
    # No ETag: the text is shown once and nobody shall keep this answer.
    return json_answer({**wire, "token": secret}, http.HTTPStatus.CREATED, location=location)


def read(call: Call) -> Response:
    """Answer with one token."""
    token = call.store.records.access_tokens.get(call.id(), owner=call.owner)
    return entity_answer(call, token, entity_wire(token))


def revoke(call: Call) -> Response:
    """Revoke a token."""
    token = call.store.records.access_tokens.get(call.id(), owner=call.owner)
    call.expected(token.version)
    if not call.store.records.access_tokens.revoke(token.id, owner=call.owner):
        raise NotFoundError(f"There is no accessToken {token.id}.", object=token.id)
    return empty_answer()


def _name(value: object) -> str:
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > _MAX_NAME:
        raise InvalidError(f"name has to be a text of at most {_MAX_NAME} characters.", field="name")
    return value


def _user(call: Call, value: object) -> str:
    if value is None or value == call.user.user_id:
        return call.user.user_id
    if not call.user.admin:
        raise DeniedError("Only an administrator may make a token for somebody else.", field="userId")
    if not isinstance(value, str) or call.store.records.users.find_by_id(value) is None:
        raise InvalidError("There is no such user.", field="userId")
    return value


def _scope(call: Call, body: dict[str, object]) -> Scope:
    value = body.get("scope")
    if not isinstance(value, str) or value not in set(Scope):
        raise InvalidError(f"scope has to be one of {', '.join(Scope)}.", field="scope")
    scope = Scope(value)
    call.user.require(scope)
    user = call.store.records.users.get(_user(call, body.get("userId")))
    most = call.service.authenticator.most_of(user)
    if not includes(most, scope):
        raise DeniedError(f"That user's role allows {most.value} at most.", field="scope", scope=most.value)
    return scope


def _expiry(call: Call, body: dict[str, object]) -> datetime | None:
    value = body.get("expiresAt")
    if value is None:
        return None
    if not isinstance(value, str):
        raise InvalidError("expiresAt has to be a time such as 2026-01-31T12:00:00.000Z.", field="expiresAt")
    try:
        moment = parse_timestamp(value)
    except InvalidError as error:
        raise InvalidError(error.message, field="expiresAt") from None
    if moment <= call.store.clock.now():
        raise InvalidError("expiresAt is in the past.", field="expiresAt")
    return moment
