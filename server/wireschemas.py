"""JSON Schemas of what crosses the wire, derived from the entities where there is one (draft 2020-12, as OpenAPI 3.1).

`Operation.takes` and `Operation.gives` name them; `openapi.py` puts them into the document.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from assets.fsck.pace import SLOWEST
from metadata.schemas.assets import Asset
from metadata.schemas.catalog import CATALOG
from metadata.schemas.signin import AccessToken

from .editing import EDITABLE
from .shapes import AVATAR, MEMBERS, NEEDS_REENTRY

if TYPE_CHECKING:
    from collections.abc import Mapping

    from metadata.schemas.base import Entity

    from .members import Members

Schema = dict[str, Any]

_REF = "#/components/schemas/"
_TEXT: Schema = {"type": "string"}
_COUNT: Schema = {"type": "integer", "minimum": 0}
_FLAG: Schema = {"type": "boolean"}
_SHA256: Schema = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
_SHA256S: Schema = {"type": "array", "maxItems": 1000, "items": _SHA256}
_FREE: Schema = {"type": "object"}


_DERIVED: dict[str, Schema] = {
    AVATAR: {"anyOf": [{"$ref": _REF + "Picture"}, {"type": "null"}]},
    NEEDS_REENTRY: {"anyOf": [_TEXT, {"type": "null"}]},
}
"""Members that only answers have."""


def schemas() -> dict[str, Schema]:
    """Return every schema by its name."""
    found: dict[str, Schema] = {}
    for entity in (Asset, AccessToken):
        found |= _entity(entity)
    for members in MEMBERS.values():
        found |= _kind(members)
    found["ParticipantBody"] = _loose(found["Participant"]["properties"])
    asset = found["Asset"]["properties"]
    asset |= {"url": _TEXT, "thumbUrl": _or_null(_TEXT), "placeholder": _or_null(_TEXT), "duplicate": _FLAG}
    found["Asset"]["required"] += ["url", "thumbUrl", "placeholder"]
    found["AssetChange"] = _object(**{name: _or_null(asset[name]) for name in EDITABLE}) | {"required": []}
    found["AssetChange"]["additionalProperties"] = True  # the asset's other members may be sent back as they are
    return found | _answers() | {"AssetPage": _page("Asset"), "TokenPage": _page("AccessToken")}


def name_of(members: Members) -> str:
    """Return the name of the schema of a kind's answers; `New` and `Page` after it name the others of the kind."""
    return members.kind.model.__name__


def ref(name: str) -> Schema:
    """Return a reference to a schema."""
    return {"$ref": _REF + name}


def _answers() -> dict[str, Schema]:
    file = _object(status=_COUNT, asset=ref("Asset"), problem=ref("Problem")) | {"required": ["status"]}
    made = {"allOf": [ref("AccessToken"), _object(token=_TEXT) | {"additionalProperties": True}]}
    wanted = _object(name=_or_null(_TEXT), scope=ref("Scope"), expiresAt=_or_null(_TEXT), userId=_or_null(_TEXT)) | {
        "required": ["scope"]
    }
    referrer = _object(kind=_TEXT, id=_TEXT, field=_TEXT, name=_or_null(_TEXT))
    reason = _object(reason=_TEXT) | {"additionalProperties": True}
    return {
        "Problem": _problem(),
        "Picture": _picture(),
        "Revealed": _object(key=_TEXT),
        "Consumed": _object(identifier=_TEXT, token=_TEXT),
        "Preferences": _object(user=ref("User"), chatSettings=ref("ChatSettings")),
        "PreferencesBody": _object(user=ref("UserBody"), chatSettings=ref("ChatSettingsBody")) | {"required": []},
        "Credentials": _object(email=_TEXT, password=_TEXT),
        "SignedIn": _object(token=_TEXT, expires=_TEXT, scope=ref("Scope"), user=ref("User")),
        "PasswordWanted": _object(current=_TEXT, password=_TEXT, userId=_TEXT) | {"required": ["password"]},
        "PictureNamed": {"oneOf": [_object(sha256=_SHA256), _object(assetId=_TEXT)]},
        "Into": _object(into=_TEXT),
        "Participants": _object(items=_list(ref("Participant")), total=_COUNT),
        "Swipes": _object(items=_list(ref("ChatEvent")), total=_COUNT, chosen=_or_null(_TEXT)),
        "Made": _object(items=_list(_object(status=_COUNT) | {"additionalProperties": True})),
        "Upload": {"oneOf": [ref("Asset"), _object(items=_list(file))]},
        "CardsImported": _object(items=_list(_imported())),
        "Digests": _object(sha256=_SHA256S),
        "Missing": _object(missing=_SHA256S),
        "References": _object(items=_list(referrer), total=_COUNT),
        "SignatureWanted": _object(expiresIn=_COUNT, variant=_TEXT) | {"required": ["expiresIn"]},
        "Signature": _object(url=_TEXT, expiresAt=_TEXT),
        "TokenWanted": wanted,
        "TokenMade": made,
        "Me": _object(user=ref("User"), scope=ref("Scope"), token=_or_null(ref("AccessToken"))),
        "Health": _object(status=_TEXT),
        "Readiness": _object(status={"enum": ["ready", "degraded", "unavailable"]}, reasons=_list(reason)),
        "Statistics": _object(records=_FREE, payloads=_COUNT, payloadBytes=_COUNT) | {"additionalProperties": True},
        "CompactionWanted": _object(dryRun=_FLAG) | {"required": []},
        "Compaction": _object(dryRun=_FLAG, bytesSaved=_or_null({"type": "integer"})),
        "CollectionWanted": _object(dryRun=_FLAG, force=_FLAG, unreferenced=_FLAG, graceS=_COUNT, olderThanS=_COUNT)
        | {"required": []},
        "Collected": _object(dryRun=_FLAG, plan=_FREE, done=_or_null(_FREE)),
        "BackupWanted": _object(target=_TEXT, incremental=_FLAG, verify=_FLAG, dryRun=_FLAG) | {"required": ["target"]},
        "BackedUp": _object(dryRun=_FLAG, target=_TEXT, at=_TEXT, files=_COUNT, payloads=_COUNT, bytes=_COUNT)
        | {"additionalProperties": True},
        "VerificationWanted": _verification_wanted(),
        "Verification": _object(mode=_TEXT, sound=_FLAG, counts=_FREE, findings=_list(_FREE))
        | {"additionalProperties": True},
        "Document": _FREE,
    }


def _imported() -> Schema:
    texts = dict.fromkeys(("filename", "name", "characterId"), _TEXT)
    outcome = {"enum": ["imported", "same", "failed", "stored"]}
    item = _object(
        status=_COUNT, outcome=outcome, **texts, notes=_list(_TEXT), problem=ref("Problem"), asset=ref("Asset")
    )
    return item | {"required": ["status", "outcome", "filename"]}


def _verification_wanted() -> Schema:
    members = {
        "dryRun": _FLAG,
        "mode": {"enum": ["quick", "full"]},
        "part": {"type": "string", "pattern": "^[1-9][0-9]*/[1-9][0-9]*$"},
        "rateBytesPerS": {"type": "integer", "minimum": SLOWEST},
        "olderThanS": {"type": "integer", "minimum": 0, "maximum": 1_000_000_000},
        "accept": _FLAG,
    }
    return _object(**members) | {"required": []}


def _picture() -> Schema:
    sides = {name: _or_null(_COUNT) for name in ("width", "height")}
    texts = {name: _or_null(_TEXT) for name in ("assetId", "thumbUrl", "placeholder")}
    return _object(sha256=_SHA256, url=_TEXT, **texts, **sides)


def _problem() -> Schema:
    """Return the schema of errors (RFC 9457)."""
    members = _object(type=_TEXT, title=_TEXT, status=_COUNT, detail=_TEXT)
    members["properties"] |= {"requestId": _TEXT, "field": _TEXT, "setting": _TEXT, "limit": {}, "actual": {}}
    return members | {"additionalProperties": True}


def _kind(members: Members) -> dict[str, Schema]:
    """Return the schemas of a kind: of answers, of pages of them, and of what bodies hold."""
    found: dict[str, Schema] = {}
    variants = members.kind.model.variants()
    for variant in variants:
        found |= _entity(variant)
        answer = found[variant.__name__]
        added = {name: _DERIVED[name] for name in members.derived if name in _DERIVED}
        answer["properties"] |= added
        answer["required"] += added
    name = name_of(members)
    if len(variants) > 1:
        found[name] = {"anyOf": [ref(variant.__name__) for variant in variants]}
    several = {"type": "array", "maxItems": 1000, "items": ref(f"{name}Body")}
    return found | {
        f"{name}Page": _page(name),
        f"{name}Body": _body(members, found),
        f"{name}New": {"anyOf": [ref(f"{name}Body"), several]},
        f"{name}Made": {"anyOf": [ref(name), ref("Made")]},
    }


def _body(members: Members, found: dict[str, Schema]) -> Schema:
    """Return what a body may hold; required members are checked when a record is made of it."""
    known: dict[str, Schema] = {}
    for variant in members.kind.model.variants():
        known |= found[variant.__name__]["properties"]
    return _loose({name: known.get(name, _TEXT) for name in members.on_disk})


def _loose(properties: Mapping[str, Schema]) -> Schema:
    """Return the schema of a body; an answer may be sent back as it is, with what the store sets or no schema knows."""
    nullable = {name: _or_null(value) for name, value in properties.items()}
    return {"type": "object", "properties": nullable, "additionalProperties": True}


def _entity(entity: type[Entity]) -> dict[str, Schema]:
    """Return an entity's schema as the wire has it, and those it refers to."""
    schema = entity.model_json_schema(by_alias=True, ref_template=_REF + "{model}")
    hidden = CATALOG[entity.declaration.name].hidden
    members = {name: value for name, value in schema["properties"].items() if name not in hidden}
    properties = {name.removeprefix("_"): _bare(value) for name, value in members.items()}
    whole = {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": True}
    return {entity.__name__: whole, **_used(properties, schema.get("$defs", {}))}


def _used(within: object, defined: dict[str, Schema]) -> dict[str, Schema]:
    """Return the definitions that a schema refers to, and those that these refer to."""
    text = str(within)
    direct = {name: value for name, value in defined.items() if f"{_REF}{name}'" in text}
    rest = {name: value for name, value in defined.items() if name not in direct}
    return direct | (_used(direct, rest) if direct else {})


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
    item = {"anyOf": [ref(name), _FREE], "properties": {"highlights": _object() | {"additionalProperties": _TEXT}}}
    some = _object(items=_list(item), nextCursor=_or_null(_TEXT), total=_COUNT)
    some["properties"] |= {"totalCapped": _FLAG, "unreadable": _COUNT}
    return some
