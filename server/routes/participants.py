"""Who is in a chat: `/api/chats/{id}/participants`, one by one.

A participant is a part of its chat, so the version that If-Match has to meet is the chat's. A chat of the first shape
shows its character and its persona as participants, and becomes one of the later shape with the first change.
"""

from __future__ import annotations

import http
from typing import TYPE_CHECKING

from metadata.errors import InvalidError, NotFoundError
from metadata.repositories.chats import participants_of
from metadata.schemas.chats import Participant

from ..bodies import JSON_TYPES, PATCH_TYPES
from ..calls import Access, Operation
from ..conditional import not_modified
from ..responses import empty_answer, json_answer, unchanged
from ..shapes import AVATAR
from ..wire import tag_of
from .collections import COLLECTIONS, wires

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.responses import Response

    from metadata.schemas.chats import Chat

    from ..calls import Call

    Wire = dict[str, object]

_MANY = "/api/chats/{id}/participants"
_ONE = f"{_MANY}/{{participantId}}"
_NAMES = tuple(name for _, name in Participant.members())


def operations() -> list[Operation]:
    """Return the operations on those who are in a chat."""
    return [
        Operation(
            method="GET",
            path=_MANY,
            summary="Everybody in a chat, in the order of display.",
            access=Access.READ,
            handle=list_participants,
            gives="Participants",
        ),
        Operation(
            method="POST",
            path=_MANY,
            summary="Let a character or a persona join a chat; the place is the last one unless given.",
            access=Access.WRITE,
            handle=add,
            media=JSON_TYPES,
            takes="ParticipantBody",
            gives="Participant",
            answers=((201, "The participant."),),
        ),
        *_of_one(),
    ]


def _of_one() -> list[Operation]:
    return [
        Operation(
            method="GET",
            path=_ONE,
            summary="Somebody in a chat.",
            access=Access.READ,
            handle=read,
            gives="Participant",
        ),
        Operation(
            method="PATCH",
            path=_ONE,
            summary="Change some members of a participant (RFC 7396); If-Match is about the chat.",
            access=Access.WRITE,
            handle=patch,
            media=PATCH_TYPES,
            takes="ParticipantBody",
            gives="Participant",
        ),
        Operation(
            method="DELETE",
            path=_ONE,
            summary="Let somebody leave a chat; the last one cannot.",
            access=Access.WRITE,
            handle=remove,
            answers=((204, "Left."),),
        ),
    ]


def list_participants(call: Call) -> Response:
    """Answer with everybody in a chat."""
    items = _everybody(call, _chat(call))
    return json_answer({"items": items, "total": len(items)})


def read(call: Call) -> Response:
    """Answer with one participant."""
    chat = _chat(call)
    wire = _one(call, chat, call.id("participantId"))
    tag = tag_of(chat, wire)
    return unchanged(tag) if not_modified(call.joined("if-none-match"), tag) else json_answer(wire, etag=tag)


def add(call: Call) -> Response:
    """Let somebody join."""
    chat, body = _chat(call), call.content()
    fields = _known(body, {})
    expected = call.expected(chat.version)
    after = _judged(
        lambda: call.store.records.chats.add_participant(chat.id, if_match=expected, owner=call.owner, **fields)
    )
    made = (after.participants or [])[-1].id
    location = f"{call.service.base}/api/chats/{chat.id}/participants/{made}"
    wire = _one(call, after, made)
    return json_answer(wire, http.HTTPStatus.CREATED, etag=tag_of(after, wire), location=location)


def patch(call: Call) -> Response:
    """Change a participant."""
    chat, body, who = _chat(call), call.content(), call.id("participantId")
    fields = _known(body, _one(call, chat, who))
    expected = call.expected(chat.version)
    after = _judged(
        lambda: call.store.records.chats.edit_participant(chat.id, who, if_match=expected, owner=call.owner, **fields)
    )
    wire = _one(call, after, who)
    return json_answer(wire, etag=tag_of(after, wire))


def remove(call: Call) -> Response:
    """Let a participant leave."""
    chat, who = _chat(call), call.id("participantId")
    _one(call, chat, who)
    expected = call.expected(chat.version)
    call.store.records.chats.remove_participant(chat.id, who, if_match=expected, owner=call.owner)
    return empty_answer()


def _chat(call: Call) -> Chat:
    return call.store.records.chats.get(call.id(), owner=call.owner)


def _everybody(call: Call, chat: Chat) -> list[Wire]:
    (shown,) = wires(call, COLLECTIONS["chats"], [chat])
    present = shown["participants"]
    pictures = {who["id"]: who[AVATAR] for who in present} if isinstance(present, list) else {}
    return [
        {**{name: getattr(who, attribute) for attribute, name in who.members()}, **(who.model_extra or {})}
        | {AVATAR: pictures.get(who.id)}
        for who in participants_of(chat)
    ]


def _one(call: Call, chat: Chat, wanted: str) -> Wire:
    found = next((who for who in _everybody(call, chat) if who["id"] == wanted), None)
    if found is None:
        raise NotFoundError(f"Nobody of the id {wanted} is in this chat.", object=wanted)
    return found


def _known(body: Wire, current: Wire) -> Wire:
    """Return what a body sets, without what only answers have, so that a client may send back what it was given."""
    for name in body:
        if name not in {*_NAMES, *current, AVATAR}:
            raise InvalidError(f"A participant has no member {name[:80]!r}.", field=name[:80])
    return {name: value for name, value in body.items() if name not in {"id", AVATAR}}


def _judged(step: Callable[[], Chat]) -> Chat:
    """Name the participant's member in an error, not its place in the chat's list."""
    try:
        return step()
    except InvalidError as error:
        field = str(error.details.get("field", ""))
        raise InvalidError(error.message, **{**error.details, "field": field.rpartition(".")[2]}) from error
