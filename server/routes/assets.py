"""Assets: upload, list, read, change, delete, restore, who uses them, and which payloads are missing."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from assets.digest import parse_digest
from metadata.errors import InvalidError, TooLargeError

from ..bodies import JSON_TYPES, PATCH_TYPES
from ..calls import Access, Operation
from ..editing import check_tags, on_wire, patched, replaced
from ..queries import Form, Parameter
from ..responses import empty_answer, json_answer
from .answers import FIELDS, asset_answer, entity_answer, references_answer
from .listing import LIST_PARAMETERS, list_assets
from .receiving import FILENAME, UPLOAD_FIELDS, upload

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.responses import Response

    from assets.digest import Digest
    from metadata.schemas.assets import Asset

    from ..calls import Call

    Change = Callable[[Asset, dict[str, object]], Asset]

MAX_HAVE = 1000
FORCE = Parameter("force", "1 clears the references that would forbid it.", Form.FLAG)
PURGE = Parameter("purge", "1 removes the payload now if nothing else needs it.", Form.FLAG)
_PATH = "/api/assets/{id}"


def operations() -> list[Operation]:
    """Return the operations on assets."""
    return [
        Operation(
            method="POST",
            path="/api/assets/have",
            summary="Of up to 1,000 hashes, those that none of the caller's records names.",
            access=Access.READ,
            handle=have,
            takes="Digests",
            gives="Missing",
            media=JSON_TYPES,
        ),
        Operation(
            method="GET",
            path="/api/assets",
            summary="A page of assets.",
            access=Access.READ,
            handle=list_assets,
            gives="AssetPage",
            parameters=LIST_PARAMETERS,
        ),
        Operation(
            method="POST",
            path="/api/assets",
            summary="Store one or more files.",
            access=Access.WRITE,
            stream=upload,
            gives="Upload",
            parameters=(FILENAME, *UPLOAD_FIELDS),
            answers=((201, "A new record was made."), (200, "The caller had it already.")),
        ),
        *_of_one(),
        *_of_its_fate(),
    ]


def _of_one() -> list[Operation]:
    return [
        Operation(
            method="GET",
            path=_PATH,
            summary="One asset.",
            access=Access.READ,
            handle=read,
            parameters=(FIELDS,),
            gives="Asset",
        ),
        Operation(
            method="PATCH",
            path=_PATH,
            summary="Change some members (RFC 7396).",
            access=Access.WRITE,
            handle=partial(change, patched),
            takes="AssetChange",
            gives="Asset",
            media=PATCH_TYPES,
        ),
        Operation(
            method="PUT",
            path=_PATH,
            summary="Replace the members that can be changed.",
            access=Access.WRITE,
            handle=partial(change, replaced),
            takes="AssetChange",
            gives="Asset",
            media=JSON_TYPES,
        ),
    ]


def _of_its_fate() -> list[Operation]:
    return [
        Operation(
            method="DELETE",
            path=_PATH,
            summary="Delete a record; refused while it is used.",
            access=Access.WRITE,
            handle=delete,
            parameters=(FORCE, PURGE),
            answers=((204, "It is deleted."),),
        ),
        Operation(
            method="POST",
            path=f"{_PATH}/restore",
            summary="Bring a deleted record back within the trash window.",
            access=Access.WRITE,
            handle=restore,
            gives="Asset",
        ),
        Operation(
            method="GET",
            path=f"{_PATH}/references",
            summary="What refers to a record or mentions its payload.",
            access=Access.READ,
            handle=references,
            gives="References",
        ),
    ]


def read(call: Call) -> Response:
    """Answer with one asset."""
    asset = call.store.assets.images.get(call.id(), owner=call.owner)
    return entity_answer(call, asset, call.service.shown.one(asset))


def change(editor: Callable[..., Asset], call: Call) -> Response:
    """Change an asset by a body.

    Args:
        editor: `patched` or `replaced`.
        call: the request.
    """
    images = call.store.assets.images
    body = call.content()
    asset = images.get(call.id(), owner=call.owner)
    expected = call.expected(asset.version)
    names = None if body.get("tags") is None else check_tags(body["tags"])
    try:
        with call.store.records.tags.resolving(asset.user_id, names or ()) as (ids, new):
            given = body if names is None else {**body, "tags": ids}
            edited = images.edit_tagged(
                asset.id,
                lambda current: editor(current, given, admin=call.user.admin),
                new,
                if_match=expected,
                owner=call.owner,
            )
    except InvalidError as error:
        raise on_wire(error) from error
    return asset_answer(call, edited)


def delete(call: Call) -> Response:
    """Delete an asset."""
    asset = call.store.assets.images.get(call.id(), owner=call.owner)
    call.store.assets.forget(
        asset.id,
        owner=call.owner,
        if_match=call.expected(asset.version),
        force=call.arguments.flag(FORCE.name),
        purge=call.arguments.flag(PURGE.name),
    )
    return empty_answer()


def restore(call: Call) -> Response:
    """Bring a deleted asset back."""
    return asset_answer(call, call.store.assets.restore(call.id(), owner=call.owner))


def references(call: Call) -> Response:
    """Answer with what uses an asset, as far as the caller may see it."""
    images = call.store.assets.images
    asset = images.get(call.id(), owner=call.owner)
    return references_answer(call, images.referrers(asset.id))


def have(call: Call) -> Response:
    """Answer with the hashes that none of the caller's records names."""
    digests = _digests(call.content())
    missing = call.store.assets.missing_of(digests, owner=call.user.user_id)
    return json_answer({"missing": [str(digest) for digest in missing]})


def _digests(body: dict[str, object]) -> list[Digest]:
    for name in body:
        if name != "sha256":
            raise InvalidError(f"There is no member {name[:80]!r} here; send `sha256`, a list.", field=name[:80])
    values = body.get("sha256")
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise InvalidError("sha256 has to be a list of hashes.", field="sha256")
    if len(values) > MAX_HAVE:
        raise TooLargeError(f"At most {MAX_HAVE} hashes at once.", limit=MAX_HAVE, actual=len(values), field="sha256")
    return list(dict.fromkeys(parse_digest(value) for value in values))
