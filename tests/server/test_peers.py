"""Who is at the other end."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from server.configuration import load_settings
from server.peers import TrustedProxies

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx2
    from starlette.types import Receive, Scope, Send

    Ask = Callable[..., httpx2.Response]


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
def test_forwarded_addresses(ask: Ask, recorded: Any, client: str, forwarded: str, expected: str) -> None:
    answer = ask(client=client, x_forwarded_for=forwarded, x_forwarded_proto="https", recorder=recorded)
    assert answer.json()["client"] == recorded.visits[0].client == expected
    assert answer.json()["url"].startswith("http:" if client == "10.0.0.9" else "https:")


def test_a_network_of_proxies(ask: Ask) -> None:
    answer = ask(client="10.9.9.9", x_forwarded_for="203.0.113.9", environ={"TRUSTED_PROXIES": "10.0.0.0/8"})
    assert answer.json()["client"] == "203.0.113.9"


@pytest.mark.parametrize("proto", ["", "ftp", "javascript", "https, http"])
def test_a_scheme_that_is_none_is_not_believed(ask: Ask, proto: str) -> None:
    assert ask(x_forwarded_proto=proto).json()["url"].startswith("http:")


def test_what_the_client_wrote_itself_means_nothing(ask: Ask) -> None:
    """Each proxy appends what it saw: the list is read from the right, up to the first that is not trusted."""
    forwarded = "127.0.0.1, 10.0.0.1, 203.0.113.9, 10.0.0.2"
    answer = ask(client="10.0.0.3", x_forwarded_for=forwarded, environ={"TRUSTED_PROXIES": "10.0.0.0/8"})
    assert answer.json()["client"] == "203.0.113.9"


def test_a_chain_of_trusted_proxies_alone_names_its_first(ask: Ask) -> None:
    answer = ask(client="10.0.0.3", x_forwarded_for="10.0.0.1, 10.0.0.2", environ={"TRUSTED_PROXIES": "10.0.0.0/8"})
    assert answer.json()["client"] == "10.0.0.1"


@pytest.mark.parametrize("client", [None, ("not an address", 5), ("::ffff:127.0.0.1", 5), ("fe80::1%eth0", 5)])
def test_who_is_trusted_is_told_by_the_connection(client: tuple[str, int] | None) -> None:
    seen: list[Scope] = []

    async def app(scope: Scope, _receive: Receive, _send: Send) -> None:
        seen.append(scope)

    async def nothing(*_: object) -> Any:
        return {}

    trusted = load_settings({"CALOTYPE_TRUSTED_PROXIES": "127.0.0.1"}).settings.trusted_proxies
    scope = {"type": "http", "scheme": "http", "client": client, "headers": [(b"x-forwarded-for", b"203.0.113.9")]}
    asyncio.run(TrustedProxies(app, trusted)(dict(scope), nothing, nothing))
    mapped = client is not None and "127.0.0.1" in client[0]
    assert seen[0]["client"] == (("203.0.113.9", 0) if mapped else client)
    assert seen[0].get("state", {}).get("behind_proxy", False) is mapped
