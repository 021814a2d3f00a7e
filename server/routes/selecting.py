"""Lists of any collection: the parameters that the catalog gives them, and the pages they answer."""

from __future__ import annotations

import re
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from metadata.errors import DeniedError, InvalidError
from metadata.index.query import Query
from metadata.schemas.catalog import CATALOG

from ..queries import Form, Parameter
from ..responses import json_answer
from .answers import CURSOR, FIELDS, HIGHLIGHT, LIMIT, META, fields_of, highlighted, limit_of, pick
from .collections import wires

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.responses import Response

    from metadata.schemas.catalog import Kind

    from ..calls import Call
    from .collections import Collection

Q_MEANS = (
    "Only those with all of these words in their texts, or with words that these are parts of; 1000 characters at most."
    " Without `sort` the best come first, those with the words in names and titles before others, 500 at most."
)
_ID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_TAGS = "tags"
_FORMS = {"boolean": Form.FLAG, "integer": Form.NUMBER, "number": Form.NUMBER}


def list_parameters(collection: Collection) -> tuple[Parameter, ...]:
    """Return the query parameters of a collection's list."""
    kind = collection.members.kind
    equal = (Parameter(name, f"Only those with this `{name}`.", form) for name, form in _filters(kind.name).items())
    owner = (Parameter("userId", "Only those of this user; another's only for administrators."),)
    text = (Parameter("q", Q_MEANS), HIGHLIGHT)
    return (
        *equal,
        *(owner if kind.owner is not None else ()),
        *(text if kind.searched else ()),
        META,
        Parameter("sort", "The member to sort by, `-` before it for descending; createdAt unless given."),
        LIMIT,
        CURSOR,
        FIELDS,
    )


def list_records(collection: Collection, call: Call) -> Response:
    """Answer with a page of a collection."""
    kind, said = collection.members.kind, call.arguments
    owner = _owner(call, kind)
    disk = {name.removeprefix("_"): name for name in kind.members}
    wanted: dict[str, Any] = {}
    for name, form in _filters(kind.name).items():
        if name not in said.given:
            continue
        value: object = said.text(name)
        if form is Form.TEXTS:
            value = tuple(_tag_ids(call, owner, said.texts(name)) if name == _TAGS else said.texts(name))
        elif form is not Form.TEXT:
            value = said.flag(name) if form is Form.FLAG else said.number(name)
        wanted[disk.get(name, name)] = value
    sort = said.text("sort")
    query = Query(
        filter=wanted,
        owner=owner,
        sort=None if sort is None else _sort(sort, disk),
        q=said.text("q"),
        limit=limit_of(call),
        cursor=said.text(CURSOR.name),
        meta=said.members(META.name),
    )
    return _page(collection, call, query)


def _page(collection: Collection, call: Call, query: Query) -> Response:
    members = collection.members
    page = collection.repository(call.store.records).list(query)
    names = fields_of(call, dict.fromkeys(members.answered))
    if names is None:
        names = [name for name in members.answered if name not in collection.large]
    items = wires(call, collection, page.items)
    added = highlighted(call, members.kind, items)
    body: dict[str, object] = {
        "items": [pick(item, names) | more for item, more in zip(items, added, strict=True)],
        "nextCursor": page.next_cursor,
        "total": page.total,
    }
    if page.total_capped:
        body["totalCapped"] = True
    if page.unreadable:
        body["unreadable"] = page.unreadable
    return json_answer(body)


@cache
def _filters(name: str) -> Mapping[str, Form]:
    """Return the members that narrow a kind's list, by their names on the wire, and how their values are written."""
    kind = CATALOG[name]
    properties = kind.model.model_json_schema(by_alias=True)["properties"]
    elsewhere = {kind.owner, kind.created, kind.updated}
    plain = {name: _form(properties.get(name, {})) for name in kind.filters if name not in elsewhere}
    lists = {".".join(part for part in ref.path if part != "*"): Form.TEXTS for ref in kind.refs if "*" in ref.path}
    return MappingProxyType({name.removeprefix("_"): form for name, form in (plain | lists).items()})


def _form(schema: dict[str, Any]) -> Form:
    types = [schema.get("type"), *(one.get("type") for one in schema.get("anyOf", ()))]
    return next((_FORMS[one] for one in types if one in _FORMS), Form.TEXT)


def _owner(call: Call, kind: Kind) -> str | None:
    wanted = call.arguments.text("userId") if kind.owner is not None else None
    if wanted is None:
        return call.owner
    if not call.user.admin and wanted != call.user.user_id:
        raise DeniedError("Only an administrator may list what belongs to somebody else.", field="userId")
    return wanted


def _tag_ids(call: Call, owner: str | None, values: list[str]) -> list[str]:
    """Return tags' ids for ids or names; a name nobody used stays as it is, and nothing has it."""
    ids = []
    for value in values:
        tag = None if _ID.fullmatch(value) else call.store.records.tags.find_by_name(owner or call.user.user_id, value)
        ids.append(value if tag is None else tag.id)
    return ids


def _sort(text: str, disk: dict[str, str]) -> str:
    sign, name = ("-", text[1:]) if text.startswith("-") else ("", text)
    if name.startswith("_") or name == "seq":
        raise InvalidError(f"Cannot sort by {name[:80]!r}.", field="sort")
    return sign + disk.get(name, name)
