"""`/api/settings`: the caller's own user and chat settings, as one thing."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, cast

from metadata.errors import InvalidError

from ..bodies import PATCH_TYPES, check_names
from ..calls import Access, Operation
from ..conditional import entity_tag, not_modified
from ..responses import encode_json, json_answer, unchanged
from ..shapes import MEMBERS
from .collections import COLLECTIONS, wires

if TYPE_CHECKING:
    from starlette.responses import Response

    from metadata.schemas.users import ChatSettings, User

    from ..calls import Call
    from ..conditional import EntityTag

_PATH = "/api/settings"
_PARTS = ("user", "chatSettings")
_HALF = 16
"""Digits of each part's version in the version of both."""


def operations() -> list[Operation]:
    """Return the operations on the caller's settings."""
    return [
        Operation(
            method="GET",
            path=_PATH,
            summary="The caller's user and chat settings.",
            access=Access.READ,
            handle=read,
            gives="Preferences",
        ),
        Operation(
            method="PATCH",
            path=_PATH,
            summary="Change some of the caller's settings (RFC 7396).",
            access=Access.WRITE,
            handle=change,
            media=PATCH_TYPES,
            takes="PreferencesBody",
            gives="Preferences",
        ),
    ]


def read(call: Call) -> Response:
    """Answer with the caller's settings."""
    user, settings = _both(call)
    wire, tag = _answer(call, user, settings)
    return unchanged(tag) if not_modified(call.joined("if-none-match"), tag) else json_answer(wire, etag=tag)


def change(call: Call) -> Response:
    """Change the caller's settings."""
    body = call.content()
    check_names(body, _PARTS)
    user, settings = _both(call)
    bound = call.expected(_version(user, settings)) is not None
    parts = [_part(body, name) for name in _PARTS]
    user, settings = call.store.records.users.edit_with_settings(
        user.id,
        lambda now: cast("User", _changed(call, "user", parts[0], now)),
        lambda now: cast("ChatSettings", _changed(call, "chatSettings", parts[1], now)),
        if_match=(user.version, settings.version) if bound else None,
    )
    wire, tag = _answer(call, user, settings)
    return json_answer(wire, etag=tag)


def _both(call: Call) -> tuple[User, ChatSettings]:
    user = call.store.records.users.get(call.user.user_id)
    return user, call.store.records.chat_settings.of_user(user.id)


def _changed(call: Call, kind: str, patch: dict[str, object], current: User | ChatSettings) -> object:
    return MEMBERS[kind].patched(patch, current, call.user)


def _part(body: dict[str, object], name: str) -> dict[str, object]:
    part = body.get(name, {})
    if not isinstance(part, dict):
        raise InvalidError(f"{name} has to be an object.", field=name)
    return part


def _answer(call: Call, user: User, settings: ChatSettings) -> tuple[dict[str, object], EntityTag]:
    (shown,) = wires(call, COLLECTIONS["users"], [user])
    wire: dict[str, object] = {"user": shown, "chatSettings": MEMBERS["chatSettings"].shown(settings)}
    derived = hashlib.sha256(encode_json(wire)).hexdigest()[:8]
    return wire, entity_tag(_version(user, settings), derived)


def _version(user: User, settings: ChatSettings) -> str:
    return user.version[:_HALF] + settings.version[:_HALF]
