"""CRUD on every collection: lists, one record, new ones, changes, removal, and who refers to a record."""

from __future__ import annotations

import http
from functools import partial
from typing import TYPE_CHECKING, cast

from metadata.errors import CalotypeError, InvalidError, NotFoundError, TooLargeError
from metadata.repositories.api_keys import FIELD as KEY

from ..bodies import JSON_TYPES, PATCH_TYPES, parse_json
from ..calls import Operation
from ..editing import on_wire
from ..errors import problem
from ..queries import Form, Parameter
from ..responses import empty_answer, json_answer, request_id_of
from ..wire import tag_of
from ..wireschemas import name_of
from .answers import FIELDS, entity_answer, references_answer, status_of_all
from .collections import COLLECTIONS, Collection, wires
from .selecting import list_parameters, list_records

if TYPE_CHECKING:
    from starlette.responses import Response

    from metadata.repositories.base import Repository
    from metadata.schemas.base import Entity
    from metadata.schemas.profiles import ApiKey

    from ..calls import Call

MAX_ITEMS = 1000
FORCE = Parameter("force", "1 settles the references that would forbid it.", Form.FLAG)
CASCADE = Parameter("cascade", "1 deletes all that the user owns too.", Form.FLAG)


def operations() -> list[Operation]:
    """Return the operations on all collections."""
    return [operation for collection in COLLECTIONS.values() for operation in _of(collection)]


def _of(collection: Collection) -> list[Operation]:
    one, schema = collection.members.kind.name, name_of(collection.members)
    path = f"/api/{collection.name}"
    whole = [
        Operation(
            method="GET",
            path=path,
            summary=f"A page of the {collection.name}.",
            access=collection.listing,
            handle=partial(list_records, collection),
            parameters=list_parameters(collection),
            gives=f"{schema}Page",
        ),
        Operation(
            method="POST",
            path=path,
            summary=f"Make a new {one}, or with an array up to {MAX_ITEMS} of them, each for itself.",
            access=collection.making,
            handle=partial(create, collection),
            media=JSON_TYPES,
            takes=f"{schema}New",
            gives=f"{schema}Made",
            answers=((201, "Made; of an array, one at least."), (200, "The array was empty.")),
        ),
    ]
    return [*whole, *_of_one(collection), _references(collection)] if collection.addressed else whole


def _of_one(collection: Collection) -> list[Operation]:
    one, schema = collection.members.kind.name, name_of(collection.members)
    path = f"/api/{collection.name}/{{id}}"
    return [
        Operation(
            method="GET",
            path=path,
            summary=f"One {one}.",
            access=collection.reading,
            handle=partial(read, collection),
            parameters=(FIELDS,),
            gives=schema,
        ),
        Operation(
            method="PUT",
            path=path,
            summary=f"Replace the members of a {one} that can be set.",
            access=collection.writing,
            handle=partial(replace, collection),
            media=JSON_TYPES,
            takes=f"{schema}Body",
            gives=schema,
        ),
        Operation(
            method="PATCH",
            path=path,
            summary=f"Change some members of a {one} (RFC 7396).",
            access=collection.writing,
            handle=partial(patch, collection),
            media=PATCH_TYPES,
            takes=f"{schema}Body",
            gives=schema,
        ),
        Operation(
            method="DELETE",
            path=path,
            summary=f"Delete a {one}, and settle what refers to it.",
            access=collection.making,
            handle=partial(delete, collection),
            parameters=(CASCADE if collection.cascading else FORCE,),
            answers=((204, "It is deleted."),),
        ),
    ]


def _references(collection: Collection) -> Operation:
    return Operation(
        method="GET",
        path=f"/api/{collection.name}/{{id}}/references",
        summary=f"What refers to a {collection.members.kind.name}.",
        access=collection.reading,
        handle=partial(references, collection),
        gives="References",
    )


def read(collection: Collection, call: Call) -> Response:
    """Answer with one record."""
    found = of_call(collection, call)
    return entity_answer(call, found, wires(call, collection, [found])[0])


def create(collection: Collection, call: Call) -> Response:
    """Make a record, or each of an array."""
    body = parse_json(call.body)
    repository = collection.repository(call.store.records)
    if isinstance(body, list):
        return _create_many(collection, call, body)
    try:
        made = repository.create(**collection.members.new(_object(body), call.user))
    except InvalidError as error:
        raise on_wire(error) from error
    return written(collection, call, made, created=True)


def replace(collection: Collection, call: Call) -> Response:
    """Put a whole new form in a record's place."""
    repository, current = collection.repository(call.store.records), of_call(collection, call)
    expected = call.expected(current.version)
    fields = collection.members.whole(call.content(), current, call.user)
    try:
        after = repository.replace(call.id(), fields, if_match=expected, owner=call.owner)
    except InvalidError as error:
        raise on_wire(error) from error
    return written(collection, call, after)


def patch(collection: Collection, call: Call) -> Response:
    """Change some members of a record."""
    repository, current = collection.repository(call.store.records), of_call(collection, call)
    expected, body = call.expected(current.version), call.content()
    if KEY in collection.members.accepted and KEY in body:
        return _patch_key(collection, call, body, current)
    after = repository.edit(
        call.id(),
        lambda now: collection.members.patched(body, now, call.user),
        if_match=expected,
        owner=call.owner,
    )
    return written(collection, call, after)


def delete(collection: Collection, call: Call) -> Response:
    """Delete a record."""
    found = of_call(collection, call)
    parameter = CASCADE if collection.cascading else FORCE
    gone = collection.repository(call.store.records).delete(
        call.id(),
        if_match=call.expected(found.version),
        force=call.arguments.flag(parameter.name),
        owner=call.owner,
    )
    if not gone:
        raise NotFoundError(f"There is no {collection.members.kind.name} {call.id()}.", object=call.id())
    return empty_answer()


def references(collection: Collection, call: Call) -> Response:
    """Answer with what refers to a record, as far as the caller may see it."""
    of_call(collection, call)
    return references_answer(call, call.store.documents.referrers(collection.members.kind.name, call.id()))


def of_call(collection: Collection, call: Call) -> Entity:
    """Return the record that a call is about.

    Raises:
        NotFoundError: there is none, or it is not the caller's.
    """
    return cast("Entity", collection.repository(call.store.records).get(call.id(), owner=call.owner))


def written(collection: Collection, call: Call, entity: Entity, *, created: bool = False) -> Response:
    """Return a record as an answer to a write."""
    wire = wires(call, collection, [entity])[0]
    location = f"{call.service.base}/api/{collection.name}/{wire['id']}" if created and collection.addressed else None
    status = http.HTTPStatus.CREATED if created else http.HTTPStatus.OK
    return json_answer(wire, status, etag=tag_of(entity, wire), location=location)


def _create_many(collection: Collection, call: Call, bodies: list[object]) -> Response:
    if len(bodies) > MAX_ITEMS:
        raise TooLargeError(f"At most {MAX_ITEMS} records at once.", limit=MAX_ITEMS, actual=len(bodies))
    judged = [_judged(collection, call, body) for body in bodies]
    repository: Repository[Entity] = collection.repository(call.store.records)
    sound = [fields for fields in judged if not isinstance(fields, CalotypeError)]
    made = iter(repository.create_many(sound))
    results = [fields if isinstance(fields, CalotypeError) else next(made) for fields in judged]
    return items_answer(collection, call, results)


def items_answer(collection: Collection, call: Call, results: list[Entity | CalotypeError]) -> Response:
    """Return what became of each of many; 201 if any was made, else the first error's status."""
    made = [result for result in results if not isinstance(result, CalotypeError)]
    answers = iter(wires(call, collection, made))
    items: list[dict[str, object]] = []
    for result in results:
        if isinstance(result, CalotypeError):
            error = on_wire(result) if isinstance(result, InvalidError) else result
            found = problem(error, request_id=request_id_of(call.request), admin=call.user.admin)
            items.append({"status": found["status"], "problem": found})
        else:
            items.append({"status": http.HTTPStatus.CREATED, collection.members.kind.name: next(answers)})
    return json_answer({"items": items}, status_of_all(items))


def _judged(collection: Collection, call: Call, body: object) -> dict[str, object] | CalotypeError:
    try:
        return collection.members.new(_object(body), call.user)
    except CalotypeError as error:
        return error


def _object(body: object) -> dict[str, object]:
    if not isinstance(body, dict):
        raise InvalidError("The body has to be a JSON object, or an array of them.")
    return body


def _patch_key(collection: Collection, call: Call, body: dict[str, object], current: Entity) -> Response:
    """Change an API key with its value: the value is sealed anew, so it goes its own way."""
    keys, expected = call.store.records.api_keys, call.expected(current.version)
    key, rest = body[KEY], {name: value for name, value in body.items() if name != KEY}
    if not isinstance(key, str):
        raise InvalidError("key has to be a text.", field=KEY)
    collection.members.patched(rest, current, call.user)  # nothing is stored of a body that will be refused
    after = keys.set_key(call.id(), key, if_match=expected, owner=call.owner)
    if rest:
        after = keys.edit(
            call.id(),
            lambda now: cast("ApiKey", collection.members.patched(rest, now, call.user)),
            if_match=after.version,
            owner=call.owner,
        )
    return written(collection, call, after)
