"""One connection: uvicorn's HTTP protocol, made to wait for nobody for ever and to refuse odd requests.

What is added to uvicorn's:

- Deadlines for a head, a body, an answer that is not read, and the end of a connection (`server.patience`); limits of
  heads, of connections and of requests sent ahead (`server.limits`, `server.census`).
- A head that another reader could understand differently, or that is too large, is refused before the application sees
  it (`server.framing`). Trailers are read and thrown away.
- What is not HTTP, and a connection too many, is answered with a problem document like every error.
- A wish for another protocol is ignored, and a body beside it read (`server.upgrade`). Who sends a whole request and
  ends its side is answered.
- An answer that comes before its request has ended says `Connection: close`, so that nobody sends another request; the
  client is then listened to for long enough that it can read the answer, which closing at once could take from it, and
  not for as long as it likes to send (RFC 9112, section 9.6).

uvicorn's classes are no public interface: `tests/hostile` says what of them has to hold after an upgrade.
`server.fastlane` adds a faster way for plain requests.
"""

from __future__ import annotations

import http
from functools import partial
from typing import TYPE_CHECKING, Any, cast

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from .framing import LATE, NOT_HTTP, Fault, fault_of, large_head, too_large, with_path
from .guard import GUARD, Guard, reset, waiting
from .patience import Patience, Stage, Unread, Wait
from .upgrade import behind_head

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Collection
    from types import MethodType

    from starlette.types import ASGIApp, Message, Receive, Scope, Send
    from uvicorn._types import ASGI3Application
    from uvicorn.config import Config
    from uvicorn.protocols.http.httptools_impl import RequestResponseCycle
    from uvicorn.server import ServerState

    from .guard import Watched


class Protocol(HttpToolsProtocol):
    """One connection; pass it as uvicorn's `http`."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        guard: Guard = app_state[GUARD] if GUARD in app_state else app_state.setdefault(GUARD, Guard())
        self._guard = guard
        self._limits = guard.limits
        self._patience = Patience(guard.limits)
        self._unread = Unread(guard.limits)
        self._stage = Stage.BETWEEN
        self._place: str | None = None
        self._piece = 0  # bytes being parsed
        self._begun = 0  # requests begun in them
        self._head = 0  # bytes that came before them, of the head that is coming
        self._framing = 0  # bytes around the body that is coming, beyond what its own bytes excuse
        self._passed_over = 0
        self._ending = False  # the answer to the request being read ends the connection
        self._deaf = False  # whatever comes is passed over
        self._wish: list[tuple[bytes, bytes]] | None = None  # the head of a request for another protocol
        self._last_words: Fault | None = None  # to be said behind the answers that are still to come
        self._answering: RequestResponseCycle | None = None  # others may have been sent behind it

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # uvicorn's narrows it too
        """Begin to wait for a request, or turn the client away."""
        super().connection_made(transport)
        guard = self._guard
        self._place = guard.place(self.client[0] if self.client else None)
        guard.metrics.connections.inc()
        refused = guard.census.enter(self._place)
        guard.watch(self.loop, cast("Collection[Watched]", self.connections))
        if refused is None:
            self._patience.wait(Wait.HEADERS, self.loop.time())
            return
        guard.metrics.refused.labels("all" if refused.status == 503 else "address").inc()  # noqa: PLR2004 - see census
        if guard.census.overflowing:
            self.transport.abort()
        else:
            self._say(refused)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._guard.census.leave(self._place)
        self._guard.metrics.connections.dec()
        if self._answering is not None:  # uvicorn tells only the last request that came
            self._answering.disconnected = True
            self._answering.message_event.set()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take bytes: of heads and bodies, or of what nobody wants any more."""
        self._unset_keepalive_if_required()
        if self._deaf:
            self._pass_over(len(data))
            return
        began, self._begun, self._piece = self._stage, 0, len(data)
        try:
            self.parser.feed_data(data)
        except (httptools.HttpParserUpgrade, httptools.HttpParserError) as error:
            if self._deaf:
                return  # it stands behind the last request
            if isinstance(error, httptools.HttpParserUpgrade):
                self._stay(data[error.args[0] :])
            else:
                self._reject(NOT_HTTP)
        else:
            self._await_more(began)

    def eof_received(self) -> bool:  # type: ignore[override] # uvicorn's has nothing to say
        """Keep the connection of a client that will say no more until its whole requests are answered."""
        cycle = self._pending()
        if cycle is None or cycle.more_body or cycle.disconnected:
            return False
        cycle.keep_alive = False
        return True

    def _await_more(self, began: Stage) -> None:
        """Wait for what is still missing after some bytes, unless it is too much already."""
        patience = self._patience
        if self._stage is Stage.BODY:
            self._framing += self._piece
            patience.received(self._piece)
            if patience.kind is not Wait.END:
                patience.wait(Wait.BODY, self.loop.time())
            if self._framing > self._limits.framing:
                self._reject(NOT_HTTP)
        elif self._stage is Stage.HEAD:
            patience.wait(Wait.HEADERS, self.loop.time())
            alone = self._begun == 0 if began is Stage.HEAD else began is Stage.BETWEEN and self._begun == 1
            self._head += self._piece if alone else 0  # else they were another request's too
            fault = too_large(self.url, self.headers, self._limits)
            if fault is None and self._head > self._limits.header_bytes + self._limits.target_bytes:
                fault = large_head(self._limits)
            if fault is not None:
                self._reject(fault)
        elif self._pending() is None:  # line breaks before a request
            patience.wait(Wait.HEADERS, self.loop.time())

    def on_message_begin(self) -> None:
        """Begin a request."""
        self._stage = Stage.HEAD
        self._begun += 1
        self._head = self._framing = self._passed_over = 0
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header field, without the blanks that may stand behind its value (RFC 9112, section 5.1)."""
        super().on_header(name, value.rstrip(b" \t"))

    def on_headers_complete(self) -> None:
        """Hand the request on, or have its answer say why not."""
        self._stage = Stage.BODY
        self._patience.rest()
        large = self._head + self._piece > min(self._limits.header_bytes, self._limits.target_bytes)
        fault = fault_of(self.parser.get_http_version(), self.url, self.headers, self._limits, large=large)
        self.app = cast("ASGI3Application", partial(self._answer, fault, self._application()))
        if fault is not None and (fault.status == http.HTTPStatus.REQUEST_URI_TOO_LONG or self.url[:1] != b"/"):
            self.url = b"/"  # nothing that could be taken apart
        elif self.url[:1] != b"/":
            self.url = with_path(self.url)
        self.expect_100_continue &= self.parser.get_http_version() == "1.1"  # RFC 9110, section 10.1.1
        self._wish = self.headers if self.parser.should_upgrade() else None
        super().on_headers_complete()
        self.headers = []  # what comes after a body in chunks is for nobody
        if len(self.pipeline) > self._limits.pipelined:
            raise httptools.HttpParserError("too many requests sent ahead")  # ends the parsing of the piece as well

    def on_message_complete(self) -> None:
        """Take the end of a request; the last one of a connection was answered, and its answer could be read."""
        if self._wish is not None:
            return  # its body is still to come
        self._stage = Stage.BETWEEN
        self._deaf |= not self.cycle.keep_alive  # what stands behind the last request is for nobody
        super().on_message_complete()
        if self._ending and self.cycle.response_complete:
            self.transport.close()
        self._patience.rest()

    def on_body(self, body: bytes) -> None:
        """Take a piece of a request's body, or pass it over if the request has been answered."""
        self._framing -= self._limits.framing_ratio * len(body)
        if self.cycle.response_complete:
            self._pass_over(len(body))
        else:
            super().on_body(body)

    def on_response_complete(self) -> None:
        """Go on to the next request, or to the end."""
        super().on_response_complete()
        if self.pipeline:
            self.flow.pause_reading()  # those that are here come first
        if self._ending:
            self._patience.wait(Wait.END, self.loop.time())
        if self._last_words is not None and self.cycle.response_complete:
            self._say(self._last_words)

    def check(self, now: float, elapsed: float) -> None:
        """Cut the client off if it takes too long (`guard.Watched`)."""
        patience = self._patience
        if self._unread.stuck(self._waiting_to_be_read(), now, elapsed):
            self._guard.metrics.cut.labels("unread").inc()
            reset(self.transport)
        elif not self.transport.is_closing():
            if self.flow.read_paused or (patience.kind is Wait.BODY and self.cycle.waiting_for_100_continue):
                patience.grant(elapsed)
            if patience.over(now):
                self._late(patience.kind)

    def _late(self, kind: Wait) -> None:
        if kind is Wait.END:
            self.transport.close()
            return
        self._guard.metrics.cut.labels(kind.value).inc()
        if self._stage is Stage.BETWEEN:  # not a byte of a request has come
            self.transport.close()
        else:
            self._reject(LATE)

    def _waiting_to_be_read(self) -> int:
        return waiting(self.transport)

    def _pass_over(self, count: int) -> None:
        self._passed_over += count
        if self._passed_over > self._limits.passed_over:
            self.transport.close()

    def _pending(self) -> RequestResponseCycle | None:
        """Return the last request, unless it has been answered."""
        cycle = cast("RequestResponseCycle | None", self.cycle)  # none before the first request; the type is untrue
        return None if cycle is None or cycle.response_complete else cycle

    def _stay(self, rest: bytes) -> None:
        """Read the body of a request for another protocol, answer it in this one, and nothing behind it."""
        fields, self._wish = self._wish or [], None
        self.cycle.keep_alive = False
        self.parser = behind_head(self, fields)
        self.data_received(rest)

    def _reject(self, fault: Fault) -> None:
        """Read no more of the connection and say why, when no other answer is on its way."""
        self._deaf = True
        cycle = self._pending()
        if cycle is None:
            self._say(fault)
        elif fault is LATE and not cycle.more_body:
            self._last_words = fault  # behind the answers to whole requests
        elif cycle.response_started or self.pipeline:
            self.transport.close()
        else:
            cycle.disconnected = True  # so that nothing comes of the request
            cycle.message_event.set()
            self._say(fault)

    def _say(self, fault: Fault) -> None:
        """Write an answer of our own, the last of the connection, and give the client time to read it."""
        self._deaf = True
        if self.transport.is_closing():
            return
        client = self.client[0] if self.client else "-"
        self.transport.write(self._guard.last_words(fault, client, self.server_state.default_headers))
        self.transport.write_eof()
        self.flow.resume_reading()
        self._patience.rest()
        self._patience.wait(Wait.END, self.loop.time())

    def _application(self) -> ASGIApp:
        """Return what answers the request whose head has come."""
        return cast("ASGIApp", self.config.loaded_app)

    async def _answer(self, fault: Fault | None, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        cycle = cast("RequestResponseCycle", cast("MethodType", send).__self__)  # uvicorn hands its own method over
        self._answering = cycle

        async def marked(message: Message) -> None:
            if message["type"] != "http.response.start" or not (cycle.more_body or refused is not None):
                await send(message)
                return
            fields = [*message.get("headers", ()), (b"connection", b"close")]
            await send({**message, "headers": fields})
            if cycle.more_body:
                self._ending = True
                cycle.keep_alive = True  # uvicorn would close behind the answer, and take it from a client that sends

        place = self._guard.place_behind(scope["headers"]) if self._place is None else None
        with self._guard.census.visit(place) as crowded:
            refused = fault or crowded
            await (app if refused is None else self._guard.refusing(refused))(scope, receive, marked)
