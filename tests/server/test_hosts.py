"""Which names the server answers to, and whose pages may make it act."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from starlette.responses import Response

from server.configuration import load_settings
from server.hosts import HostCheck, OriginCheck, host_name

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx2
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    Ask = Callable[..., httpx2.Response]

UNSAFE = ["POST", "PUT", "PATCH", "DELETE"]


@pytest.mark.parametrize(
    "host", ["localhost", "localhost:8256", "127.0.0.1:8256", "[::1]:8256", "192.168.1.7", "LOCALHOST."]
)
def test_hosts_that_cannot_be_rebound_pass_without_sign_in(ask: Ask, host: str) -> None:
    assert ask(host=host, environ={"AUTH": "off"}).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "", "a@localhost", "a b"]
)
def test_other_hosts_are_refused_without_sign_in(ask: Ask, host: str) -> None:
    answer = ask(host=host, environ={"AUTH": "off"})
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["setting"] == "CALOTYPE_ALLOWED_HOSTS"
    if host:
        assert host in answer.json()["detail"]


def test_any_host_passes_with_sign_in_unless_there_is_a_list(ask: Ask) -> None:
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
def test_foreign_pages_cannot_act(ask: Ask, method: str, auth: str) -> None:
    environ = {"AUTH": auth}
    assert ask(method, origin="https://evil.example", environ=environ).status_code == 403
    assert ask(method, origin="null", environ=environ).status_code == 403
    assert ask(method, sec_fetch_site="cross-site", environ=environ).status_code == 403
    assert ask(method, sec_fetch_site="same-site", environ=environ).status_code == 403
    assert ask(method, origin="http://localhost:1", environ=environ).status_code == 403
    assert ask(method, origin="http://localhost:8256", environ=environ).status_code == 200
    assert ask(method, sec_fetch_site="same-origin", environ=environ).status_code == 200
    assert ask(method, environ=environ).status_code == 200


def test_a_token_passes_the_origin_check_only_where_tokens_are_asked_for(ask: Ask) -> None:
    for auth, status in (("on", 200), ("off", 403)):
        answer = ask("POST", environ={"AUTH": auth}, origin="https://evil.example", authorization="Bearer x")
        assert answer.status_code == status


def test_listed_origins_may_act_and_a_star_lists_nobody(ask: Ask) -> None:
    for listed, status in (("https://app.example", 200), ("*", 403)):
        environ = {"CORS_ORIGINS": listed}
        answer = ask("POST", environ=environ, origin="https://app.example", sec_fetch_site="cross-site")
        assert answer.status_code == status


def test_reading_needs_no_origin(ask: Ask) -> None:
    assert ask(origin="https://evil.example", sec_fetch_site="cross-site").status_code == 200


def test_behind_a_proxy_that_ends_tls(ask: Ask) -> None:
    origin = "https://p.example"
    assert ask("POST", host="p.example", origin=origin, x_forwarded_proto="https").status_code == 200
    assert ask("POST", host="p.example", origin=origin, client="10.0.0.9").status_code == 200
    assert (
        ask(
            "POST", host="inner:8256", origin="https://p.example", environ={"PUBLIC_URL": "https://p.example"}
        ).status_code
        == 200
    )


def test_an_unknown_host_that_says_it_twice_is_no_better(ask: Ask) -> None:
    answer = ask(host="localhost, evil.example", environ={"AUTH": "off"})
    assert answer.status_code == 400


@pytest.mark.parametrize(("hosts", "status"), [(["localhost"], 200), (["localhost", "localhost"], 400), ([], 400)])
def test_exactly_one_host_header(hosts: list[str], status: int) -> None:
    checked = HostCheck(Response(status_code=200), load_settings({"CALOTYPE_AUTH": "off"}).settings)
    headers = [(b"host", host.encode()) for host in hosts]
    assert answered(checked, {"type": "http", "method": "GET", "path": "/", "headers": headers}) == status


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("Example.ORG", "example.org"),
        ("example.org:80", "example.org"),
        ("example.org.", "example.org"),
        ("[::1]", "::1"),
        ("[::1]:80", "::1"),
        ("127.0.0.1:80", "127.0.0.1"),
        ("[::1", ""),
        ("user@example.org", ""),
        ("example.org/path", ""),
        ("example.org?q", ""),
        ("example.org#f", ""),
        ("exa mple.org", ""),
        ("exa\\mple.org", ""),
        ("", ""),
    ],
)
def test_the_name_in_a_host_header(host: str, name: str) -> None:
    assert host_name(host) == name


@pytest.mark.parametrize("kind", ["lifespan", "websocket"])
def test_what_is_no_request_is_passed_on(kind: str) -> None:
    passed: list[Scope] = []

    async def app(scope: Scope, _receive: Receive, _send: Send) -> None:
        passed.append(scope)

    settings = load_settings({"CALOTYPE_AUTH": "off"}).settings
    for check in (HostCheck(app, settings), OriginCheck(app, settings)):
        answered(check, {"type": kind, "headers": []})
    assert [scope["type"] for scope in passed] == [kind, kind]


def answered(app: ASGIApp, scope: Scope) -> int:
    """Return the status that an application answers with; 0 for none."""
    statuses = [0]

    async def receive() -> Message:
        return {"type": "http.request"}

    async def send(message: Message) -> None:
        statuses.append(message.get("status", 0))

    async def run() -> None:
        await app(scope, receive, send)

    asyncio.run(run())
    return max(statuses)
