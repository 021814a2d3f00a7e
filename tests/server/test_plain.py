"""Which requests are plain."""

from __future__ import annotations

import pytest

from server.plain import MOST_HEAD, Plain, plain

HASH = b"3f" + b"0" * 62
BROWSER = (
    b'Host: 127.0.0.1:8256\r\nConnection: keep-alive\r\nsec-ch-ua: "Chromium";v="140"\r\nUser-Agent: Mozilla/5.0\r\n'
    b"Accept: image/avif,image/webp,*/*;q=0.8\r\nSec-Fetch-Site: same-origin\r\nSec-Fetch-Mode: no-cors\r\n"
    b"Sec-Fetch-Dest: image\r\nReferer: http://127.0.0.1:8256/\r\nAccept-Encoding: gzip, br\r\nAccept-Language: en"
)


def request(line: bytes = b"GET /blobs/" + HASH + b".png HTTP/1.1", fields: bytes = b"Host: x") -> bytes:
    return line + b"\r\n" + fields + b"\r\n\r\n"


@pytest.mark.parametrize(
    "line",
    [
        b"GET /blobs/" + HASH + b" HTTP/1.1",
        b"HEAD /blobs/" + HASH + b".png HTTP/1.1",
        b"GET /blobs/" + HASH + b"/256x256-cover.webp HTTP/1.1",
        b"GET /avatars/" + HASH + b"?s=96&d=identicon HTTP/1.1",
    ],
)
def test_bytes_by_their_hash_are_plain(line: bytes) -> None:
    assert plain(request(line)) == Plain(line, 0x3F, (b"x", None, None, None, None, None))


def test_what_a_browser_sends_is_plain() -> None:
    found = plain(request(fields=BROWSER))
    assert found is not None
    assert found.fields == (b"127.0.0.1:8256", b"image/avif,image/webp,*/*;q=0.8", None, None, None, None)


def test_fields_that_count_are_told_apart_and_others_are_not() -> None:
    first = plain(request(fields=b'Host: x\r\nIf-None-Match: "a"\r\nUser-Agent: one'))
    assert first == plain(request(fields=b'user-agent: two\r\nIF-NONE-MATCH:"a" \r\nhost:\tx'))
    assert first != plain(request(fields=b'Host: x\r\nIf-None-Match: "b"'))


@pytest.mark.parametrize(
    "head",
    [
        request()[:-2],
        request() + b"GET / HTTP/1.1",
        request() * 2,
        b"\r\n" + request(),
        request(b"POST /blobs/" + HASH + b" HTTP/1.1"),
        request(b"GET /blobs/" + HASH + b" HTTP/1.0"),
        request(b"GET  /blobs/" + HASH + b" HTTP/1.1"),
        request(b"GET /blobs/" + HASH + b"0 HTTP/1.1"),
        request(b"GET /blobs/" + HASH.upper() + b" HTTP/1.1"),
        request(b"GET /blobs/" + HASH[:-1] + b" HTTP/1.1"),
        request(b"GET http://x/blobs/" + HASH + b" HTTP/1.1"),
        request(b"GET /blobs/" + HASH + b"\x80 HTTP/1.1"),
        request(b"GET /api/assets HTTP/1.1"),
        request(b"GET / HTTP/1.1"),
        request(fields=b"User-Agent: no host"),
        request(fields=b"Host: x\r\nHost: x"),
        request(fields=b"Host: x\r\nAccept: a\r\nAccept: b"),
        request(fields=b"Host: x\r\nAuthorization: Bearer t"),
        request(fields=b"Host: x\r\nCookie: a=b"),
        request(fields=b"Host: x\r\nX-Forwarded-For: 1.2.3.4"),
        request(fields=b"Host: x\r\nX-Request-Id: abcdefgh"),
        request(fields=b"Host: x\r\nConnection: close"),
        request(fields=b"Host: x\r\nContent-Length: 0"),
        request(fields=b"Host: x\r\nTransfer-Encoding: chunked"),
        request(fields=b"Host: x\r\nExpect: 100-continue"),
        request(fields=b"Host: x\r\nUpgrade: websocket"),
        request(fields=b"Host: x\r\nRange: bytes=0-1,3-4"),
        request(fields=b"Host: x\r\nRange: lines=1-2"),
        request(fields=b"Host: x\r\nRange: bytes=-"),
        request(fields=b"Host : x"),
        request(fields=b" Host: x"),
        request(fields=b"Host: x\r\n folded"),
        request(fields=b"Host: x\nAccept: a"),
        request(fields=b"Host: x\r\nUser-Agent: \x00"),
        request(fields=b"Host: x\r\nUser-Agent: \xe9"),
        request(fields=b"Host: x\r\nUser-Agent: " + b"a" * MOST_HEAD),
    ],
)
def test_anything_else_is_not(head: bytes) -> None:
    assert plain(head) is None


@pytest.mark.parametrize("value", [b"bytes=0-", b"bytes=5-9", b"bytes=-7"])
def test_one_range_is_plain(value: bytes) -> None:
    found = plain(request(fields=b"Host: x\r\nRange: " + value))
    assert found is not None
    assert found.fields[4] == value


def test_a_prefix_may_stand_before_the_path_or_not() -> None:
    behind = request(b"GET /pics/blobs/" + HASH + b" HTTP/1.1")
    assert plain(behind) is None
    assert plain(behind, b"/pics") is not None
    assert plain(request(), b"/pics") is not None
