"""Links between records: their tags, a character's personas, its being a favourite, and two tags made one."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, cast

from metadata.errors import InvalidError

from ..bodies import JSON_TYPES
from ..calls import Access, Operation
from ..queries import Form, Parameter
from ..responses import empty_answer
from ..wireschemas import name_of
from .collections import COLLECTIONS, Collection
from .records import of_call, written

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from starlette.responses import Response

    from metadata.repositories.tagged import TaggedRepository
    from metadata.schemas.base import Entity

    from ..calls import Call

    Link = Callable[[Call], Entity]

TAGGED = ("characters", "personas", "chats", "image-profiles", "connection-profiles")
DEFAULT = Parameter("isDefault", "1 makes it the persona that is used unless another is chosen.", Form.FLAG)


def operations() -> list[Operation]:
    """Return the operations on links."""
    pairs: list[tuple[str, str, str, Link, Link, tuple[Parameter, ...]]] = [
        ("characters", "favorite", "Make a character a favourite", _like, _dislike, ()),
        ("characters", "personas/{personaId}", "Link a persona with a character", _meet, _part, (DEFAULT,)),
        ("personas", "characters/{characterId}", "Link a character with a persona", _join, _leave, ()),
        *((name, "tags/{tagId}", f"Put a tag on one of the {name}", _tag(name), _untag(name), ()) for name in TAGGED),
    ]
    found = [
        operation
        for name, end, words, link, unlink, parameters in pairs
        for operation in _pair(COLLECTIONS[name], end, words, (link, unlink), parameters)
    ]
    merging = Operation(
        method="POST",
        path="/api/tags/{id}/merge",
        summary="Put the tag named by `into` in this one's place wherever it is carried, and delete this one.",
        access=Access.WRITE,
        handle=merge,
        media=JSON_TYPES,
        takes="Into",
        gives="Tag",
        answers=((200, "The tag that stays."),),
    )
    return [*found, merging]


def _pair(
    collection: Collection, end: str, words: str, links: tuple[Link, Link], parameters: tuple[Parameter, ...]
) -> list[Operation]:
    path = f"/api/{collection.name}/{{id}}/{end}"
    return [
        Operation(
            method="PUT",
            path=path,
            summary=f"{words}; again is no error.",
            access=Access.WRITE,
            handle=partial(_linked, collection, links[0]),
            parameters=parameters,
            gives=name_of(collection.members),
        ),
        Operation(
            method="DELETE",
            path=path,
            summary=f"Undo: {words[0].lower()}{words[1:]}; what is not there is no error.",
            access=Access.WRITE,
            handle=partial(_unlinked, collection, links[1]),
            answers=((204, "It is not there."),),
        ),
    ]


def merge(call: Call) -> Response:
    """Make two tags one."""
    body = call.content()
    into = body.get("into")
    if set(body) != {"into"} or not isinstance(into, str):
        raise InvalidError("Send `into`, the id of the tag that stays.", field="into")
    tag = call.store.records.tags.get(call.id(), owner=call.owner)
    call.expected(tag.version)
    if call.store.records.tags.find_by_id(into, owner=call.owner) is None:
        raise InvalidError("There is no such tag.", field="into")
    return written(COLLECTIONS["tags"], call, call.store.records.tags.merge(tag.id, into, owner=call.owner))


def _linked(collection: Collection, link: Link, call: Call) -> Response:
    call.expected(of_call(collection, call).version)
    return written(collection, call, link(call))


def _unlinked(collection: Collection, unlink: Link, call: Call) -> Response:
    call.expected(of_call(collection, call).version)
    unlink(call)
    return empty_answer()


def _like(call: Call) -> Entity:
    return call.store.records.characters.set_favorite(call.id(), favorite=True, owner=call.owner)


def _dislike(call: Call) -> Entity:
    return call.store.records.characters.set_favorite(call.id(), favorite=False, owner=call.owner)


def _meet(call: Call) -> Entity:
    default = call.arguments.flag(DEFAULT.name)
    characters = call.store.records.characters
    return characters.add_persona(call.id(), call.id("personaId"), is_default=default, owner=call.owner)


def _part(call: Call) -> Entity:
    return call.store.records.characters.remove_persona(call.id(), call.id("personaId"), owner=call.owner)


def _join(call: Call) -> Entity:
    return call.store.records.personas.add_character(call.id(), call.id("characterId"), owner=call.owner)


def _leave(call: Call) -> Entity:
    return call.store.records.personas.remove_character(call.id(), call.id("characterId"), owner=call.owner)


def _tag(name: str) -> Link:
    return lambda call: _tagged(name, call).add_tag(call.id(), call.id("tagId"), owner=call.owner)


def _untag(name: str) -> Link:
    return lambda call: _tagged(name, call).remove_tag(call.id(), call.id("tagId"), owner=call.owner)


def _tagged(name: str, call: Call) -> TaggedRepository[Any]:
    return cast("TaggedRepository[Any]", COLLECTIONS[name].repository(call.store.records))
