"""A request that asks for another protocol, which is not spoken here: its body is HTTP/1.1 all the same.

httptools takes whatever stands behind such a head for the other protocol. A server may ignore the wish (RFC 9110,
section 7.8) and then has to read the body: Java's own client asks for HTTP/2 in its first request to a server, uploads
included.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import httptools

if TYPE_CHECKING:
    from collections.abc import Iterable

_FRAMING = frozenset({b"content-length", b"transfer-encoding"})


class Reader(Protocol):
    """Who takes a body."""

    def on_body(self, body: bytes) -> None:
        """Take a piece."""

    def on_message_complete(self) -> None:
        """Take the end."""


class _Rest:
    """Hands one body on, and nothing that stands behind it."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._over = False

    def on_body(self, body: bytes) -> None:
        if not self._over:
            self._reader.on_body(body)

    def on_message_complete(self) -> None:
        if not self._over:
            self._over = True
            self._reader.on_message_complete()


def behind_head(reader: Reader, fields: Iterable[tuple[bytes, bytes]]) -> httptools.HttpRequestParser:
    """Return a parser that stands behind a head and waits for the body it speaks of.

    Args:
        reader: takes the body; its end at once when there is none.
        fields: of the head, with names in lower case.

    Raises:
        httptools.HttpParserError: the fields say two lengths.
    """
    parser = httptools.HttpRequestParser(_Rest(reader))
    lines = [name + b": " + value for name, value in fields if name in _FRAMING]
    parser.feed_data(b"\r\n".join([b"POST / HTTP/1.1", *lines, b"", b""]))
    return parser
