"""What several routes answer: one record, a page of records, and the members of them that were asked for."""

from __future__ import annotations

import http
from typing import TYPE_CHECKING

from metadata.belonging import belonging_to
from metadata.errors import InvalidError
from metadata.index.snippets import Snippets

from ..conditional import not_modified
from ..queries import Form, Parameter
from ..responses import json_answer, unchanged
from ..wire import tag_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from starlette.responses import Response

    from metadata.documents.contract import Documents, Referrer
    from metadata.repositories.base import E, Page
    from metadata.schemas.assets import Asset
    from metadata.schemas.base import Entity
    from metadata.schemas.catalog import Kind

    from ..calls import Call

FIELDS = Parameter("fields", "The members to answer, separated by commas; id always comes with them.")
LIMIT = Parameter("limit", "How many records a page has, 1 to 500; 50 unless given.", Form.NUMBER)
CURSOR = Parameter("cursor", "Where the page begins: `nextCursor` of the page before.")
HIGHLIGHT = Parameter(
    "highlight",
    "1 adds `highlights` to every item: for each searched member that has words of `q`, a piece of its text as HTML,"
    " escaped, with the words in `<mark>`.",
    Form.FLAG,
)
META = Parameter("meta.*", "Only those whose `meta` has this value in the member named after the dot.", Form.MEMBER)
DEFAULT_LIMIT = 50
_CALLED = ("name", "title", "filename")


def asset_answer(call: Call, asset: Asset, *, created: bool = False, duplicate: bool | None = None) -> Response:
    """Return an asset as an answer to a write."""
    wire = call.service.shown.one(asset)
    tag = tag_of(asset, wire)
    location = f"{call.service.base}/api/assets/{asset.id}" if created else None
    if duplicate is not None:
        wire["duplicate"] = duplicate
    status = http.HTTPStatus.CREATED if created else http.HTTPStatus.OK
    return json_answer(wire, status, etag=tag, location=location)


def entity_answer(call: Call, entity: Entity, wire: Mapping[str, object]) -> Response:
    """Return a record as an answer to GET: 304 if the caller has it, only some members if only those were asked for."""
    names = fields_of(call, wire)
    if names is not None:
        return json_answer(pick(wire, names))
    tag = tag_of(entity, wire)
    return unchanged(tag) if not_modified(call.joined("if-none-match"), tag) else json_answer(wire, etag=tag)


def highlighted(call: Call, kind: Kind, wires: Sequence[dict[str, object]]) -> list[dict[str, object]]:
    """Return what is added to each item of a page: where the words asked for are, if that was asked for.

    Raises:
        InvalidError: it was, without words.
    """
    if HIGHLIGHT.name not in call.arguments.given or not call.arguments.flag(HIGHLIGHT.name):
        return [{} for _ in wires]
    question = call.arguments.text("q")
    if question is None:
        raise InvalidError("highlight goes with q: it shows where the words of q are.", field=HIGHLIGHT.name)
    snippets, names = Snippets(question), [name.removeprefix("_") for name, _ in kind.searched]
    return [{"highlights": _highlights(snippets, wire, names)} for wire in wires]


def _highlights(snippets: Snippets, wire: Mapping[str, object], names: Sequence[str]) -> dict[str, str]:
    texts = ((name, wire.get(name)) for name in names)
    found = ((name, snippets.of(text)) for name, text in texts if isinstance(text, str))
    return {name: snippet for name, snippet in found if snippet is not None}


def page_answer(
    call: Call, page: Page[E], wire: Callable[[E], dict[str, object]], known: Mapping[str, object], kind: Kind
) -> Response:
    """Return a page of records.

    Args:
        call: the request.
        page: the records.
        wire: makes one record's answer.
        known: has every member that `fields` may name.
        kind: of the records.
    """
    names = fields_of(call, known)
    wires = [wire(entity) for entity in page.items]
    added = highlighted(call, kind, wires)
    body: dict[str, object] = {
        "items": [
            (item if names is None else pick(item, names)) | more for item, more in zip(wires, added, strict=True)
        ],
        "nextCursor": page.next_cursor,
        "total": page.total,
    }
    if page.total_capped:
        body["totalCapped"] = True
    if page.unreadable:
        body["unreadable"] = page.unreadable
    return json_answer(body)


def references_answer(call: Call, referrers: Iterable[Referrer]) -> Response:
    """Return what refers to a record, as far as the caller may see it, and what people call it."""
    found = list(referrers)
    seen = found if call.owner is None else belonging_to(call.store.documents, found, call.owner)
    names = _names(call.store.documents, seen)
    items = [
        {
            "kind": by.kind,
            "id": by.key.rpartition("/")[2],
            "field": by.field.removeprefix("_"),
            "name": names.get(_named_by(by)),
        }
        for by in seen
    ]
    return json_answer({"items": items, "total": len(items)})


def _names(documents: Documents, referrers: Sequence[Referrer]) -> dict[tuple[str, str], object]:
    wanted: dict[str, dict[str, None]] = {}
    for kind, key in map(_named_by, referrers):
        wanted.setdefault(kind, {})[key] = None
    found = {
        (kind, key): it.body for kind, keys in wanted.items() for key, it in documents.many(kind, list(keys)).items()
    }
    return {at: next((body[name] for name in _CALLED if body.get(name)), None) for at, body in found.items()}


def _named_by(by: Referrer) -> tuple[str, str]:
    """Return the kind and key of the record that has the name: a message goes by its chat's."""
    return ("chat", by.key.partition("/")[0]) if by.kind == "message" else (by.kind, by.key)


def status_of_all(items: Sequence[Mapping[str, object]]) -> int:
    """Return the status of answers to many: 201 if any made a record, 200 if any was there or none was asked for.

    Otherwise it is the first error's.
    """
    statuses = [status for item in items if isinstance(status := item["status"], int)]
    if http.HTTPStatus.CREATED in statuses:
        return http.HTTPStatus.CREATED
    return http.HTTPStatus.OK if http.HTTPStatus.OK in statuses or not statuses else statuses[0]


def limit_of(call: Call) -> int:
    """Return how many records a page shall have."""
    limit = call.arguments.number(LIMIT.name)
    return DEFAULT_LIMIT if limit is None else limit


def fields_of(call: Call, known: Mapping[str, object]) -> list[str] | None:
    """Return the members asked for, None for all.

    Raises:
        InvalidError: one of them is unknown.
    """
    text = call.arguments.text(FIELDS.name) if FIELDS.name in call.arguments.given else None
    if text is None:
        return None
    names = [name for name in (part.strip() for part in text.split(",")) if name]
    for name in names:
        if name not in known:
            raise InvalidError(f"There is no member {name[:80]!r} here; there are: {', '.join(known)}.", field="fields")
    return ["id", *(name for name in names if name != "id")]


def pick(wire: Mapping[str, object], names: list[str]) -> dict[str, object]:
    """Return some members of an answer."""
    return {name: wire[name] for name in names if name in wire}
