"""Signing in and out with an address and a password: `POST /api/auth/login|logout|password`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from metadata.errors import DeniedError, InvalidError

from ..bodies import JSON_TYPES, check_names, text_of
from ..calls import Access, Operation
from ..responses import empty_answer, json_answer
from .collections import COLLECTIONS, wires

if TYPE_CHECKING:
    from starlette.responses import Response

    from ..calls import Call


def operations() -> list[Operation]:
    """Return the operations."""
    return [
        Operation(
            method="POST",
            path="/api/auth/login",
            summary="Sign in; `token` in the answer is sent as a bearer token until the session ends.",
            access=Access.OPEN,
            handle=login,
            media=JSON_TYPES,
            takes="Credentials",
            gives="SignedIn",
        ),
        Operation(
            method="POST",
            path="/api/auth/logout",
            summary="End the session whose token the request carries.",
            access=Access.READ,
            handle=logout,
            answers=((204, "There is no session."),),
        ),
        Operation(
            method="POST",
            path="/api/auth/password",
            summary="Change the caller's password, or as an administrator anybody's; other sessions end.",
            access=Access.WRITE,
            handle=change_password,
            media=JSON_TYPES,
            takes="PasswordWanted",
            answers=((204, "It is changed."),),
        ),
    ]


def login(call: Call) -> Response:
    """Begin a session."""
    body = _body(call, ("email", "password"))
    found = call.service.signin.login(text_of(body, "email"), text_of(body, "password"), _address(call))
    (user,) = wires(call, COLLECTIONS["users"], [found.user])
    scope = call.service.authenticator.most_of(found.user)
    return json_answer({"token": found.token, "expires": found.session.expires, "scope": scope, "user": user})


def logout(call: Call) -> Response:
    """End the session."""
    session = call.user.session
    if session is None and call.user.token is not None:
        raise InvalidError(
            f"An access token has no session; DELETE /api/tokens/{call.user.token.id} revokes it.",
            field="Authorization",
        )
    if session is not None:
        call.store.records.sessions.delete(session.id)
    return empty_answer()


def change_password(call: Call) -> Response:
    """Change a password."""
    body = _body(call, ("current", "password", "userId"))
    caller, new = call.user, text_of(body, "password")
    user_id = body.get("userId", caller.user_id)
    keep = None if caller.session is None else caller.session.id
    if user_id != caller.user_id:
        if not caller.admin:
            raise DeniedError("Only an administrator may set somebody else's password.", field="userId")
        return _set_anothers(call, text_of(body, "userId"), new)
    user = call.store.records.users.get(caller.user_id)
    if user.password_hash is None:
        # Whoever sets the first password can sign in with all that the role allows, so the caller must have that.
        caller.require(call.service.authenticator.most_of(user))
    current = "" if user.password_hash is None else text_of(body, "current")
    call.service.signin.change_password(caller.user_id, current, new, _address(call), keep=keep)
    return empty_answer()


def _set_anothers(call: Call, user_id: str, new: str) -> Response:
    if call.store.records.users.find_by_id(user_id) is None:
        raise InvalidError("There is no such user.", field="userId")
    call.service.signin.set_password(user_id, new)
    return empty_answer()


def _body(call: Call, names: tuple[str, ...]) -> dict[str, object]:
    body = call.content()
    check_names(body, names)
    return body


def _address(call: Call) -> str:
    return "" if call.request.client is None else call.request.client.host
