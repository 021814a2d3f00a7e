"""Damaged forms, made the same way every time from a number."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

BOUNDARY = b"b0undary"
MEDIA = f"multipart/form-data; boundary={BOUNDARY.decode()}"
CLOSING = b"--" + BOUNDARY + b"--"
_MARKS = (b"\r\n", b"--", BOUNDARY, b'"', b";", b":", b"=", b"name", b"file", b"Content-Disposition", b"form-data")
_INSERTED = (
    b"\x00",
    b"\r",
    b"\n",
    b"\r\n",
    b"\r\n\r\n",
    b"--",
    b'"',
    b"\\",
    b"\xff\xfe",
    b"%0d%0a",
    b"\r\n--" + BOUNDARY,
)


def form(number: int) -> bytes:
    """Return a sound form; its files differ with the number."""
    content = random.Random(number).randbytes(number % 5000)  # noqa: S311 - the same every time is the point
    parts = [
        (b'name="file"; filename="a.bin"', b"application/octet-stream", content + b"%d" % number),
        (b'name="source"', b"", b"upload"),
        (
            b'name="file"; filename="b\xc3\xa9.txt"',
            b"text/plain",
            b"line\r\n-- not the end\r\n--b0undar" * (number % 3),
        ),
    ]
    body = b""
    for disposition, media, data in parts[: 1 + number % 3]:
        kind = b"\r\nContent-Type: " + media if media else b""
        body += (
            b"--"
            + BOUNDARY
            + b"\r\nContent-Disposition: form-data; "
            + disposition
            + kind
            + b"\r\n\r\n"
            + data
            + b"\r\n"
        )
    return body + CLOSING + b"\r\n"


def damaged(number: int) -> bytes:
    """Return a form with one or two kinds of damage."""
    chance = random.Random(number)  # noqa: S311 - the same every time is the point
    body = form(number)
    for _ in range(1 + number % 2):
        body = chance.choice(_KINDS)(body, chance)
    return body


def _cut(body: bytes, chance: random.Random) -> bytes:
    return body[: chance.randrange(len(body) + 1)]


def _without_its_end(body: bytes, chance: random.Random) -> bytes:
    del chance
    return body[: body.rfind(CLOSING)] if CLOSING in body else body


def _flipped(body: bytes, chance: random.Random) -> bytes:
    if not body:
        return body
    at = chance.randrange(len(body))
    return body[:at] + bytes([body[at] ^ 1 << chance.randrange(8)]) + body[at + 1 :]


def _without_a_mark(body: bytes, chance: random.Random) -> bytes:
    return _at_a_mark(body, chance, lambda mark: mark[:0])


def _with_a_mark_twice(body: bytes, chance: random.Random) -> bytes:
    return _at_a_mark(body, chance, lambda mark: mark + mark)


def _at_a_mark(body: bytes, chance: random.Random, change: Callable[[bytes], bytes]) -> bytes:
    mark = chance.choice(_MARKS)
    count = body.count(mark)
    if not count:
        return body
    pieces = body.split(mark)
    at = 1 + chance.randrange(count)
    return mark.join(pieces[:at]) + change(mark) + mark.join(pieces[at:])


def _inserted(body: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(body) + 1)
    return body[:at] + chance.choice(_INSERTED) * chance.choice((1, 1, 2, 1000)) + body[at:]


def _line_feeds(body: bytes, chance: random.Random) -> bytes:
    del chance
    return body.replace(b"\r\n", b"\n")


def _shuffled(body: bytes, chance: random.Random) -> bytes:
    parts = body.split(b"--" + BOUNDARY)
    chance.shuffle(parts)
    return (b"--" + BOUNDARY).join(parts)


def _doubled(body: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(body) + 1)
    return body[:at] + body


_KINDS: tuple[Callable[[bytes, random.Random], bytes], ...] = (
    _cut,
    _cut,
    _without_its_end,
    _flipped,
    _flipped,
    _without_a_mark,
    _with_a_mark_twice,
    _inserted,
    _line_feeds,
    _shuffled,
    _doubled,
)
