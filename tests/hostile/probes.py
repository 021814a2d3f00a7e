"""Raw requests that no well-behaved client can send, as data: a name, the bytes, the statuses that are right.

`CLOSED` stands for an end of the connection without an answer. `{token}` in the bytes is replaced by an access token.
"""

from __future__ import annotations

from dataclasses import dataclass

CLOSED = 0
END = b"\r\n\r\n"
HOST = b"Host: localhost\r\n"
SIGNED = HOST + b"Authorization: Bearer {token}\r\n"
FORM = b"Content-Type: multipart/form-data; boundary=b\r\n"
ABSENT = b"0" * 64


@dataclass(frozen=True, slots=True)
class Probe:
    """One thing to send.

    Attributes:
        name: for people.
        data: the bytes.
        right: statuses.
        half: close the sending side behind the bytes: nothing more will come.
    """

    name: str
    data: bytes
    right: frozenset[int]
    half: bool = False


def _probe(name: str, data: bytes, *right: int, half: bool = False) -> Probe:
    return Probe(name, data, frozenset(right), half)


def _get(name: str, *right: int, target: bytes = b"/healthz", fields: bytes = HOST, version: bytes = b"1.1") -> Probe:
    return _probe(name, b"GET " + target + b" HTTP/" + version + b"\r\n" + fields + b"\r\n", *right)


def _post(name: str, fields: bytes, body: bytes, *right: int, half: bool = False) -> Probe:
    return _probe(name, b"POST /api/assets HTTP/1.1\r\n" + SIGNED + fields + b"\r\n" + body, *right, half=half)


def _form(name: str, body: bytes, *right: int, media: bytes = FORM) -> Probe:
    return _post(name, media + b"Content-Length: %d\r\n" % len(body), body, *right)


def part(name: bytes = b"file", filename: bytes | None = b"a.txt", data: bytes = b"words", more: bytes = b"") -> bytes:
    """Return one part of a form with the boundary b, without the end of the form."""
    file = b"" if filename is None else b'; filename="' + filename + b'"'
    return b'--b\r\nContent-Disposition: form-data; name="' + name + b'"' + file + more + END + data + b"\r\n"


CLOSING = b"--b--\r\n"
_RANGES = b",".join(b"%d-%d" % (at, at) for at in range(0, 8000, 2))[:30_000]

HEADS = [
    _get("no Host", 400, fields=b""),
    _get("no Host in HTTP/1.0", 400, fields=b"", version=b"1.0"),
    _get("two Hosts", 400, fields=b"Host: localhost\r\nHost: evil.example\r\n"),
    _get("two equal Hosts", 400, fields=HOST + HOST),
    _get("a Host that is none", 400, fields=b"Host: e/..@x\r\n"),
    _get("a Host with a list", 400, fields=b"Host: localhost, evil.example\r\n"),
    _get("a Host with a wild port", 400, fields=b"Host: localhost:99999\r\n"),
    _get("an empty Host", 400, fields=b"Host:\r\n"),
    _get("one header of 200 kB", 431, fields=HOST + b"X: " + b"a" * 200_000 + b"\r\n"),
    _get("5,000 headers", 431, fields=HOST + b"".join(b"X%d: a\r\n" % at for at in range(5000))),
    _get("101 headers", 431, fields=HOST + b"X: a\r\n" * 100),
    _get("100 headers", 200, fields=HOST + b"X: a\r\n" * 99),
    _probe("200 kB of a header without an end", b"GET / HTTP/1.1\r\n" + HOST + b"X: " + b"a" * 200_000, 431),
    _probe("headers without an end", b"GET / HTTP/1.1\r\n" + HOST + b"X: a\r\n" * 8000, 431),
    _get("a target of 100 kB", 414, target=b"/" + b"a" * 100_000),
    _get("a target of 8 KiB and one", 414, target=b"/" + b"a" * 8192),
    _probe("100 kB of a target without an end", b"GET /" + b"a" * 100_000, 414),
    _get("a query of 100 kB", 414, target=b"/healthz?" + b"a" * 100_000),
    _get("a blank before the colon", 400, fields=HOST + b"X : a\r\n"),
    _get("a folded header", 400, fields=HOST + b"X: a\r\n b\r\n"),
    _get("a header that begins with a blank", 400, fields=b" " + HOST),
    _get("a header without a name", 400, fields=HOST + b": a\r\n"),
    _get("a header without a colon", 400, fields=HOST + b"Nonsense\r\n"),
    _get("NUL in a header", 400, fields=HOST + b"X: a\x00b\r\n"),
    _get("a bare CR in a header", 400, fields=HOST + b"X: a\rb\r\n"),
    _probe("bare line feeds", b"GET /healthz HTTP/1.1\nHost: localhost\n\n", 400),
    _get("HTTP/0.9 in words", 400, version=b"0.9"),
    _get("HTTP/2.0 in words", 400, version=b"2.0"),
    _get("HTTP/1.2", 400, version=b"1.2"),
    _probe("no version", b"GET /healthz" + END, 400),
    _probe("HTTP/2's preface", b"PRI * HTTP/2.0" + END + b"SM" + END, 400),
    _probe("a TLS hello", bytes.fromhex("16030100050100000100"), 400),
    _probe("an unknown method", b"BREW /healthz HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    _probe("a method in lower case", b"get /healthz HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    _probe("TRACE", b"TRACE /healthz HTTP/1.1\r\n" + HOST + b"\r\n", 405),
    _probe("CONNECT", b"CONNECT evil.example:443 HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    _probe("OPTIONS *", b"OPTIONS * HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    _get("an absolute target elsewhere", 400, target=b"http://evil.example/healthz"),
    _get("an absolute target here", 200, target=b"http://localhost/healthz"),
    _get("a target with a fragment", 200, 400, target=b"/healthz#x"),
    _get("a target beyond ASCII", 400, 404, target=b"/\xc3\xa9"),
    _get("a blank in the target", 400, target=b"/a b"),
    _get("an upgrade to WebSocket", 200, fields=HOST + b"Connection: Upgrade\r\nUpgrade: websocket\r\n"),
    _get("an upgrade to HTTP/2", 200, fields=HOST + b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"),
]

PATHS = [
    _get("dots in percent", 404, target=b"/%2e%2e/%2e%2e/etc/passwd"),
    _get("dots", 404, target=b"/../../etc/passwd"),
    _get("dots behind blobs", 404, target=b"/blobs/../../etc/passwd"),
    _get("a slash in percent", 404, target=b"/blobs/..%2f..%2fetc%2fpasswd"),
    _get("NUL", 404, target=b"/blobs/" + ABSENT + b"%00.png"),
    _get("overlong UTF-8", 404, target=b"/%c0%ae%c0%ae/"),
    _get("half a percent", 404, target=b"/%"),
    _get("a line break", 404, target=b"/a%0d%0aX-Evil:%201"),
    _get("a hash in upper case", 404, target=b"/blobs/" + b"A" * 64),
    _get("two slashes", 404, target=b"//evil.example/%2e%2e"),
    _get("10,000 ranges", 404, target=b"/blobs/" + ABSENT, fields=HOST + b"Range: bytes=" + _RANGES + b"\r\n"),
    _get("a reversed range", 404, target=b"/blobs/" + ABSENT, fields=HOST + b"Range: bytes=5-1\r\n"),
]

_CHUNKED = b"Transfer-Encoding: chunked\r\n"
BODIES = [
    _post("a length beside chunks", b"Content-Length: 4\r\n" + _CHUNKED, b"0" + END, 400),
    _post("chunks beside a length", _CHUNKED + b"Content-Length: 4\r\n", b"0" + END, 400),
    _post("two lengths", b"Content-Length: 4\r\nContent-Length: 5\r\n", b"abcd", 400),
    _post("two equal lengths", b"Content-Length: 4\r\nContent-Length: 4\r\n", b"abcd", 201, 400),
    _post("a list of lengths", b"Content-Length: 4, 4\r\n", b"abcd", 400),
    _post("a length below zero", b"Content-Length: -4\r\n", b"abcd", 400),
    _post("a length with a sign", b"Content-Length: +4\r\n", b"abcd", 400),
    _post("a length in hex", b"Content-Length: 0x4\r\n", b"abcd", 400),
    _post("a length beyond 64 bits", b"Content-Length: 99999999999999999999\r\n", b"", 400),
    _post("a length of 10^15", b"Content-Length: 1000000000000000\r\n", b"", 413),
    _post("a form of 10^15", FORM + b"Content-Length: 1000000000000000\r\n", b"", 413),
    _post("a body shorter than its length", b"Content-Length: 10\r\n", b"short", CLOSED, half=True),
    _post("a body longer than its length", b"Content-Length: 4\r\n", b"words beyond the end", 201, 400),
    _post("an unknown coding", b"Transfer-Encoding: gzip, chunked\r\n", b"0" + END, 400),
    _post("two codings", _CHUNKED + _CHUNKED, b"0" + END, 400),
    _post("a coding that is not the last", b"Transfer-Encoding: chunked, gzip\r\n", b"0" + END, 400),
    _post("a coding with a vertical tab", b"Transfer-Encoding: \x0bchunked\r\n", b"0" + END, 400),
    _post("a chunk of 2^72 bytes", _CHUNKED, b"ffffffffffffffffff\r\n", 400),
    _post("a chunk below zero", _CHUNKED, b"-1\r\nabc\r\n0" + END, 400),
    _post("a chunk longer than it says", _CHUNKED, b"2\r\nabc\r\n0" + END, 400),
    _post("chunks with bare line feeds", _CHUNKED, b"3\nabc\n0\n\n", 400),
    _post("a chunk's endless extension", _CHUNKED, b"1;" + b"x" * 200_000, 400),
    _post("endless trailers", _CHUNKED, b"1\r\na\r\n0\r\n" + b"X: y\r\n" * 40_000, 400),
    _post(
        "trailers that would be headers", _CHUNKED, b"1\r\na\r\n0\r\nAuthorization: Bearer x\r\nHost: y" + END, 201, 200
    ),
    _probe("chunks in HTTP/1.0", b"POST /api/assets HTTP/1.0\r\n" + SIGNED + _CHUNKED + b"\r\n0" + END, 400),
    _post("a compressed body", b"Content-Encoding: gzip\r\nContent-Length: 4\r\n", b"abcd", 415),
]

FORMS = [
    _form("an empty boundary", b"abcd", 422, media=b"Content-Type: multipart/form-data; boundary=\r\n"),
    _form("no boundary", b"abcd", 422, media=b"Content-Type: multipart/form-data\r\n"),
    _form(
        "a boundary of 71", b"abcd", 422, media=b"Content-Type: multipart/form-data; boundary=" + b"b" * 71 + b"\r\n"
    ),
    _form("no closing boundary", part(), 422),
    _form("half a closing boundary", part() + b"--b-", 422),
    _form(
        "the end of a part's header missing", b'--b\r\nContent-Disposition: form-data; name="file"; filename="a', 422
    ),
    _form("nothing but the end", CLOSING, 422),
    _form("an empty form", b"", 422),
    _form("no name", b"--b\r\nContent-Disposition: form-data" + END + b"x\r\n" + CLOSING, 422),
    _form("no disposition", b"--b\r\nContent-Type: text/plain" + END + b"x\r\n" + CLOSING, 422),
    _form("2,000 parts", part(b"tags", None, b"x") * 2000 + CLOSING, 413),
    _form("a header of 1 MB", b"--b\r\nX: " + b"a" * 1_000_000 + END + b"x\r\n" + CLOSING, 422),
    _form("17 headers", part(more=b"".join(b"\r\nX%d: y" % at for at in range(17))) + CLOSING, 422),
    _form("5 MB of CR before the first part", b"\r" * 5_000_000 + part() + CLOSING, 201, 200, 422),
    _form("a text of 300 kB", part(b"source", None, b"x" * 300_000) + part() + CLOSING, 413),
    _form("an unknown part", part(b"evil") + CLOSING, 422),
    _form("a name that climbs", part(filename=b"../../../etc/passwd") + CLOSING, 201, 200),
    _form("a name with a line break", part(filename=b"a%0d%0aX-Evil: 1") + CLOSING, 201, 200),
    _form("a name with NUL", part(filename=b"a\x00b") + CLOSING, 201, 200, 422),
    _form("words behind the end", part() + CLOSING + b"words", 201, 200, 422),
    _form("a closed form twice", (part() + CLOSING) * 2, 201, 200, 422),
]

PROBES = [*HEADS, *PATHS, *BODIES, *FORMS]
