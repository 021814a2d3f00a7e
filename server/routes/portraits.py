"""Square pictures by hash, in the manner of Gravatar: `GET|HEAD /avatars/{sha256}[.{ext}]?s=&d=`."""

from __future__ import annotations

import hashlib
import io
from functools import partial
from typing import TYPE_CHECKING, BinaryIO

from metadata.errors import InvalidError, NotFoundError, UnsupportedError

from ..calls import Access, Operation, Strictness
from ..negotiation import form_named
from ..payloads import Payload, payload_answer
from ..queries import Form, Parameter
from ..standins import StandIn, draw
from ..threads import in_thread
from .addresses import named
from .variants import Wanted, check_there, form_of, picture_answer

if TYPE_CHECKING:
    from starlette.responses import Response

    from assets.digest import Digest

    from ..calls import Call

DEFAULT_SIDE = 96
LARGEST_SIDE = 2048
SIDE = Parameter("s", "Pixels a side, 1 to 2048; 96 unless given. It is rounded up to a size on offer.", Form.NUMBER)
STAND_IN = Parameter(
    "d", "What stands in for a hash that is unknown; 404, which is no picture, unless given.", choices=tuple(StandIn)
)

_FOR_NOW = "max-age=300"
"""How long a stand-in is kept: the picture may come."""

_SVG = "image/svg+xml"


def operations() -> list[Operation]:
    """Return the operation on avatars."""
    return [
        Operation(
            method="GET",
            path="/avatars/{name}",
            summary="A square of the picture with this SHA-256 that keeps the face, or something that stands in.",
            access=Access.BYTES,
            stream=serve,
            parameters=(SIDE, STAND_IN),
            unknown=Strictness.IGNORE,  # whoever embeds a picture may add a parameter against caches
            answers=((200, "The bytes."), (206, "The ranges asked for."), (304, "The caller's copy is current.")),
        )
    ]


async def serve(call: Call) -> Response:
    """Answer with an avatar or its stand-in."""
    digest, extension = named(call)
    kind, side = StandIn(call.arguments.text(STAND_IN.name) or StandIn.ABSENT), _side(call)
    if extension is not None:
        form_named(extension)  # a wrong one is refused, not stood in for
    try:
        return await picture_answer(call, await in_thread(partial(_wanted, call, digest, extension, side)))
    except (NotFoundError, UnsupportedError, InvalidError):
        if kind is StandIn.ABSENT:
            raise
        return payload_answer(call.request.headers, _stand_in(call, kind, digest, side))


def _wanted(call: Call, digest: Digest, extension: str | None, side: int) -> Wanted:
    form = form_of(call, digest, extension)
    check_there(call, digest)
    return Wanted(digest, call.store.prints.variants.square(side), form, negotiated=extension is None)


def _side(call: Call) -> int:
    side = call.arguments.number(SIDE.name)
    if side is None:
        return DEFAULT_SIDE
    if not 1 <= side <= LARGEST_SIDE:
        raise InvalidError(
            f"s is from 1 to {LARGEST_SIDE} pixels.", field=SIDE.name, limit=LARGEST_SIDE, actual=min(side, 1 << 31)
        )
    return side


def _stand_in(call: Call, kind: StandIn, digest: Digest, side: int) -> Payload:
    data = draw(kind, digest, side)
    return Payload(
        size=len(data),
        media_type=_SVG,
        etag=hashlib.sha256(data).hexdigest(),
        open=partial(_open, data),
        filename=f"{digest}.svg",
        inline=True,
        public=not call.service.private,
        cache=_FOR_NOW,
    )


def _open(data: bytes, start: int, end: int) -> BinaryIO:
    return io.BytesIO(data[start:end])
