"""The picture of a character, a persona or a user: `/api/{characters,personas,users}/{id}/avatar`."""

from __future__ import annotations

import http
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from starlette.responses import Response

from assets.digest import Digest, parse_digest
from assets.library import Upload
from metadata.errors import CalotypeError, ConflictError, InvalidError, NotFoundError
from metadata.repositories.pictures import Pictured
from metadata.schemas.characters import Character

from ..avatars import Avatars, Look
from ..bodies import JSON_TYPES, parse_object, read_body
from ..calls import Operation, Strictness
from ..filenames import DEFAULT_NAME
from ..payloads import Payload, payload_answer
from ..queries import Form, Parameter
from ..threads import in_thread
from ..uploads import receive_raw
from ..wire import blob_url
from ..wireschemas import name_of
from .collections import COLLECTIONS, Collection
from .receiving import FILENAME
from .records import of_call, written

if TYPE_CHECKING:
    from assets.blobs.base import Staged
    from metadata.schemas.assets import Asset
    from metadata.schemas.base import Entity

    from ..avatars import Picture
    from ..calls import Call
    from ..uploads import RawFile

NAMES = ("characters", "personas", "users")
CHAT = Parameter("chatId", "The picture in this chat, where the character has another one there.")
REDIRECT = Parameter("redirect", "1 answers with the address of the bytes.", Form.FLAG)


@dataclass(frozen=True, slots=True)
class Chosen:
    """A picture that a record is to have."""

    asset: Asset
    made: bool
    """The record was made for this, so it goes again when the record cannot have it."""


def operations() -> list[Operation]:
    """Return the operations on pictures."""
    return [operation for name in NAMES for operation in _of(COLLECTIONS[name])]


def _of(collection: Collection) -> list[Operation]:
    one = collection.members.kind.name
    path = f"/api/{collection.name}/{{id}}/avatar"
    chat = (CHAT,) if one == "character" else ()
    return [
        Operation(
            method="GET",
            path=path,
            summary=f"The bytes of a {one}'s current picture.",
            access=collection.reading,
            handle=partial(show, collection),
            parameters=(*chat, REDIRECT),
            unknown=Strictness.IGNORE,  # whoever embeds a picture may add a parameter against caches
            answers=(
                (200, "The bytes."),
                (206, "The ranges asked for."),
                (304, "The caller's copy is current."),
                (307, "Where the bytes are."),
            ),
        ),
        Operation(
            method="PUT",
            path=path,
            summary=f"Give a {one} a picture: the body is the file, or JSON that names `sha256` or `assetId`.",
            access=collection.writing,
            stream=partial(put, collection),
            parameters=(*chat, FILENAME),
            takes="PictureNamed",
            gives=name_of(collection.members),
        ),
        Operation(
            method="DELETE",
            path=path,
            summary=f"Take a {one}'s picture away.",
            access=collection.writing,
            handle=partial(remove, collection),
            parameters=chat,
            answers=((204, "It has none."),),
        ),
    ]


def show(collection: Collection, call: Call) -> Response:
    """Answer with the bytes of a picture, or where they are."""
    found = _current(call, of_call(collection, call))
    if found is None:
        raise NotFoundError(f"This {collection.members.kind.name} has no picture.", object=call.id())
    if call.arguments.flag(REDIRECT.name):
        url = blob_url(found.sha256, found.media_type, base=call.service.base)
        return Response(None, http.HTTPStatus.TEMPORARY_REDIRECT, {"Location": url, "Cache-Control": "no-store"})
    digest = Digest(found.sha256)
    stored = call.store.assets.find(digest)
    payload = Payload(
        size=stored.size,
        media_type=stored.media.type,
        etag=digest,
        open=partial(call.store.assets.open, digest),
        filename=f"{digest}.{stored.media.extension}",
        inline=stored.media.inline,
        public=False,
        cache="no-cache",
    )
    return payload_answer(call.request.headers, payload)


async def put(collection: Collection, call: Call) -> Response:
    """Give a record a picture."""
    expected = await in_thread(partial(_expected, collection, call))
    sent = call.request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if sent in JSON_TYPES:
        body = await read_body(call.request, call.service.settings.max_json_bytes, JSON_TYPES)
        return await in_thread(partial(_put_named, collection, call, body, expected))
    received = await receive_raw(call.request, call.service.settings.max_upload_bytes, call.store.assets.receive)
    try:
        return await in_thread(partial(_put_bytes, collection, call, received, expected))
    finally:
        received.kept.discard()


def remove(collection: Collection, call: Call) -> Response:
    """Take a record's picture away, and the picture's own record if it was made for this and nothing else has it."""
    expected = _expected(collection, call)
    entity = of_call(collection, call)
    previous = _current(call, entity)
    _set(collection, call, None, expected)
    _forget(call, entity, previous)
    return Response(None, http.HTTPStatus.NO_CONTENT, {"Cache-Control": "no-store"})


def _put_bytes(collection: Collection, call: Call, received: RawFile[Staged], expected: str | None) -> Response:
    entity = of_call(collection, call)
    upload = Upload(
        user_id=_owner(entity),
        filename=received.filename or DEFAULT_NAME,
        type="avatar",
        links={"characterId": entity.id} if isinstance(entity, Character) else {},
        extra={"_madeForAvatar": True},
        declared_type=received.declared_type or None,
        expected=received.expected,
    )
    stored = call.store.assets.store(received.kept, upload)
    call.service.metrics.stored(stored)
    return _put(collection, call, Chosen(stored.asset, made=not stored.duplicate), expected)


def _put_named(collection: Collection, call: Call, body: bytes, expected: str | None) -> Response:
    named = parse_object(body)
    (name, value) = next(iter(named.items()), ("", None))
    if len(named) != 1 or name not in {"sha256", "assetId"} or not isinstance(value, str):
        raise InvalidError("Send the file itself, or JSON with either `sha256` or `assetId`.", field=name[:80])
    owner, images = _owner(of_call(collection, call)), call.store.assets.images
    if name == "sha256":
        asset = next(iter(images.find_by_sha256(parse_digest(value), owner=owner)), None)
    else:
        asset = images.find_by_id(value, owner=owner)
    if asset is None:
        raise InvalidError(f"There is no asset with this {name}. Upload it first.", field=name)
    return _put(collection, call, Chosen(asset, made=False), expected)


def _put(collection: Collection, call: Call, chosen: Chosen, expected: str | None) -> Response:
    entity = of_call(collection, call)
    previous = _current(call, entity)
    try:
        after = _set(collection, call, chosen.asset, expected)
    except CalotypeError:
        if chosen.made:
            with suppress(CalotypeError):  # the first error is the one to tell
                call.store.assets.forget(chosen.asset.id)
        raise
    if previous is None or previous.sha256 != chosen.asset.sha256 or previous.asset_id != chosen.asset.id:
        _forget(call, entity, previous)
    return written(collection, call, after)


def _set(collection: Collection, call: Call, asset: Asset | None, expected: str | None) -> Entity:
    records, key, owner = call.store.records, call.id(), call.owner
    chat = _chat(call)
    if chat is not None and asset is not None:
        return records.characters.set_avatar_override(key, chat, asset.id, owner=owner)
    if chat is not None:
        return records.characters.clear_avatar_override(key, chat, owner=owner)
    repository: Any = collection.repository(records)
    if isinstance(repository, Pictured):
        if asset is None:
            return cast("Entity", repository.clear_avatar(key, owner=owner, if_match=expected))
        return cast("Entity", repository.set_avatar(key, asset_id=asset.id, owner=owner, if_match=expected))
    image = None if asset is None else blob_url(asset.sha256, asset.mime_type)
    return records.users.edit(key, lambda user: user.replaced(image=image), if_match=expected, owner=owner)


def _current(call: Call, entity: Entity) -> Picture | None:
    avatars, chat = Avatars(call.store.documents, call.service.base), _chat(call)
    look = avatars.look(entity)
    if chat is not None and isinstance(entity, Character):
        look = avatars.override(entity, chat) or (look if call.request.method in {"GET", "HEAD"} else Look())
    return avatars.find([look])[0]


def _forget(call: Call, entity: Entity, previous: Picture | None) -> None:
    """Delete the record of a picture that nobody has any more, if it was made here."""
    if previous is None:
        return
    images = call.store.assets.images
    if previous.asset_id is not None:
        found = [images.find_by_id(previous.asset_id)]
    else:
        found = list(images.find_by_sha256(Digest(previous.sha256), owner=_owner(entity)))
    for asset in found:
        if asset is not None and asset.made_for_avatar:
            with suppress(ConflictError, NotFoundError):  # something else refers to it, so it stays
                call.store.assets.forget(asset.id)


def _expected(collection: Collection, call: Call) -> str | None:
    return call.expected(of_call(collection, call).version)


def _chat(call: Call) -> str | None:
    return call.arguments.text(CHAT.name)


def _owner(entity: Entity) -> str:
    return str(getattr(entity, "user_id", None) or getattr(entity, "id", ""))
