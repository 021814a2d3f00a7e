"""The rest of a request behind its head."""

from __future__ import annotations

import httptools
import pytest

from server.upgrade import behind_head


class Notes:
    """Takes notes of a body."""

    def __init__(self) -> None:
        self.body = b""
        self.ends = 0

    def on_body(self, body: bytes) -> None:
        """Keep a piece."""
        self.body += body

    def on_message_complete(self) -> None:
        """Count the end."""
        self.ends += 1


def test_a_head_without_a_body_is_over_at_once() -> None:
    notes = Notes()
    behind_head(notes, [(b"host", b"x"), (b"upgrade", b"h2c"), (b"connection", b"upgrade")])
    assert (notes.body, notes.ends) == (b"", 1)


@pytest.mark.parametrize(
    ("field", "data"),
    [((b"content-length", b"5"), b"hello"), ((b"transfer-encoding", b"chunked"), b"2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n")],
)
def test_a_body_comes_once_and_nothing_behind_it(field: tuple[bytes, bytes], data: bytes) -> None:
    notes = Notes()
    parser = behind_head(notes, [(b"upgrade", b"h2c"), field])
    assert notes.ends == 0
    for byte in data:
        parser.feed_data(bytes([byte]))
    assert (notes.body, notes.ends) == (b"hello", 1)
    parser.feed_data(b"POST / HTTP/1.1\r\nContent-Length: 4\r\n\r\nmore")
    assert (notes.body, notes.ends) == (b"hello", 1)


def test_two_lengths_are_none() -> None:
    with pytest.raises(httptools.HttpParserError):
        behind_head(Notes(), [(b"content-length", b"5"), (b"transfer-encoding", b"chunked")])
