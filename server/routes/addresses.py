"""Addresses that begin with a hash: what they name, and whether the caller may know of it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from assets.digest import Digest
from metadata.errors import NotFoundError

if TYPE_CHECKING:
    from ..auth import Caller
    from ..calls import Call

_NAME = re.compile(r"(?P<sha256>[0-9a-f]{64})(?:\.(?P<extension>[A-Za-z0-9]{1,16}))?")


def named(call: Call) -> tuple[Digest, str | None]:
    """Return the hash and the extension (None: none) of the path's `{name}`.

    Raises:
        NotFoundError: it is no hash.
    """
    name = call.segment("name")
    match = _NAME.fullmatch(name)
    if match is None:
        raise NotFoundError(
            f"{name[:80]!r} is not the address of a payload; that is 64 lower-case hex digits.", object=name[:80]
        )
    return Digest(match["sha256"]), match["extension"]


def check_seen(call: Call, digest: Digest) -> None:
    """Return when the caller may know of a payload.

    Raises:
        NotFoundError: no record of theirs names or mentions it.
    """
    if call.caller is not None and not _sees(call, call.caller, digest):
        raise NotFoundError(f"There is no payload {digest}.", object=str(digest))


def _sees(call: Call, caller: Caller, digest: Digest) -> bool:
    if caller.owner is None or call.store.assets.images.names(digest, owner=caller.owner):
        return True
    return bool(call.store.documents.mentions(digest, owner=caller.owner))  # others' would take their time
