"""How many connections there are, in all and from each address, and who is one too many."""

from __future__ import annotations

import ipaddress
from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING

from .framing import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .limits import Limits

EXTRA = 64
"""Connections over the limit that are still told why; those beyond are closed without a word."""
_SITE = 64


class Census:
    """The connections of one worker.

    Args:
        limits: how many there may be.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._by_place: Counter[str] = Counter()
        self.total = 0

    @property
    def overflowing(self) -> bool:
        """Whether there are too many to say a word to another."""
        return self.total > self._limits.connections + EXTRA

    def enter(self, place: str | None) -> Fault | None:
        """Count a connection; return why it may not stay, None if it may. Every `enter` has its `leave`.

        Args:
            place: as `place_of` returns it; None for a trusted proxy, which speaks for many.
        """
        self.total += 1
        if place is not None:
            self._by_place[place] += 1
        if self.total > self._limits.connections:
            return _full(self._limits.connections)
        return self._crowded(place)

    def leave(self, place: str | None) -> None:
        """Count a connection out."""
        self.total -= 1
        self._forget(place)

    @contextmanager
    def visit(self, place: str | None) -> Iterator[Fault | None]:
        """Count a request that a trusted proxy hands on as if it were its client's connection, while it is answered."""
        if place is not None:
            self._by_place[place] += 1
        try:
            yield self._crowded(place)
        finally:
            self._forget(place)

    def _crowded(self, place: str | None) -> Fault | None:
        most = self._limits.per_address
        return _crowd(most) if most is not None and place is not None and self._by_place[place] > most else None

    def _forget(self, place: str | None) -> None:
        if place is None:
            return
        self._by_place[place] -= 1
        if not self._by_place[place]:
            del self._by_place[place]


def place_of(address: str) -> str:
    """Return what an address is counted as: itself, or of IPv6 the network of 64 bits that one subscriber has."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    mapped = found.ipv4_mapped
    return str(mapped) if mapped else str(ipaddress.ip_network((found, _SITE), strict=False))


def _full(limit: int) -> Fault:
    return Fault(
        503,
        "The server has as many connections as it takes. Try again in a moment.",
        {"limit": limit, "setting": "CALOTYPE_MAX_CONNECTIONS"},
    )


def _crowd(limit: int) -> Fault:
    return Fault(
        429,
        "There are too many connections from your address. Close some, or use one for several requests.",
        {"limit": limit, "setting": "CALOTYPE_MAX_CONNECTIONS_PER_ADDRESS"},
    )
