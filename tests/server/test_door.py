"""What stands before the routes."""

from __future__ import annotations

import asyncio
import json
import logging
from typing import TYPE_CHECKING

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from metadata.clock import SystemClock
from metadata.errors import UnauthenticatedError
from server.accesslog import LogRecorder, Visit
from server.configuration import load_settings
from server.door import door
from server.problems import exception_handlers
from server.settings import LogFormat

if TYPE_CHECKING:
    from starlette.requests import Request

UNSAFE = ["POST", "PUT", "PATCH", "DELETE"]


class Recorded:
    """Keeps visits."""

    def __init__(self) -> None:
        self.visits: list[Visit] = []

    def record(self, visit: Visit) -> None:
        """Keep one."""
        self.visits.append(visit)


async def echo(request: Request) -> Response:
    client = request.client
    seen = {"client": client.host if client else None, "url": str(request.url), "root": request.scope["root_path"]}
    return JSONResponse(seen, headers={"Server": "boast"})


async def locked(request: Request) -> Response:
    raise UnauthenticatedError(f"Send a token, not {request.method}.")


def ask(
    method: str = "GET",
    url: str = "http://localhost:8256/api/x",
    *,
    environ: dict[str, str] | None = None,
    client: str = "127.0.0.1",
    recorder: Recorded | LogRecorder | None = None,
    **headers: str,
) -> httpx2.Response:
    settings = load_settings({f"CALOTYPE_{name}": value for name, value in (environ or {}).items()}).settings
    methods = ["GET", "OPTIONS", *UNSAFE]
    inner = Starlette(
        routes=[Route("/locked", locked, methods=methods), Route("/{rest:path}", echo, methods=methods)],
        exception_handlers=exception_handlers(),
    )
    app = door(inner, settings, recorder=recorder or Recorded(), clock=SystemClock())

    async def run() -> httpx2.Response:
        transport = httpx2.ASGITransport(app, client=(client, 5))
        async with httpx2.AsyncClient(transport=transport) as http:
            fields = {name.replace("_", "-"): value for name, value in headers.items()}
            return await http.request(method, url, headers=fields)

    return asyncio.run(run())


def test_every_answer_has_the_common_fields() -> None:
    answers = [ask(), ask(url="http://localhost/locked"), ask("POST", origin="https://evil.example")]
    for answer in answers:
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert len(answer.headers["x-request-id"]) == 16
        assert "server" not in answer.headers
    assert len({answer.headers["x-request-id"] for answer in answers}) == 3


def test_a_trusted_proxy_hands_its_request_id_down_and_nobody_else() -> None:
    assert ask(x_request_id="abc-12345").headers["x-request-id"] == "abc-12345"
    assert ask(x_request_id="abc 12345").headers["x-request-id"] != "abc 12345"
    assert ask(x_request_id="abc-12345", client="10.0.0.9").headers["x-request-id"] != "abc-12345"


@pytest.mark.parametrize(
    "host", ["localhost", "localhost:8256", "127.0.0.1:8256", "[::1]:8256", "192.168.1.7", "LOCALHOST."]
)
def test_hosts_that_cannot_be_rebound_pass_without_sign_in(host: str) -> None:
    assert ask(host=host, environ={"AUTH": "off"}).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "", "a@localhost", "a b"]
)
def test_other_hosts_are_refused_without_sign_in(host: str) -> None:
    answer = ask(host=host, environ={"AUTH": "off"})
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["setting"] == "CALOTYPE_ALLOWED_HOSTS"
    if host:
        assert host in answer.json()["detail"]


def test_any_host_passes_with_sign_in_unless_there_is_a_list() -> None:
    assert ask(host="any.example").status_code == 200
    listed = {"ALLOWED_HOSTS": "a.example, *.b.example"}
    assert ask(host="a.example:80", environ=listed).status_code == 200
    assert ask(host="x.b.example", environ=listed).status_code == 200
    assert ask(host="b.example", environ=listed).status_code == 400
    assert ask(host="xb.example", environ=listed).status_code == 400
    assert ask(host="any.example", environ={"AUTH": "off", "ALLOWED_HOSTS": "*"}).status_code == 200
    assert ask(host="p.example", environ={"AUTH": "off", "PUBLIC_URL": "https://p.example/x"}).status_code == 200


@pytest.mark.parametrize("method", UNSAFE)
@pytest.mark.parametrize("auth", ["on", "off"])
def test_foreign_pages_cannot_act(method: str, auth: str) -> None:
    environ = {"AUTH": auth}
    assert ask(method, origin="https://evil.example", environ=environ).status_code == 403
    assert ask(method, origin="null", environ=environ).status_code == 403
    assert ask(method, sec_fetch_site="cross-site", environ=environ).status_code == 403
    assert ask(method, sec_fetch_site="same-site", environ=environ).status_code == 403
    assert ask(method, origin="http://localhost:1", environ=environ).status_code == 403
    assert ask(method, origin="http://localhost:8256", environ=environ).status_code == 200
    assert ask(method, sec_fetch_site="same-origin", environ=environ).status_code == 200
    assert ask(method, environ=environ).status_code == 200


def test_a_token_passes_the_origin_check_only_where_tokens_are_asked_for() -> None:
    for auth, status in (("on", 200), ("off", 403)):
        answer = ask("POST", environ={"AUTH": auth}, origin="https://evil.example", authorization="Bearer x")
        assert answer.status_code == status


def test_listed_origins_may_act_and_a_star_lists_nobody() -> None:
    for listed, status in (("https://app.example", 200), ("*", 403)):
        environ = {"CORS_ORIGINS": listed}
        answer = ask("POST", environ=environ, origin="https://app.example", sec_fetch_site="cross-site")
        assert answer.status_code == status


def test_reading_needs_no_origin() -> None:
    assert ask(origin="https://evil.example", sec_fetch_site="cross-site").status_code == 200


def test_behind_a_proxy_that_ends_tls() -> None:
    origin = "https://p.example"
    assert ask("POST", host="p.example", origin=origin, x_forwarded_proto="https").status_code == 200
    assert ask("POST", host="p.example", origin=origin, client="10.0.0.9").status_code == 200
    assert (
        ask(
            "POST", host="inner:8256", origin="https://p.example", environ={"PUBLIC_URL": "https://p.example"}
        ).status_code
        == 200
    )


def test_api_has_no_cors_by_default() -> None:
    answer = ask(origin="https://app.example")
    assert "access-control-allow-origin" not in answer.headers
    assert "vary" not in answer.headers


def test_listed_origins_are_answered_by_name_errors_included() -> None:
    environ = {"CORS_ORIGINS": "https://app.example"}
    for url in ("http://localhost/api/x", "http://localhost/locked"):
        answer = ask(url=url, origin="https://app.example", environ=environ)
        assert answer.headers["access-control-allow-origin"] == "https://app.example"
        assert (
            answer.headers["access-control-expose-headers"]
            == "ETag, Location, Content-Range, Repr-Digest, X-Request-Id"
        )
        assert answer.headers["vary"] == "Origin"
    other = ask(origin="https://other.example", environ=environ)
    assert "access-control-allow-origin" not in other.headers
    assert other.headers["vary"] == "Origin"
    assert ask(environ=environ).headers["vary"] == "Origin"
    refused = ask(host="evil.example", origin="https://app.example", environ=environ | {"AUTH": "off"})
    assert (refused.status_code, refused.headers["access-control-allow-origin"]) == (400, "https://app.example")


def test_public_bytes_are_for_everybody_to_read() -> None:
    url = "http://localhost/blobs/00"
    assert ask(url=url, origin="https://x.example").headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-origin" not in ask("PUT", url=url, authorization="Bearer x").headers
    private = ask(url=url, origin="https://x.example", environ={"BLOB_ACCESS": "private"})
    assert "access-control-allow-origin" not in private.headers
    below = ask(url="http://localhost/sub/blobs/00", environ={"ROOT_PATH": "/sub"})
    assert below.headers["access-control-allow-origin"] == "*"


def preflight(url: str, method: str, **environ: str) -> httpx2.Response:
    return ask("OPTIONS", url, environ=environ, origin="https://app.example", access_control_request_method=method)


def test_preflights() -> None:
    answer = preflight("http://localhost/api/x", "PATCH", CORS_ORIGINS="https://app.example")
    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == "https://app.example"
    assert answer.headers["access-control-allow-methods"] == "GET, HEAD, POST, PUT, PATCH, DELETE"
    assert answer.headers["access-control-allow-headers"] == (
        "Authorization, Content-Type, If-Match, If-None-Match, Range, Repr-Digest, X-SHA-256"
    )
    assert answer.headers["access-control-max-age"] == "86400"
    assert "access-control-allow-credentials" not in answer.headers
    assert preflight("http://localhost/api/x", "GET").status_code == 403
    assert preflight("http://localhost/api/x", "PUT", CORS_ORIGINS="*").headers["access-control-allow-origin"] == "*"


def test_a_preflight_for_public_bytes_grants_reading_only() -> None:
    answer = preflight("http://localhost/blobs/00", "GET")
    assert answer.headers["access-control-allow-methods"] == "GET, HEAD"
    assert preflight("http://localhost/blobs/00", "PUT").status_code == 403


def test_plain_options_reaches_the_routes() -> None:
    assert ask("OPTIONS").status_code == 200


@pytest.mark.parametrize(
    ("client", "forwarded", "expected"),
    [
        ("127.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("::1", "203.0.113.9:4711", "203.0.113.9"),
        ("127.0.0.1", "1.1.1.1, 203.0.113.9, 127.0.0.1", "203.0.113.9"),
        ("127.0.0.1", "[2001:db8::1]:80", "2001:db8::1"),
        ("127.0.0.1", "::ffff:203.0.113.9", "203.0.113.9"),
        ("127.0.0.1", "1.1.1.1, nonsense", "127.0.0.1"),
        ("127.0.0.1", "", "127.0.0.1"),
        ("10.0.0.9", "203.0.113.9", "10.0.0.9"),
    ],
)
def test_forwarded_addresses(client: str, forwarded: str, expected: str) -> None:
    recorded = Recorded()
    answer = ask(client=client, x_forwarded_for=forwarded, x_forwarded_proto="https", recorder=recorded)
    assert answer.json()["client"] == recorded.visits[0].client == expected
    assert answer.json()["url"].startswith("http:" if client == "10.0.0.9" else "https:")


def test_a_network_of_proxies() -> None:
    answer = ask(client="10.9.9.9", x_forwarded_for="203.0.113.9", environ={"TRUSTED_PROXIES": "10.0.0.0/8"})
    assert answer.json()["client"] == "203.0.113.9"


@pytest.mark.parametrize("path", ["/api/x", "/sub/api/x"])
def test_a_prefix_stripped_or_not(path: str) -> None:
    answer = ask(url=f"http://localhost{path}", environ={"ROOT_PATH": "/sub"})
    assert answer.json() == {"client": "127.0.0.1", "url": "http://localhost/sub/api/x", "root": "/sub"}


def test_the_access_log_has_no_secrets_and_no_line_breaks(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "calotype.access"):
        for log_format in LogFormat:
            ask(
                url="http://localhost/blobs/a%0Ab%1b?signature=sesame",
                authorization="Bearer sesame",
                cookie="sesame",
                recorder=LogRecorder(log_format),
            )
    text, line = (record.getMessage() for record in caplog.records)
    assert "sesame" not in caplog.text
    assert text.startswith('127.0.0.1 "GET /blobs/a\\nb\\x1b" 404 ')
    visit = json.loads(line)
    assert (visit["status"], visit["method"], visit["path"]) == (404, "GET", "/blobs/a\\nb\\x1b")
    assert visit["bytes"] > 0
