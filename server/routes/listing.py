"""Lists of assets: what they are narrowed to, in what order, and of whose."""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING

from metadata.errors import DeniedError, InvalidError, NotFoundError
from metadata.index.query import Query
from metadata.schemas.catalog import CATALOG
from metadata.schemas.enums import ImageTagType

from ..queries import Form, Parameter
from ..wire import ASSET_NAMES, DERIVED_NAMES
from .answers import CURSOR, FIELDS, HIGHLIGHT, LIMIT, META, limit_of, page_answer
from .selecting import Q_MEANS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.responses import Response

    from ..calls import Call

TAG_TYPE = Parameter(
    "tagType", "What `tagId` names: a tag (THEME), a character, a persona or a chat.", choices=tuple(ImageTagType)
)
_EQUAL = ("type", "sha256", "characterId", "chatId", "messageId", "source", "mimeType", "filename", "generationModel")
_NUMBERS = ("size", "width", "height")
LIST_PARAMETERS = (
    *(Parameter(name, f"Only assets with this `{name}`.") for name in _EQUAL),
    *(Parameter(name, f"Only assets with this `{name}`.", Form.NUMBER) for name in _NUMBERS),
    Parameter("imageProfileId", "Only assets of this image profile."),
    Parameter("tags", "Only assets with this tag, by id or name; of several all must be there.", Form.TEXTS),
    TAG_TYPE,
    Parameter("tagId", "Only assets tagged with this tag, character, persona or chat."),
    Parameter("userId", "Only assets of this user; another's only for administrators."),
    Parameter("q", Q_MEANS),
    HIGHLIGHT,
    Parameter("sort", "The member to sort by, `-` before it for descending; createdAt unless given."),
    META,
    LIMIT,
    CURSOR,
    FIELDS,
)
_SORT_NAMES = MappingProxyType({wire: name for name, wire in ASSET_NAMES.items()})
_KNOWN: Mapping[str, object] = MappingProxyType(dict.fromkeys([*ASSET_NAMES.values(), *DERIVED_NAMES]))
_ID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")

_OF: Mapping[str, tuple[str, str, str | None]] = MappingProxyType(
    {
        "characters": ("character", "characterId", None),
        "personas": ("persona", "tags", ImageTagType.PERSONA),
        "chats": ("chat", "chatId", None),
        "tags": ("tag", "tags", ImageTagType.THEME),
        "image-profiles": ("imageProfile", "_imageProfileId", None),
    }
)
"""Collection → its kind, the asset's field that names it, and for tags what kind of tag."""

COLLECTIONS = tuple(_OF)


def list_assets(call: Call) -> Response:
    """Answer with a page of assets."""
    return _answer(call, {}, None)


def list_assets_of(collection: str, call: Call) -> Response:
    """Answer with a page of the assets that belong to a record of another collection."""
    kind, field, tag_type = _OF[collection]
    key = call.id()
    check_visible(call, kind, key)
    return _answer(call, {field: (key,) if field == "tags" else key}, tag_type)


def check_visible(call: Call, kind: str, key: str) -> None:
    """Return when there is such a record and it is the caller's.

    Raises:
        NotFoundError: there is none, or it is another's.
    """
    stored = call.store.documents.get(kind, key)
    member = CATALOG[kind].owner
    if stored is None or (call.owner is not None and member is not None and stored.body.get(member) != call.owner):
        raise NotFoundError(f"There is no {kind} {key}.", object=key)


def _answer(call: Call, wanted: Mapping[str, str | tuple[str, ...]], tag_type: str | None) -> Response:
    said = call.arguments
    owner = _owner(call)
    filters: dict[str, str | int | tuple[str, ...]] = dict(wanted)
    filters |= {name: text for name in _EQUAL if (text := said.text(name)) is not None}
    filters |= {name: number for name in _NUMBERS if (number := said.number(name)) is not None}
    if (profile := said.text("imageProfileId")) is not None:
        filters["_imageProfileId"] = profile
    tags = _tags(call, owner)
    if tags:
        before = filters.get("tags", ())
        filters["tags"] = (*(before if isinstance(before, tuple) else ()), *tags)
    query = Query(
        filter=filters,
        owner=owner,
        sort=_sort(said.text("sort")),
        q=said.text("q"),
        limit=limit_of(call),
        cursor=said.text(CURSOR.name),
        meta=said.members(META.name),
        tag_type=tag_type or said.text(TAG_TYPE.name),
    )
    page = call.store.assets.images.list(query)
    wires = {wire["id"]: wire for wire in call.service.shown.many(page.items)}
    return page_answer(call, page, lambda asset: wires[asset.id], _KNOWN, CATALOG["asset"])


def _owner(call: Call) -> str | None:
    wanted = call.arguments.text("userId")
    if wanted is None:
        return call.owner
    if not call.user.admin and wanted != call.user.user_id:
        raise DeniedError("Only an administrator may list what belongs to somebody else.", field="userId")
    return wanted


def _tags(call: Call, owner: str | None) -> list[str]:
    said = call.arguments
    tag_id = said.text("tagId")
    if tag_id is None and said.text(TAG_TYPE.name) is not None:
        raise InvalidError("tagType goes with tagId: it says what tagId names.", field="tagId")
    named = [_tag_id(call, value, owner or call.user.user_id) for value in said.texts("tags")]
    return named if tag_id is None else [*named, tag_id]


def _tag_id(call: Call, value: str, user_id: str) -> str:
    """Return a tag's id for its id or name; a name nobody used stays as it is, and nothing has it."""
    if _ID.fullmatch(value):
        return value
    tag = call.store.records.tags.find_by_name(user_id, value)
    return value if tag is None else tag.id


def _sort(text: str | None) -> str | None:
    if text is None:
        return None
    sign, name = ("-", text[1:]) if text.startswith("-") else ("", text)
    return sign + _SORT_NAMES.get(name, name)
