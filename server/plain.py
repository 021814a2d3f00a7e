"""Which requests are plain: one `GET` or `HEAD` of public bytes, in one piece, without anything that needs thought.

What is not recognised here is not refused, it only goes the ordinary way.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

MOST_HEAD: Final = 4096
"""Bytes of a request's head; longer ones are not plain."""

_BEGINNINGS = frozenset({b"GET /", b"HEAD "})
_LINE = re.compile(rb"(GET|HEAD) ([!-~]+) HTTP/1\.1")
_TARGET = re.compile(rb"/(?:blobs|avatars)/([0-9a-f]{2})[0-9a-f]{62}(?![0-9a-f])[!-~]*")
_FIELD = re.compile(rb"([A-Za-z-]+):[ \t]*([ -~]*?)[ \t]*")
_RANGE = re.compile(rb"bytes=(?:[0-9]{1,18}-[0-9]{0,18}|-[0-9]{1,18})")
_KEYED = (b"host", b"accept", b"if-none-match", b"if-range", b"range", b"origin")
"""The header fields that an answer may depend on."""
_IGNORED = frozenset(
    {
        b"accept-encoding",  # bytes go out as they are
        b"accept-language",
        b"cache-control",
        b"dnt",
        b"pragma",
        b"priority",
        b"referer",
        b"sec-ch-ua",
        b"sec-ch-ua-mobile",
        b"sec-ch-ua-platform",
        b"sec-fetch-dest",
        b"sec-fetch-mode",
        b"sec-fetch-site",
        b"sec-fetch-storage-access",
        b"sec-fetch-user",
        b"sec-gpc",
        b"upgrade-insecure-requests",
        b"user-agent",
    }
)
"""Those that no answer depends on."""


class Plain(NamedTuple):
    """A plain request: all that its answer may depend on.

    Attributes:
        line: the request line.
        first_byte: of the digest in it.
        fields: the values of the header fields that count, each None where it is missing.
    """

    line: bytes
    first_byte: int
    fields: tuple[bytes | None, ...]


def plain(head: bytes, prefix: bytes = b"") -> Plain | None:
    """Return what a piece of a connection is if it is one plain request, and nothing besides.

    Args:
        head: the bytes.
        prefix: what may stand before the service's own paths.
    """
    if len(head) > MOST_HEAD or head[:5] not in _BEGINNINGS or not head.endswith(b"\r\n\r\n"):
        return None
    line, *fields = head[:-4].split(b"\r\n")
    asked = _LINE.fullmatch(line)
    target = None if asked is None else _TARGET.fullmatch(asked[2].removeprefix(prefix))
    found = None if target is None else _counting(fields)
    if target is None or found is None:
        return None
    return Plain(line, int(target[1], 16), tuple(found.get(name) for name in _KEYED))


def _counting(fields: list[bytes]) -> dict[bytes, bytes] | None:
    """Return the values of the fields that count; None when a field asks for thought."""
    found: dict[bytes, bytes] = {}
    for each in fields:
        match = _FIELD.fullmatch(each)
        if match is None:
            return None
        name, value = match[1].lower(), match[2]
        if name in _KEYED:
            if name in found:
                return None
            found[name] = value
        elif name == b"connection":
            if value.lower() != b"keep-alive":
                return None
        elif name not in _IGNORED:
            return None
    sound = b"host" in found and (b"range" not in found or _RANGE.fullmatch(found[b"range"]))
    return found if sound else None
