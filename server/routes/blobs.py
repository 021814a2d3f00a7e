"""Payloads by their hash: `GET|HEAD|PUT /blobs/{sha256}[.{ext}]`."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from metadata.errors import ConflictError

from ..calls import Access, Operation, Strictness
from ..digests import expected_digest, repr_digest
from ..payloads import Payload, payload_answer
from ..queries import Form, Parameter
from ..threads import in_thread
from ..uploads import receive_raw
from .addresses import check_seen, named
from .answers import asset_answer
from .receiving import FILENAME, UPLOAD_FIELDS, raw_upload

if TYPE_CHECKING:
    from starlette.responses import Response

    from assets.digest import Digest

    from ..calls import Call

DOWNLOAD = Parameter("download", "1 makes a browser save the file.", Form.FLAG)


def operations() -> list[Operation]:
    """Return the operations on payloads."""
    return [
        Operation(
            method="GET",
            path="/blobs/{name}",
            summary="The payload with this SHA-256, byte for byte as received.",
            access=Access.BYTES,
            handle=serve,
            parameters=(DOWNLOAD,),
            unknown=Strictness.IGNORE,  # whoever embeds a picture may add a parameter against caches
            answers=((200, "The bytes."), (206, "The ranges asked for."), (304, "The caller's copy is current.")),
        ),
        Operation(
            method="PUT",
            path="/blobs/{name}",
            summary="Store the body if it hashes to the address, and make a record of it.",
            access=Access.WRITE,
            stream=put,
            gives="Asset",
            parameters=(FILENAME, *UPLOAD_FIELDS),
            answers=((201, "A new record."), (200, "The caller's record that was there.")),
        ),
    ]


def serve(call: Call) -> Response:
    """Answer with a payload."""
    digest, _ = named(call)  # the extension is decoration: the type is the stored one
    check_seen(call, digest)
    found = call.store.assets.find(digest)
    payload = Payload(
        size=found.size,
        media_type=found.media.type,
        etag=digest,
        open=partial(call.store.assets.open, digest),
        filename=_own_name(call, digest) or found.filename or f"{digest}.{found.media.extension}",
        inline=found.media.inline and not call.arguments.flag(DOWNLOAD.name),
        public=not call.service.private,
        repr_digest=repr_digest(digest),
        path=found.path,
    )
    return payload_answer(call.request.headers, payload)


async def put(call: Call) -> Response:
    """Take a payload in under a hash that is known beforehand."""
    digest, _ = named(call)
    announced = expected_digest((name.lower(), value) for name, value in call.request.headers.items())
    if announced is not None and announced != digest:
        raise ConflictError("The digest in the header is not the address's.", expected=digest, actual=announced)
    library = call.store.assets
    received = await receive_raw(call.request, call.service.settings.max_upload_bytes, library.receive)
    try:
        upload = raw_upload(call, received, digest)
        stored = await in_thread(partial(library.store, received.kept, upload))
    finally:
        received.kept.discard()
    call.service.metrics.stored(stored)
    return asset_answer(call, stored.asset, created=not stored.duplicate, duplicate=stored.duplicate)


def _own_name(call: Call, digest: Digest) -> str | None:
    """Return what the caller calls a payload, where it is private: another's name for it is not theirs to see."""
    if call.caller is None:
        return f"{digest}" if call.service.private else None
    if call.caller.owner is None:
        return None
    mine = call.store.assets.images.find_by_sha256(digest, owner=call.caller.owner)
    return mine[0].filename if mine else f"{digest}"
