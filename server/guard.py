"""What all connections of one worker share: their census, the watch over slow clients, and answers that refuse.

It comes to the protocol in the server's lifespan state, under `GUARD`; without one there, a guard with the default
limits watches.
"""

from __future__ import annotations

import fcntl
import http
import socket
import struct
import termios
from typing import TYPE_CHECKING, Protocol

from metadata.clock import SystemClock, timestamp

from .accesslog import AccessLog, Several, Visit
from .census import Census, place_of
from .door import RequestIds, random_request_id
from .errors import problem_of_status
from .limits import Limits
from .metrics import Metrics
from .peers import Proxies
from .responses import JSON_POLICY, PROBLEM_TYPE, encode_json, status_answer
from .tally import Tally

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Collection, Iterable, Sequence

    from starlette.types import ASGIApp

    from metadata.clock import Clock

    from .accesslog import Recorder
    from .answercache import AnswerCache
    from .framing import Fault
    from .settings import Network

GUARD = "guard"
"""The name in the lifespan state."""

_RESET_AT_CLOSE = struct.pack("ii", 1, 0)
_LOOKS_S = 1.0
_LOOKS_A_DEADLINE = 8


class Watched(Protocol):
    """A connection that is looked at now and then."""

    def check(self, now: float, elapsed: float) -> None:
        """Cut a client off that takes too long; `elapsed` seconds have gone by since the last look."""


class Guard:
    """The shared part of one worker's connections; used on the event loop alone.

    Args:
        limits: what clients may ask.
        trusted: proxies that speak for others.
        metrics: counts what is refused and cut.
        recorder: takes the visits that never reach the application.
        clock: the time.
        cache: what the fast lane answers from; None: it answers nothing.
        log: takes what it answered, one by one; None where no log is kept.
    """

    def __init__(
        self,
        limits: Limits | None = None,
        *,
        trusted: Sequence[Network] = (),
        metrics: Metrics | None = None,
        recorder: Recorder | None = None,
        clock: Clock | None = None,
        cache: AnswerCache | None = None,
        log: Recorder | None = None,
    ) -> None:
        self.limits = limits or Limits()
        self.metrics = metrics or Metrics()
        self.census = Census(self.limits)
        self._proxies = Proxies(trusted)
        self._recorder = recorder or Several()
        self._clock = clock or SystemClock()
        self.cache = cache
        self.tally = Tally(self.metrics, log, self._clock)
        shortest = min(self.limits.headers_s, self.limits.body_s, self.limits.unread_s, self.limits.end_s)
        self._every = min(_LOOKS_S, shortest / _LOOKS_A_DEADLINE)
        self._looked: float | None = None

    @property
    def watching(self) -> bool:
        """Whether a look is to come."""
        return self._looked is not None

    def watch(self, loop: asyncio.AbstractEventLoop, connections: Collection[Watched]) -> None:
        """Look at connections now and then, until there is none."""
        if self._looked is None:
            self._looked = loop.time()
            loop.call_later(self._every, self._look, loop, connections)

    def _look(self, loop: asyncio.AbstractEventLoop, connections: Collection[Watched]) -> None:
        now = loop.time()
        elapsed, self._looked = now - (self._looked or now), now
        for connection in list(connections):
            connection.check(now, elapsed)
        if self.cache is not None:
            self.cache.look()
        if connections:
            loop.call_later(self._every, self._look, loop, connections)
        else:
            self._looked = None

    def place(self, address: str | None) -> str | None:
        """Return what a connection is counted as; None for a trusted proxy's."""
        return None if address is None or self._proxies.trusts(address) else place_of(address)

    def place_behind(self, fields: Iterable[tuple[bytes, bytes]]) -> str | None:
        """Return what a request of a trusted proxy is counted as; None when it speaks for nobody."""
        forwarded = [value.decode("latin-1") for name, value in fields if name == b"x-forwarded-for"]
        client = self._proxies.client_of(forwarded) if forwarded else None
        return self.place(client)

    def refusing(self, fault: Fault) -> ASGIApp:
        """Return an application that answers a request with why it is refused, recorded like any other."""
        self.metrics.rejected.labels(str(fault.status)).inc()
        members = dict(fault.members)
        answer = status_answer(fault.status, fault.detail, request_id="", headers=fault.headers, **members)
        return RequestIds(AccessLog(answer, self._recorder, self._clock), random_request_id)

    def last_words(self, fault: Fault, client: str, fields: Iterable[tuple[bytes, bytes]]) -> bytes:
        """Return a whole answer for a connection on which there is no request that could be answered, and record it.

        Args:
            fault: why.
            client: the address at the other end.
            fields: more header fields, such as the date.
        """
        self.metrics.rejected.labels(str(fault.status)).inc()
        request_id = random_request_id()
        body = encode_json(problem_of_status(fault.status, fault.detail, request_id=request_id, **fault.members))
        named = {
            **{name.decode("latin-1"): value.decode("latin-1") for name, value in fields},
            "Content-Type": PROBLEM_TYPE,
            "Content-Length": str(len(body)),
            "Content-Security-Policy": JSON_POLICY,
            "Cross-Origin-Resource-Policy": "same-origin",
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
            "X-Request-Id": request_id,
            "Cache-Control": "no-store",
            "Connection": "close",
            **fault.headers,
        }
        came = timestamp(self._clock.now())
        self._recorder.record(Visit(came, client, "-", "-", fault.status, len(body), 0.0, request_id))
        first = f"HTTP/1.1 {fault.status} {http.HTTPStatus(fault.status).phrase}\r\n"
        lines = "".join(f"{name}: {value}\r\n" for name, value in named.items())
        return (first + lines + "\r\n").encode("latin-1") + body


def waiting(transport: asyncio.Transport) -> int:
    """Return how many bytes were written to a client and not taken by it; 0 when none of them is in our own buffer."""
    ours = transport.get_write_buffer_size()
    end = transport.get_extra_info("socket") if ours else None
    return ours + unsent(end.fileno()) if end is not None else ours


def reset(transport: asyncio.Transport) -> None:
    """End a connection so that the system drops what it still holds for the client."""
    end = transport.get_extra_info("socket")
    if end is not None:
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_AT_CLOSE)
    transport.abort()


def unsent(descriptor: int) -> int:
    """Return how many bytes of a socket the other end has not taken from the system; 0 where the system cannot tell."""
    try:
        (count,) = struct.unpack("i", fcntl.ioctl(descriptor, termios.TIOCOUTQ, bytes(4)))
    except OSError:
        return 0
    return int(count)
