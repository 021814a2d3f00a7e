"""Who is at the other end: a proxy that is trusted, and behind it the client it speaks for."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

from starlette.datastructures import Headers

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from starlette.types import ASGIApp, Receive, Scope, Send

    from .settings import Network

_SCHEMES = {"http", "https"}


class Proxies:
    """The addresses that are believed when they say for whom they speak."""

    def __init__(self, trusted: Sequence[Network]) -> None:
        self._trusted = trusted

    def trusts(self, text: str) -> bool:
        """Tell whether an address is a trusted proxy's."""
        address = _address(text)
        return address is not None and any(ipaddress.ip_address(address) in network for network in self._trusted)

    def client_of(self, forwarded: Iterable[str]) -> str | None:
        """Return the client's address by the X-Forwarded-For fields of a trusted proxy; None when they name nobody."""
        client = None
        for hop in reversed([hop.strip() for value in forwarded for hop in value.split(",")]):
            address = _address(hop)
            if address is None:
                break
            client = address
            if not self.trusts(address):
                break
        return client


class TrustedProxies:
    """Believes `X-Forwarded-For` and `X-Forwarded-Proto` from trusted addresses, and from nobody else.

    The list is read from the right, each address being what the next hop saw; the first that is not a trusted proxy
    is the client. What stands left of it was written by the client and means nothing.
    """

    def __init__(self, app: ASGIApp, trusted: Sequence[Network]) -> None:
        self.app = app
        self.proxies = Proxies(trusted)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Put the client's address and scheme into the scope."""
        if scope["type"] in {"http", "websocket"}:
            client = scope.get("client")
            if client and self.proxies.trusts(client[0]):
                scope = self._believed(scope)
        await self.app(scope, receive, send)

    def _believed(self, scope: Scope) -> Scope:
        headers = Headers(scope=scope)
        changed = dict(scope)
        scope.setdefault("state", {})["behind_proxy"] = True
        changed["state"] = scope["state"]
        client = self.proxies.client_of(headers.getlist("x-forwarded-for"))
        if client is not None:
            changed["client"] = (client, 0)
        scheme = headers.get("x-forwarded-proto", "").strip().lower()
        if scheme in _SCHEMES:
            changed["scheme"] = scheme
        return changed


def _address(text: str) -> str | None:
    """Return an address without port, brackets and zone; a v4 address mapped into v6 as v4."""
    bare = text.partition("]")[0].removeprefix("[") if text.startswith("[") else text
    if bare.count(":") == 1:
        bare = bare.partition(":")[0]
    try:
        address = ipaddress.ip_address(bare.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return str(mapped or address)
