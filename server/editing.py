"""Changing an asset by a JSON body: a merge patch (RFC 7396) or a whole new form, judged member by member.

What a caller may change is listed here; what follows from the bytes may be repeated and not changed; what the store
sets is accepted and ignored, so that a client may send back what it was given.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from metadata.errors import DeniedError, InvalidError
from metadata.schemas.assets import Asset

from .filenames import safe_name
from .responses import encode_json
from .wire import ASSET_NAMES, DERIVED_NAMES, asset_wire

if TYPE_CHECKING:
    from collections.abc import Mapping

REQUIRED = ("type", "filename")
EDITABLE = (
    *REQUIRED,
    "source",
    "generationPrompt",
    "generationModel",
    "chatId",
    "characterId",
    "messageId",
    "tags",
    "tagTypes",
    "imageProfileId",
    "meta",
)
FIXED = ("sha256", "size", "mimeType", "width", "height", "declaredType")
"""What follows from the bytes and from how they came."""

IGNORED = ("id", "createdAt", "updatedAt", "relativePath", "madeForAvatar", "duplicate", *DERIVED_NAMES)
OWNER = "userId"

_ON_DISK = {wire: name for name, wire in ASSET_NAMES.items()}
_DEFAULTS: dict[str, object] = {"source": "upload", "tags": []}


def merge_patch(target: object, patch: object) -> object:
    """Apply a JSON merge patch (RFC 7396, section 2) and return the result; neither argument is changed."""
    if not isinstance(patch, dict):
        return patch
    merged = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = merge_patch(merged.get(name), value)
    return merged


def patched(current: Asset, patch: Mapping[str, object], *, admin: bool) -> Asset:
    """Return an asset as a merge patch makes it.

    Raises:
        InvalidError: an unknown member, one that cannot be changed or removed, or a wrong value; `field` names it.
        DeniedError: another owner, by somebody who is no administrator.
    """
    before = asset_wire(current)
    _check_names(patch, before)
    for name in (*REQUIRED, "source", OWNER, *FIXED):
        if name in patch and patch[name] is None and before.get(name) is not None:
            raise InvalidError(f"{name} cannot be removed.", field=name)
    after = merge_patch(before, dict(patch))
    return _changed(current, before, after if isinstance(after, dict) else {}, admin=admin)


def replaced(current: Asset, body: Mapping[str, object], *, admin: bool) -> Asset:
    """Return an asset as a whole new form makes it: members that are not given lose their value.

    What follows from the bytes, the owner, and members that only the file knows stay when they are not given.

    Raises:
        InvalidError, DeniedError: as `patched`, and when a required member is missing.
    """
    before = asset_wire(current)
    _check_names(body, before)
    for name in REQUIRED:
        if body.get(name) is None:
            raise InvalidError(f"{name} is required.", field=name)
    after = {name: value for name, value in before.items() if name not in EDITABLE} | dict(body)
    return _changed(current, before, after, admin=admin)


def check_tags(value: object) -> list[str]:
    """Return the tags that a body gives.

    Raises:
        InvalidError: they are not a list of texts.
    """
    if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
        raise InvalidError("tags has to be a list of ids or names of tags.", field="tags")
    return list(dict.fromkeys(value))


def _check_names(body: Mapping[str, object], before: Mapping[str, object]) -> None:
    known = {*EDITABLE, *FIXED, *IGNORED, OWNER, *before}
    for name in body:
        if name not in known:
            raise InvalidError(f"An asset has no member {name[:80]!r}.", field=name[:80])


def _changed(current: Asset, before: Mapping[str, object], after: dict[str, object], *, admin: bool) -> Asset:
    for name in FIXED:
        if after.get(name) != before.get(name):
            raise InvalidError(f"{name} cannot be changed: upload the file instead.", field=name)
    if after.get(OWNER) != before[OWNER] and not admin:
        raise DeniedError("Only an administrator may give a record to somebody else.", field=OWNER)
    record = current.to_record()
    for name in sorted({*before, *after} - {*FIXED, *IGNORED}):
        value = after.get(name, _DEFAULTS.get(name))
        if encode_json(value) == encode_json(before.get(name)):  # as text: Python holds true and 1 for equal
            continue
        if value is None:
            record.pop(_ON_DISK.get(name, name), None)
        else:
            record[_ON_DISK.get(name, name)] = _value(name, value)
    _drop_types(record)
    return _read(record)


def _value(name: str, value: object) -> object:
    if name == "tags":
        return check_tags(value)
    if name != "filename":
        return value
    if not isinstance(value, str) or not value.strip():
        raise InvalidError("filename has to be a text, and not empty.", field="filename")
    return safe_name(value)


def _drop_types(record: dict[str, object]) -> None:
    """Forget the types of tags that are not there any more."""
    tags, types = record.get("tags"), record.get("_tagTypes")
    if not isinstance(tags, list) or not isinstance(types, dict):
        return
    record["_tagTypes"] = {tag: kind for tag, kind in types.items() if tag in tags}
    if not record["_tagTypes"]:
        del record["_tagTypes"]


def _read(record: Mapping[str, object]) -> Asset:
    try:
        return Asset.from_record(record)
    except InvalidError as error:
        raise on_wire(error) from error


def on_wire(error: InvalidError) -> InvalidError:
    """Return the error with the field's name as the caller knows it, without our underscore."""
    field = error.details.get("field")
    if not isinstance(field, str) or not field.startswith("_"):
        return error
    bare = field.removeprefix("_")
    return InvalidError(error.message.replace(field, bare), **{**error.details, "field": bare})
