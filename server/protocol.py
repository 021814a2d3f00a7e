"""uvicorn's HTTP protocol with two changes.

What is not HTTP is answered with a problem document like every error. And an answer that comes before its request has
ended (a body that was refused unread) says `Connection: close`, so that nobody sends another request behind it; the
client is then listened to for a while: long enough that it can read the answer, which closing at once could take from
it, and not for as long as it likes to send (RFC 9112, section 9.6).
"""

from __future__ import annotations

import http
from functools import partial
from typing import TYPE_CHECKING, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from .door import random_request_id
from .errors import problem_of_status
from .responses import JSON_POLICY, PROBLEM_TYPE, encode_json

if TYPE_CHECKING:
    from types import MethodType

    from uvicorn._types import ASGI3Application, ASGIReceiveCallable, ASGISendCallable, ASGISendEvent, Scope
    from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

_DETAIL = (
    "This is not HTTP/1.1 as the server reads it: a bad first line or header, or more bytes than Content-Length says."
)


LINGER_BYTES = 4 * 1024 * 1024
"""How much of a body is passed over after its answer before the connection is closed."""


class Protocol(HttpToolsProtocol):
    """One connection; pass it as uvicorn's `http`."""

    _passed_over = 0
    _ending = False

    def on_message_begin(self) -> None:
        """Begin a request."""
        self._passed_over = 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Hand the request on, to an application whose early answers end the connection."""
        self.app = partial(self._answer, self.config.loaded_app)
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Take the end of a request; the last one of a connection was answered, and its answer could be read."""
        super().on_message_complete()
        if self._ending and self.cycle.response_complete:
            self.transport.close()

    def on_body(self, body: bytes) -> None:
        """Take a piece of a request's body, or pass it over if the request has been answered."""
        if self.cycle.response_complete:
            self._passed_over += len(body)
            if self._passed_over > LINGER_BYTES:
                self.transport.close()
            return
        super().on_body(body)

    async def _answer(
        self, app: ASGI3Application, scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable
    ) -> None:
        cycle = cast("RequestResponseCycle", cast("MethodType", send).__self__)  # uvicorn hands its own method over

        async def marked(message: ASGISendEvent) -> None:
            if message["type"] != "http.response.start" or not cycle.more_body:
                await send(message)
                return
            fields = [*message.get("headers", ()), (b"connection", b"close")]
            await send({**message, "headers": fields})
            self._ending = True
            cycle.keep_alive = True  # uvicorn would close behind the answer, and take it from a client that sends

        await app(scope, receive, marked)

    def send_400_response(self, msg: str) -> None:
        """Answer 400 and close; close without a word if an answer is on its way already, whose bytes it would mix with.

        Args:
            msg: uvicorn's own words, which say less.
        """
        del msg
        cycle = cast(
            "RequestResponseCycle | None", self.cycle
        )  # none before the first request; uvicorn's type is untrue
        if cycle is not None and cycle.response_started and not cycle.response_complete:
            self.transport.close()
            return
        body = encode_json(problem_of_status(http.HTTPStatus.BAD_REQUEST, _DETAIL))
        fields = {
            "Content-Type": PROBLEM_TYPE,
            "Content-Length": str(len(body)),
            "Content-Security-Policy": JSON_POLICY,
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
            "X-Request-Id": random_request_id(),
            "Cache-Control": "no-store",
            "Connection": "close",
        }
        head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        self.transport.write(b"HTTP/1.1 400 Bad Request\r\n" + head.encode("ascii") + b"\r\n" + body)
        self.transport.close()
