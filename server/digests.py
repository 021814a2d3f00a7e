"""Digests a client gives with its bytes: `Repr-Digest` and `Content-Digest` (RFC 9530) and `X-SHA-256`.

RFC 9530 carries digests in a structured field dictionary (RFC 8941, section 3.2) of byte sequences. Other algorithms
are passed over; a `sha-256` that cannot be read is refused, since a client that sends one relies on it.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING

from assets.digest import Digest
from metadata.errors import InvalidError

if TYPE_CHECKING:
    from collections.abc import Iterable

DIGEST_FIELDS = ("repr-digest", "content-digest")
PLAIN_FIELD = "x-sha-256"
_SHA256_BYTES = 32
_ITEM = r'(?::[A-Za-z0-9+/=]*:|"(?:[^"\\]|\\.)*"|\([^()]*\)|[A-Za-z0-9*?.:/!#$%&\'+^_`|~-]+)'
_PARAMETER = rf"(?:;[ ]*[a-z*][a-z0-9_.*-]*(?:={_ITEM})?)*"
_MEMBER = re.compile(rf"(?P<key>[a-z*][a-z0-9_.*-]*)(?:=(?P<value>{_ITEM}))?{_PARAMETER}")
_MAX_FIELD = 4096


def repr_digest(digest: Digest) -> str:
    """Return the Repr-Digest field of bytes with this digest."""
    return f"sha-256=:{digest.base64}:"


def parse_digest_field(name: str, value: str) -> Digest | None:
    """Read the sha-256 of a digest field, or None when it holds only other algorithms.

    Raises:
        InvalidError: the field is not a dictionary, or its sha-256 is not 32 bytes in base64 between colons.
    """
    if len(value) > _MAX_FIELD:
        raise _bad(name)
    found: Digest | None = None
    position = 0
    text = value.strip(" ")
    while position < len(text):
        match = _MEMBER.match(text, position)
        if match is None:
            raise _bad(name)
        if match["key"] == "sha-256":  # the last of several wins, says RFC 8941
            found = _bytes_of(name, match["value"] or "")
        position = _after_comma(name, text, match.end())
    return found


def expected_digest(fields: Iterable[tuple[str, str]]) -> Digest | None:
    """Return the SHA-256 that the header fields of a request or a part announce, or None.

    Args:
        fields: names in lower case and values.

    Raises:
        InvalidError: one of them cannot be read, or two of them differ.
    """
    grouped: dict[str, list[str]] = {}
    for name, value in fields:
        if name in DIGEST_FIELDS or name == PLAIN_FIELD:
            grouped.setdefault(name, []).append(value)
    found: dict[str, Digest] = {}
    for name, values in grouped.items():
        if name == PLAIN_FIELD:
            found |= {f"{name} {place}": _plain(value) for place, value in enumerate(values)}
        elif digest := parse_digest_field(name, ", ".join(values)):
            found[name] = digest
    if len(set(found.values())) > 1:
        raise InvalidError("The request names several different SHA-256 digests for the same bytes.", field="digest")
    return next(iter(found.values()), None)


def _plain(value: str) -> Digest:
    text = value.strip(" \t").lower()
    if not re.fullmatch(r"[0-9a-f]{64}", text):
        raise InvalidError("X-SHA-256 has to be 64 hex digits, such as `sha256sum` prints.", field="X-SHA-256")
    return Digest(text)


def _bytes_of(name: str, value: str) -> Digest:
    if len(value) < len("::") or value[0] != ":" or value[-1] != ":":
        raise _bad(name)
    try:
        raw = base64.b64decode(value[1:-1], validate=True)
    except binascii.Error:
        raise _bad(name) from None
    if len(raw) != _SHA256_BYTES:
        raise _bad(name)
    return Digest(raw.hex())


def _after_comma(name: str, text: str, position: int) -> int:
    rest = text[position:].lstrip(" \t")
    if not rest:
        return len(text)
    after = rest[1:].lstrip(" \t")
    if rest[0] != "," or not after:
        raise _bad(name)
    return len(text) - len(after)


def _bad(name: str) -> InvalidError:
    shown = "-".join(word.capitalize() for word in name.split("-"))
    return InvalidError(f"{shown} has to look like sha-256=:<base64 of the 32 bytes>: (RFC 9530).", field=shown)
