"""The events of chats: `/api/chats/{id}/messages`, their alternatives, and which of these is shown."""

from __future__ import annotations

import http
from typing import TYPE_CHECKING, cast

from metadata.errors import CalotypeError, InvalidError, NotFoundError, TooLargeError
from metadata.repositories.messages import key_of

from ..bodies import JSON_TYPES, PATCH_TYPES, parse_json
from ..calls import Access, Operation
from ..editing import on_wire
from ..errors import problem
from ..queries import Parameter
from ..responses import empty_answer, json_answer, request_id_of
from ..shapes import MEMBERS
from ..wire import entity_wire, tag_of
from .answers import (
    CURSOR,
    FIELDS,
    HIGHLIGHT,
    LIMIT,
    entity_answer,
    limit_of,
    page_answer,
    references_answer,
    status_of_all,
)
from .records import MAX_ITEMS

if TYPE_CHECKING:
    from starlette.responses import Response

    from metadata.repositories.messages import Order
    from metadata.schemas.chats import Chat
    from metadata.schemas.events import ChatEvent

    from ..calls import Call

ORDER = Parameter(
    "order", "newest (unless given): from the newest backwards; oldest: forwards.", choices=("newest", "oldest")
)
WORDS = Parameter("q", "Only events with all of these words, or with words that these are parts of, in their text.")
_MESSAGE = MEMBERS["message"]
_TYPES = ("message", "context-summary")
_MANY = "/api/chats/{id}/messages"
_ONE = f"{_MANY}/{{messageId}}"
_SWIPES = f"{_ONE}/swipes"


def operations() -> list[Operation]:
    """Return the operations on the events of chats."""
    return [
        Operation(
            method="GET",
            path=_MANY,
            summary="A page of a chat's events.",
            access=Access.READ,
            handle=list_messages,
            parameters=(ORDER, WORDS, HIGHLIGHT, LIMIT, CURSOR, FIELDS),
            gives="ChatEventPage",
        ),
        Operation(
            method="POST",
            path=_MANY,
            summary=f"Append one event, or an array of up to {MAX_ITEMS}, each judged for itself.",
            access=Access.WRITE,
            handle=append,
            media=JSON_TYPES,
            takes="ChatEventNew",
            gives="ChatEventMade",
            answers=((201, "Appended; of an array, one at least."), (200, "The array was empty.")),
        ),
        *_of_one(),
        *_of_swipes(),
    ]


def _of_one() -> list[Operation]:
    return [
        Operation(
            method="GET",
            path=_ONE,
            summary="One event.",
            access=Access.READ,
            handle=read,
            parameters=(FIELDS,),
            gives="ChatEvent",
        ),
        Operation(
            method="PATCH",
            path=_ONE,
            summary="Change some members of an event (RFC 7396).",
            access=Access.WRITE,
            handle=patch,
            media=PATCH_TYPES,
            takes="ChatEventBody",
            gives="ChatEvent",
        ),
        Operation(
            method="DELETE",
            path=_ONE,
            summary="Delete an event.",
            access=Access.WRITE,
            handle=delete,
            answers=((204, "It is deleted."),),
        ),
        Operation(
            method="GET",
            path=f"{_ONE}/references",
            summary="What refers to an event.",
            access=Access.READ,
            handle=references,
            gives="References",
        ),
    ]


def _of_swipes() -> list[Operation]:
    return [
        Operation(
            method="GET",
            path=_SWIPES,
            summary="A message and its alternatives; `chosen` is the id of the one that is shown.",
            access=Access.READ,
            handle=swipes,
            gives="Swipes",
        ),
        Operation(
            method="POST",
            path=_SWIPES,
            summary="Add an alternative, which becomes the one that is shown.",
            access=Access.WRITE,
            handle=add_swipe,
            media=JSON_TYPES,
            takes="ChatEventBody",
            gives="ChatEvent",
            answers=((201, "The alternative."),),
        ),
        Operation(
            method="PUT",
            path=f"{_SWIPES}/{{swipeId}}",
            summary="Choose which alternative is shown.",
            access=Access.WRITE,
            handle=choose,
            gives="ChatEvent",
        ),
    ]


def list_messages(call: Call) -> Response:
    """Answer with a page of events."""
    chat = _chat(call)
    order = cast("Order", call.arguments.text(ORDER.name) or "newest")
    cursor = call.arguments.text(CURSOR.name)
    words, limit = call.arguments.text(WORDS.name), limit_of(call)
    page = call.store.records.messages.page(chat.id, order=order, limit=limit, cursor=cursor, q=words)
    known = dict.fromkeys(name.removeprefix("_") for name in _MESSAGE.kind.members)
    return page_answer(call, page, entity_wire, known, _MESSAGE.kind)


def append(call: Call) -> Response:
    """Append one event, or several."""
    chat, body = _chat(call), parse_json(call.body)
    several = isinstance(body, list)
    bodies = body if isinstance(body, list) else [body]
    if len(bodies) > MAX_ITEMS:
        raise TooLargeError(f"At most {MAX_ITEMS} events at once.", limit=MAX_ITEMS, actual=len(bodies))
    judged = [_judged(call, one) for one in bodies]
    sound = [fields for fields in judged if not isinstance(fields, CalotypeError)]
    made = iter(call.store.records.messages.append_many(chat.id, sound))
    results = [fields if isinstance(fields, CalotypeError) else next(made) for fields in judged]
    if several:
        return _items(call, results)
    if isinstance(results[0], CalotypeError):
        raise on_wire(results[0]) if isinstance(results[0], InvalidError) else results[0]
    return _written(call, results[0], created=True)


def read(call: Call) -> Response:
    """Answer with one event."""
    event = _event(call)
    return entity_answer(call, event, entity_wire(event))


def patch(call: Call) -> Response:
    """Change an event."""
    chat, event, body = _chat(call), _event(call), call.content()
    after = call.store.records.messages.edit_message(
        chat.id,
        _id_of(call),
        lambda now: cast("ChatEvent", _MESSAGE.patched(body, now, call.user)),
        if_match=call.expected(event.version),
    )
    return _written(call, after)


def delete(call: Call) -> Response:
    """Delete an event."""
    chat, event = _chat(call), _event(call)
    if not call.store.records.messages.delete_message(chat.id, _id_of(call), if_match=call.expected(event.version)):
        raise _absent(call)
    return empty_answer()


def references(call: Call) -> Response:
    """Answer with what refers to an event."""
    chat = _chat(call)
    _event(call)
    return references_answer(call, call.store.documents.referrers("message", key_of(chat.id, _id_of(call))))


def swipes(call: Call) -> Response:
    """Answer with a message and its alternatives."""
    chat, messages = _chat(call), call.store.records.messages
    found = messages.swipes(chat.id, _id_of(call))
    chosen = messages.chosen_swipe(chat.id, _id_of(call))
    items = [entity_wire(one) for one in found]
    return json_answer({"items": items, "total": len(items), "chosen": entity_wire(chosen)["id"]})


def add_swipe(call: Call) -> Response:
    """Add an alternative of a message."""
    chat, fields = _chat(call), _fields(call, call.content())
    try:
        made = call.store.records.messages.add_swipe(chat.id, _id_of(call), fields)
    except InvalidError as error:
        raise on_wire(error) from error
    return _written(call, made, created=True)


def choose(call: Call) -> Response:
    """Choose which alternative of a message is shown."""
    chat, messages = _chat(call), call.store.records.messages
    wanted = call.id("swipeId")
    if all(entity_wire(one)["id"] != wanted for one in messages.swipes(chat.id, _id_of(call))):
        raise NotFoundError(f"The message has no alternative {wanted}.", object=wanted)
    return _written(call, messages.choose_swipe(chat.id, wanted))


def _judged(call: Call, body: object) -> dict[str, object] | CalotypeError:
    try:
        if not isinstance(body, dict):
            raise InvalidError("The body has to be a JSON object, or an array of them.")
        return _fields(call, body)
    except CalotypeError as error:
        return error


def _fields(call: Call, body: dict[str, object]) -> dict[str, object]:
    fields = _MESSAGE.new(body, call.user)
    if fields.get("type", "message") not in _TYPES:
        raise InvalidError(f"type has to be one of {', '.join(_TYPES)}.", field="type")
    return fields


def _items(call: Call, results: list[ChatEvent | CalotypeError]) -> Response:
    items: list[dict[str, object]] = []
    for result in results:
        if isinstance(result, CalotypeError):
            error = on_wire(result) if isinstance(result, InvalidError) else result
            found = problem(error, request_id=request_id_of(call.request), admin=call.user.admin)
            items.append({"status": found["status"], "problem": found})
        else:
            items.append({"status": http.HTTPStatus.CREATED, "message": entity_wire(result)})
    return json_answer({"items": items}, status_of_all(items))


def _written(call: Call, event: ChatEvent, *, created: bool = False) -> Response:
    wire = entity_wire(event)
    location = f"{call.service.base}/api/chats/{wire['chatId']}/messages/{wire['id']}" if created else None
    status = http.HTTPStatus.CREATED if created else http.HTTPStatus.OK
    return json_answer(wire, status, etag=tag_of(event, wire), location=location)


def _chat(call: Call) -> Chat:
    return call.store.records.chats.get(call.id(), owner=call.owner)


def _event(call: Call) -> ChatEvent:
    found = call.store.records.messages.find(_chat(call).id, _id_of(call))
    if found is None:
        raise _absent(call)
    return found


def _id_of(call: Call) -> str:
    return call.id("messageId")


def _absent(call: Call) -> NotFoundError:
    return NotFoundError(f"There is no message {_id_of(call)}.", object=_id_of(call))
