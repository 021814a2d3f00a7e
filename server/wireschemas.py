"""JSON Schemas of what crosses the wire, derived from the entities where there is one (draft 2020-12, as OpenAPI 3.1).

`Operation.takes` and `Operation.gives` name them; `openapi.py` puts them into the document.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from metadata.schemas.assets import Asset
from metadata.schemas.catalog import CATALOG
from metadata.schemas.signin import AccessToken
from metadata.schemas.users import User

from .editing import EDITABLE

if TYPE_CHECKING:
    from metadata.schemas.base import Entity

Schema = dict[str, Any]

_REF = "#/components/schemas/"
_TEXT: Schema = {"type": "string"}
_COUNT: Schema = {"type": "integer", "minimum": 0}
_FLAG: Schema = {"type": "boolean"}
_SHA256: Schema = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
_SHA256S: Schema = {"type": "array", "maxItems": 1000, "items": _SHA256}
_FREE: Schema = {"type": "object"}


def schemas() -> dict[str, Schema]:
    """Return every schema by its name."""
    found: dict[str, Schema] = {}
    for entity in (Asset, AccessToken, User):
        found |= _entity(entity)
    asset = found["Asset"]["properties"]
    asset |= {"url": _TEXT, "thumbUrl": _or_null(_TEXT), "placeholder": _or_null(_TEXT), "duplicate": _FLAG}
    found["Asset"]["required"] += ["url", "thumbUrl", "placeholder"]
    found["AssetChange"] = _object(**{name: _or_null(asset[name]) for name in EDITABLE}) | {"required": []}
    found["AssetChange"]["additionalProperties"] = True  # the asset's other members may be sent back as they are
    return found | _answers() | {"AssetPage": _page("Asset"), "TokenPage": _page("AccessToken")}


def ref(name: str) -> Schema:
    """Return a reference to a schema."""
    return {"$ref": _REF + name}


def _answers() -> dict[str, Schema]:
    file = _object(status=_COUNT, asset=ref("Asset"), problem=ref("Problem")) | {"required": ["status"]}
    made = {"allOf": [ref("AccessToken"), _object(token=_TEXT) | {"additionalProperties": True}]}
    wanted = _object(name=_TEXT, scope=ref("Scope"), expiresAt=_or_null(_TEXT), userId=_TEXT) | {"required": ["scope"]}
    referrer = _object(kind=_TEXT, id=_TEXT, field=_TEXT)
    reason = _object(reason=_TEXT) | {"additionalProperties": True}
    return {
        "Problem": _problem(),
        "Upload": {"oneOf": [ref("Asset"), _object(items=_list(file))]},
        "Digests": _object(sha256=_SHA256S),
        "Missing": _object(missing=_SHA256S),
        "References": _object(items=_list(referrer), total=_COUNT),
        "TokenWanted": wanted,
        "TokenMade": made,
        "Me": _object(user=ref("User"), scope=ref("Scope"), token=_or_null(ref("AccessToken"))),
        "Health": _object(status=_TEXT),
        "Readiness": _object(status={"enum": ["ready", "degraded", "unavailable"]}, reasons=_list(reason)),
        "Statistics": _object(records=_FREE, payloads=_COUNT, payloadBytes=_COUNT) | {"additionalProperties": True},
        "CompactionWanted": _object(dryRun=_FLAG) | {"required": []},
        "Compaction": _object(dryRun=_FLAG, bytesSaved=_or_null({"type": "integer"})),
        "Document": _FREE,
    }


def _problem() -> Schema:
    """Return the schema of errors (RFC 9457)."""
    members = _object(type=_TEXT, title=_TEXT, status=_COUNT, detail=_TEXT)
    members["properties"] |= {"requestId": _TEXT, "field": _TEXT, "setting": _TEXT, "limit": {}, "actual": {}}
    return members | {"additionalProperties": True}


def _entity(entity: type[Entity]) -> dict[str, Schema]:
    """Return an entity's schema as the wire has it, and those it refers to."""
    schema = entity.model_json_schema(by_alias=True, ref_template=_REF + "{model}")
    hidden = CATALOG[entity.declaration.name].hidden
    members = {name: value for name, value in schema["properties"].items() if name not in hidden}
    properties = {name.removeprefix("_"): _bare(value) for name, value in members.items()}
    whole = {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": True}
    used = str(properties)
    enums = {name: value for name, value in schema.get("$defs", {}).items() if f"{_REF}{name}'" in used}
    return {entity.__name__: whole, **enums}


def _bare(value: Schema) -> Schema:
    return {name: part for name, part in value.items() if name not in {"title", "default"}}


def _object(**properties: Schema) -> Schema:
    required = list(properties)
    return {"type": "object", "properties": dict(properties), "required": required, "additionalProperties": False}


def _list(items: Schema) -> Schema:
    return {"type": "array", "items": items}


def _or_null(schema: Schema) -> Schema:
    return schema if {"type": "null"} in schema.get("anyOf", []) else {"anyOf": [schema, {"type": "null"}]}


def _page(name: str) -> Schema:
    """Return the schema of a page; with `fields=` its items have only the members asked for."""
    some = _object(items=_list({"anyOf": [ref(name), _FREE]}), nextCursor=_or_null(_TEXT), total=_COUNT)
    some["properties"] |= {"totalCapped": _FLAG, "unreadable": _COUNT}
    return some
