"""The fast lane: a connection whose plain requests are answered from memory, before the parser and the application.

It adds to `server.protocol` and takes nothing away: what the cache does not hold goes the ordinary way, and what that
answers is put into the cache. Deadlines, limits, log and counters are the same on both ways.
"""

from __future__ import annotations

import os
import time
from functools import partial
from typing import TYPE_CHECKING, Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from .accesslog import VISIT
from .answercache import Entry
from .guard import unsent
from .patience import Stage
from .payloads import SOURCE
from .protocol import Protocol
from .sending import Sending

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from starlette.types import ASGIApp, Message, Receive, Scope, Send
    from uvicorn.config import Config
    from uvicorn.server import ServerState

    from .answercache import Filling

_JOINED = 32 * 1024
"""Bytes of content that are copied behind the head rather than handed over beside it."""


class FastLane(Protocol):
    """One connection; pass it as uvicorn's `http`."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._cache = self._guard.cache
        self._filling: Filling | None = None
        self._rests_since: float | None = None
        self._sending: Sending | None = None
        self._last = False

    def data_received(self, data: bytes) -> None:
        """Answer a plain request; have everything else parsed."""
        self._rests_since = None
        self._filling = None
        cache = self._cache
        if cache is not None and self._stage is Stage.BETWEEN and not self._deaf:
            found = cache.find(data)
            if found is not None and self._pending() is None and not self.flow.write_paused:
                if isinstance(found, Entry):
                    if self._give(found):
                        return
                    found = cache.anew(found)
                self._filling = found
        super().data_received(data)

    def check(self, now: float, elapsed: float) -> None:
        """Close the connection as well when it has rested for too long since an answer from memory."""
        super().check(now, elapsed)  # which takes what is being sent for unread, too
        rested = 0.0 if self._rests_since is None else now - self._rests_since
        if rested >= self.timeout_keep_alive and not self.transport.is_closing():
            self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection, and the file that was on its way."""
        if self._sending is not None:
            self._sending.stop()
        super().connection_lost(exc)

    def shutdown(self) -> None:
        """End the connection, once the file that is on its way has left."""
        if self._sending is None:
            super().shutdown()
        else:
            self._last = True

    def _waiting_to_be_read(self) -> int:
        if self._sending is None:
            return super()._waiting_to_be_read()
        end = self.transport.get_extra_info("socket")
        return self._sending.left + (0 if end is None else unsent(end.fileno()))

    def _give(self, entry: Entry) -> bool:
        """Give an answer that is remembered; False when that cannot be done now."""
        cache, transport = self._guard.cache, self.transport
        if cache is None or transport.is_closing():
            return False
        began = time.perf_counter()
        request_id = cache.request_id()
        lines = cache.lines(self.server_state.default_headers)
        head = (entry.start, lines, entry.before, request_id, entry.after)
        body = cache.read(entry)
        if body is None:
            return self._send(entry, b"".join(head), partial(self._given, entry, request_id, began))
        if len(body) <= _JOINED:
            transport.write(b"".join((*head, body)))
        else:
            transport.writelines((b"".join(head), body))
        self._unset_keepalive_if_required()
        self._patience.rest()
        self._given(entry, request_id, began, entry.visit.bytes)
        return True

    def _send(self, entry: Entry, head: bytes, given: Callable[[int], None]) -> bool:
        end, source, length = self.transport.get_extra_info("socket"), entry.source, entry.visit.bytes
        if end is None or source is None or self.transport.get_write_buffer_size():
            return False
        try:
            file = source.open(length)
        except OSError:
            return False  # the ordinary way says why
        try:
            sending = Sending(
                self.loop, end.fileno(), head, file, source.start, length, lambda whole: self._sent(given, whole=whole)
            )
        except OSError:
            os.close(file)
            return False
        self._unset_keepalive_if_required()
        self._patience.rest()
        self.flow.pause_reading()
        self._sending = sending
        sending.go_on()
        return True

    def _sent(self, given: Callable[[int], None], *, whole: bool) -> None:
        sending, self._sending = self._sending, None
        given(0 if sending is None else sending.sent)
        if whole and not self._last:
            self.flow.resume_reading()
        else:
            self.transport.close()

    def _given(self, entry: Entry, request_id: bytes, began: float, sent: int) -> None:
        self.server_state.total_requests += 1
        self._rests_since = self.loop.time()
        client, seconds = self.client[0] if self.client else "-", time.perf_counter() - began
        if sent == entry.visit.bytes:
            self._guard.tally.given(entry, client, request_id, seconds, self.loop)
        else:
            self._guard.tally.cut_short(entry, sent, client, request_id, seconds)

    def _application(self) -> ASGIApp:
        filling, self._filling = self._filling, None
        ordinary = super()._application()
        return ordinary if filling is None else partial(self._fill, filling, ordinary)

    async def _fill(self, filling: Filling, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        async def seen(message: Message) -> None:
            if message["type"] == "http.response.start":
                filling.start(message["status"], message.get("headers", ()))
            else:
                filling.take(message.get("body", b""))
            await send(message)

        await app(scope, receive, seen)
        state = scope["state"]
        entry = filling.entry(state.get(VISIT), state.get(SOURCE), STATUS_LINE)
        if entry is not None and self._cache is not None:
            self._cache.keep(entry)
