"""Derived pictures by the original's hash: `GET|HEAD /blobs/{sha256}/{variant}[.{ext}]`."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, BinaryIO

from metadata.errors import BusyError, NotFoundError

from ..calls import Access, Operation, Strictness
from ..negotiation import Nature, form_named, negotiate
from ..payloads import FOREVER, Payload, payload_answer
from ..threads import in_thread
from .addresses import check_seen, named

if TYPE_CHECKING:
    from starlette.responses import Response

    from assets.digest import Digest
    from assets.images.derivatives import Derivatives, Derived
    from assets.images.variants import Format, Variant

    from ..calls import Call

NEGOTIATED = "max-age=86400"
"""How long an answer is kept that another `Accept` would have made another one."""


HURRIED = "max-age=60"
"""How long the first frame of an animation is kept for which there was no time: there may be more in a while."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A derived picture that is asked for.

    Attributes:
        digest: the original.
        variant: the extent.
        form: the format.
        negotiated: the format was chosen by `Accept`.
    """

    digest: Digest
    variant: Variant
    form: Format
    negotiated: bool


def operations() -> list[Operation]:
    """Return the operation on derived pictures."""
    return [
        Operation(
            method="GET",
            path="/blobs/{name}/{variant}",
            summary="A smaller picture of the payload: thumb, card, avatar, full, 256x256-cover, 512x, x512; then"
            " perhaps .jpg, .png, .webp or .avif.",
            access=Access.BYTES,
            stream=serve,
            unknown=Strictness.IGNORE,  # whoever embeds a picture may add a parameter against caches
            answers=((200, "The bytes."), (206, "The ranges asked for."), (304, "The caller's copy is current.")),
        )
    ]


async def serve(call: Call) -> Response:
    """Answer with a derived picture; who asks first waits until it is made."""
    return await picture_answer(call, await in_thread(partial(_wanted, call)))


async def picture_answer(call: Call, wanted: Wanted) -> Response:
    """Answer with a derived picture of a payload that the caller may see."""
    derivatives = call.store.prints.derivatives
    found = await in_thread(partial(derivatives.find, wanted.digest, wanted.variant, wanted.form))
    if found is None:
        make = partial(derivatives.get, wanted.digest, wanted.variant, wanted.form)
        found = await call.service.studio.make(call.request, make)
    return payload_answer(call.request.headers, _payload(call, wanted, found))


def check_there(call: Call, digest: Digest) -> None:
    """Return when a payload is in use and the caller may see it.

    Raises:
        NotFoundError: it is not.
    """
    check_seen(call, digest)
    call.store.assets.find(digest)


def form_of(call: Call, digest: Digest, extension: str | None) -> Format:
    """Return the format that an extension names, or without one the one that the caller likes best.

    Raises:
        InvalidError: it names none.
    """
    if extension is None:
        fact = call.store.records.facts.find_by_id(digest)
        nature = Nature() if fact is None else Nature(bool(fact.alpha), (fact.frames or 1) > 1)
        return negotiate(call.joined("accept"), nature)
    return form_named(extension)


def _wanted(call: Call) -> Wanted:
    digest, decoration = named(call)
    if decoration:
        raise NotFoundError("Before the variant stands the hash alone; the extension comes last.", object=str(digest))
    check_there(call, digest)
    text, dot, extension = call.segment("variant").partition(".")
    variant = call.store.prints.variants.parse(text)
    return Wanted(digest, variant, form_of(call, digest, extension if dot else None), negotiated=not dot)


def _payload(call: Call, wanted: Wanted, found: Derived) -> Payload:
    return Payload(
        size=found.size,
        media_type=found.media_type,
        etag=found.etag,
        open=partial(_open, call.store.prints.derivatives, wanted, found),
        filename=f"{wanted.digest}-{wanted.variant.name}.{wanted.form}",
        inline=True,
        public=not call.service.private,
        cache=_cache(wanted, found),
        vary="Accept" if wanted.negotiated else "",
        path=found.path,
    )


def _cache(wanted: Wanted, found: Derived) -> str:
    if not found.lasting:
        return HURRIED
    return NEGOTIATED if wanted.negotiated else FOREVER


def _open(derivatives: Derivatives, wanted: Wanted, found: Derived, start: int, end: int) -> BinaryIO:
    """Open it; one that had to make room in between is made again, and comes out the same."""
    del end
    try:
        file = found.path.open("rb")
    except FileNotFoundError:
        again = derivatives.get(wanted.digest, wanted.variant, wanted.form)
        if again.etag != found.etag:
            raise BusyError("The picture is another one by now. Try again.") from None
        file = again.path.open("rb")
    file.seek(start)
    return file
