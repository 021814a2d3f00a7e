"""How much one client may ask of a worker's connections, and how long a worker waits for a client."""

from __future__ import annotations

import resource
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .settings import Settings

MOST_CONNECTIONS = 4_000
FEWEST_CONNECTIONS = 16
RESERVED_DESCRIPTORS = 320
"""For the data folder's files, 40 worker threads, and connections that are being turned away."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a worker puts up with; bytes and seconds.

    Attributes:
        connections: open at once, in all.
        per_address: open at once, or asking at once through a trusted proxy, from one address (IPv6: from one /64).
        headers_s: for a request's head to come whole, from its first byte; for its first byte on a new connection.
        body_s: for a body to come, besides a second for every `rate` bytes.
        unread_s: without progress of at least `rate` bytes a second while an answer waits to be read.
        end_s: for the rest of what a client sends after an answer that ends its connection.
        rate: the slowest client, in bytes a second.
        headers: fields in a head.
        header_bytes: names and values of a head.
        target_bytes: of a request's target.
        pipelined: requests waiting behind one that is being answered.
        passed_over: of a body after the answer that ends its connection.
        framing: of chunk sizes, extensions and trailers, beyond `framing_ratio` for each byte of the body they frame.
    """

    connections: int = MOST_CONNECTIONS
    per_address: int | None = None
    headers_s: float = 10.0
    body_s: float = 20.0
    unread_s: float = 20.0
    end_s: float = 5.0
    rate: int = 2 * 1024
    headers: int = 100
    header_bytes: int = 32 * 1024
    target_bytes: int = 8 * 1024
    pipelined: int = 256
    passed_over: int = 4 * 1024 * 1024
    framing: int = 64 * 1024
    framing_ratio: int = 16


def limits_of(settings: Settings) -> Limits:
    """Return the limits that settings ask for; connections are never more than the process has descriptors for."""
    return Limits(
        connections=min(settings.max_connections or MOST_CONNECTIONS, affordable_connections()),
        per_address=settings.max_connections_per_address,
        headers_s=settings.header_timeout_s,
        body_s=settings.body_timeout_s,
        unread_s=settings.unread_timeout_s,
    )


def affordable_connections() -> int:
    """Return how many connections the process's limit of open files leaves room for."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return MOST_CONNECTIONS
    return max(FEWEST_CONNECTIONS, soft - RESERVED_DESCRIPTORS)
