"""`POST /api/assets/{id}/sign`: an address of a payload that opens without credentials, for a time."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from metadata.errors import InvalidError

from ..bodies import JSON_TYPES
from ..calls import Access, Operation
from ..negotiation import form_named
from ..responses import json_answer
from ..wire import blob_url

if TYPE_CHECKING:
    from starlette.responses import Response

    from assets.images.variants import Variants

    from ..calls import Call


def operations() -> list[Operation]:
    """Return the operation."""
    return [
        Operation(
            method="POST",
            path="/api/assets/{id}/sign",
            summary="An address of the asset's bytes that opens without credentials, for at most 30 days.",
            access=Access.WRITE,  # what it gives away outlives the caller's own token
            handle=sign,
            takes="SignatureWanted",
            gives="Signature",
            media=JSON_TYPES,
        )
    ]


def sign(call: Call) -> Response:
    """Answer with a signed address."""
    body = call.content()
    for name in body:
        if name not in {"expiresIn", "variant"}:
            raise InvalidError(f"A signature has no member {name[:80]!r}.", field=name[:80])
    seconds = body.get("expiresIn")
    if not isinstance(seconds, int) or isinstance(seconds, bool):
        raise InvalidError("expiresIn is how long the address opens, in seconds.", field="expiresIn")
    asset = call.store.assets.images.get(call.id(), owner=call.owner)
    path = _path(call.store.prints.variants, blob_url(asset.sha256, asset.mime_type), asset.sha256, body.get("variant"))
    signed = call.service.signer.sign(path, _span(seconds))
    return json_answer({"url": call.service.base + signed.url, "expiresAt": signed.expires_at})


def _path(variants: Variants, whole: str, sha256: str, variant: object) -> str:
    if variant is None:
        return whole
    if not isinstance(variant, str) or not variant:
        raise InvalidError("variant is the name of a derived picture, such as thumb.webp.", field="variant")
    name, dot, extension = variant.partition(".")
    variants.parse(name)
    if dot:
        form_named(extension)
    return f"/blobs/{sha256}/{variant}"


def _span(seconds: int) -> timedelta:
    try:
        return timedelta(seconds=seconds)
    except OverflowError:
        return timedelta.max if seconds > 0 else timedelta.min
