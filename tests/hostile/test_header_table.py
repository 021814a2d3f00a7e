"""Every kind of answer carries what `docs/security.md` promises of it."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from types import ModuleType

WORDS = b"0123456789"
HASH = hashlib.sha256(WORDS).hexdigest()
PAGE = b"<html><script>alert(1)</script></html>"
PAGE_HASH = hashlib.sha256(PAGE).hexdigest()
BLOB = f"/blobs/{HASH}"
SIGNED = "Authorization: Bearer {token}"
FOREIGN = "Origin: https://evil.example"

KINDS = [
    ("200 of JSON", 200, "GET /api/assets", [SIGNED], b""),
    ("200 of one record", 200, "GET /api/assets/{id}", [SIGNED], b""),
    ("200 of bytes", 200, f"GET {BLOB}", [], b""),
    ("200 to HEAD", 200, f"HEAD {BLOB}", [], b""),
    ("200 of a page someone stored", 200, f"GET /blobs/{PAGE_HASH}.html", [], b""),
    ("200 of our own page", 200, "GET /docs", [], b""),
    ("200 of the description", 200, "GET /openapi.json", [], b""),
    ("200 of counters", 200, "GET /metrics", [SIGNED], b""),
    ("200 of life", 200, "GET /healthz", [], b""),
    ("201", 201, "POST /api/assets", [SIGNED, "Content-Length: 5"], b"other"),
    ("204 of a deletion", 204, "DELETE /api/tokens/{gone}", [SIGNED], b""),
    (
        "204 to a preflight",
        204,
        f"OPTIONS {BLOB}",
        [FOREIGN, "Access-Control-Request-Method: GET"],
        b"",
    ),
    ("206 of one range", 206, f"GET {BLOB}", ["Range: bytes=1-2"], b""),
    ("206 of several", 206, f"GET {BLOB}", ["Range: bytes=1-2,4-5"], b""),
    ("304 of bytes", 304, f"GET {BLOB}", [f'If-None-Match: "{HASH}"'], b""),
    ("304 of a record", 304, "GET /api/assets/{id}", [SIGNED, "If-None-Match: *"], b""),
    ("400 of a Host", 400, "GET /healthz", ["Host: e/vil"], b""),
    ("400 by the parser", 400, "GET /healthz", ["Nonsense"], b""),
    ("401", 401, "GET /api/assets", [], b""),
    ("401 to a foreign page", 401, "GET /api/assets", [FOREIGN], b""),
    ("403 to a foreign page", 403, "POST /api/auth/login", [FOREIGN, "Content-Length: 2"], b"{}"),
    ("403 to a preflight", 403, "OPTIONS /api/assets", [FOREIGN, "Access-Control-Request-Method: GET"], b""),
    ("404 of an address", 404, "GET /nothing", [], b""),
    ("404 of bytes", 404, f"GET /blobs/{'0' * 64}", [], b""),
    ("405", 405, "PATCH /healthz", [], b""),
    ("409", 409, f"PUT /blobs/{'0' * 64}", [SIGNED, "Content-Length: 5"], b"other"),
    ("412", 412, "PATCH /api/assets/{id}", [SIGNED, 'If-Match: "old"', "Content-Length: 2"], b"{}"),
    ("413", 413, "POST /api/assets", [SIGNED, "Content-Length: 999999999999"], b""),
    ("414", 414, "GET /" + "a" * 9000, [], b""),
    ("415", 415, "POST /api/characters", [SIGNED, "Content-Type: text/plain", "Content-Length: 2"], b"{}"),
    ("416", 416, f"GET {BLOB}", ["Range: bytes=99-"], b""),
    ("422", 422, "POST /api/characters", [SIGNED, "Content-Type: application/json", "Content-Length: 2"], b"{}"),
    ("431", 431, "GET /healthz", ["X: a"] * 200, b""),
]


@pytest.fixture(scope="module")
def names(server: Any) -> dict[str, str]:
    """Names of things that the requests are about."""
    with server.client() as client:
        asset = client.post("/api/assets", content=WORDS).json()["id"]
        client.post("/api/assets", content=PAGE)
        gone = client.post("/api/tokens", json={"name": "gone", "scope": "read"}).json()["id"]
    return {"{id}": asset, "{token}": server.token, "{gone}": gone}


def ask(server: Any, wire: ModuleType, names: dict[str, str], line: str, fields: list[str], body: bytes) -> Any:
    own = [] if any(field.startswith("Host:") for field in fields) else ["Host: localhost"]
    text = "\r\n".join([f"{line} HTTP/1.1", *own, "Connection: close", *fields, "", ""])
    for name, value in names.items():
        text = text.replace(name, value)
    return wire.exchange(server.port, text.encode() + body)


@pytest.mark.parametrize(("status", "line", "fields", "body"), [kind[1:] for kind in KINDS], ids=[k[0] for k in KINDS])
def test_every_kind_of_answer(
    server: Any, wire: ModuleType, names: dict[str, str], status: int, line: str, fields: list[str], body: bytes
) -> None:
    answer = ask(server, wire, names, line, fields, body)
    assert answer.status == status
    assert wire.faults(answer) == []


def test_bytes_carry_theirs(server: Any, wire: ModuleType, names: dict[str, str]) -> None:
    answer = ask(server, wire, names, f"GET {BLOB}", [], b"")
    wanted = {
        "etag": f'"{HASH}"',
        "cache-control": "public, max-age=31536000, immutable",
        "accept-ranges": "bytes",
        "content-length": str(len(WORDS)),
        "content-security-policy": "default-src 'none'; sandbox; frame-ancestors 'none'",
        "cross-origin-resource-policy": "cross-origin",
        "access-control-allow-origin": "*",
    }
    assert {name: answer.fields.get(name) for name in wanted} == wanted
    assert answer.fields["repr-digest"].startswith("sha-256=:")
    page = ask(server, wire, names, f"GET /blobs/{PAGE_HASH}", [], b"")
    assert page.fields["content-disposition"].startswith("attachment")


def test_what_is_not_bytes_is_for_its_own_origin(server: Any, wire: ModuleType, names: dict[str, str]) -> None:
    for line in ("GET /healthz", "GET /nothing", f"GET /blobs/{'0' * 64}"):
        assert ask(server, wire, names, line, [], b"").fields["cross-origin-resource-policy"] == "same-origin"


def test_an_answer_that_carries_nothing_is_found_wanting(wire: ModuleType) -> None:
    """Control."""
    assert len(wire.faults(wire.Answer(404, {"server": "uvicorn", "content-type": "text/plain"}, b"no"))) == 7
