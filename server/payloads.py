"""Bytes as an answer: conditional requests, ranges, and streaming from an open file in bounded memory."""

from __future__ import annotations

import asyncio
import http
import secrets
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

import anyio
from starlette.responses import Response

from metadata.errors import UnreadableError

from .conditional import EntityTag, field_of, not_modified, range_still_holds
from .errors import problem_of_status
from .filenames import content_disposition
from .ranges import Span, Unsatisfiable, content_range, parse_range
from .responses import JSON_POLICY, PROBLEM_TYPE, encode_json
from .sending import Source
from .threads import in_thread

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator
    from pathlib import Path

    from starlette.datastructures import Headers
    from starlette.types import Receive, Scope, Send

BYTES_POLICY = "default-src 'none'; sandbox; frame-ancestors 'none'"
FOREVER = "max-age=31536000, immutable"
CHUNK_BYTES = 256 * 1024
SOURCE = "source"
"""The name, in the request's state, of where the answer's content lies."""


@dataclass(frozen=True, slots=True)
class Payload:
    """What has to be known of bytes to serve them.

    Attributes:
        size: bytes.
        media_type: the stored, sniffed type.
        etag: the strong tag, without quotes: the hash, or hash and recipe.
        open: opens the bytes from a start up to, not including, an end; blocking.
        filename: what a browser saves them as.
        inline: whether a browser may show them in place; raster pictures only.
        public: whether anybody may have them, and keep them.
        cache: the Cache-Control directives after `public` or `private`.
        repr_digest: the Repr-Digest field, where the hash of exactly these bytes is known.
        vary: the header field of the request that the choice of these bytes depended on.
        path: the file of which this is the whole, where there is one.
    """

    size: int
    media_type: str
    etag: str
    open: Callable[[int, int], BinaryIO]
    filename: str = ""
    inline: bool = False
    public: bool = True
    cache: str = FOREVER
    repr_digest: str = ""
    vary: str = ""
    path: Path | None = None

    def fields(self) -> dict[str, str]:
        """Return the header fields that a 200 and a 206 share, but for type and length."""
        kind = "inline" if self.inline else "attachment"
        fields = {
            **self.validators(),
            "Accept-Ranges": "bytes",
            "Content-Security-Policy": BYTES_POLICY,
            "Content-Disposition": content_disposition(kind, self.filename) if self.filename else kind,
        }
        return fields | ({"Repr-Digest": self.repr_digest} if self.repr_digest else {})

    def validators(self) -> dict[str, str]:
        """Return the fields that a 304 repeats."""
        fields = {
            "ETag": str(EntityTag(self.etag)),
            "Cache-Control": f"{'public' if self.public else 'private'}, {self.cache}",
            "Cross-Origin-Resource-Policy": "cross-origin" if self.public else "same-origin",
        }
        return fields | ({"Vary": self.vary} if self.vary else {})


def payload_answer(headers: Headers, payload: Payload) -> Response:
    """Decide how to answer GET or HEAD for bytes: 304, 206 of one kind or the other, 416, or the whole."""
    tag = EntityTag(payload.etag)
    if not_modified(field_of(headers, "if-none-match"), tag):
        return Response(None, http.HTTPStatus.NOT_MODIFIED, payload.validators())
    asked = parse_range(headers.get("range"), payload.size) if range_still_holds(headers.get("if-range"), tag) else None
    if isinstance(asked, Unsatisfiable):
        return _unsatisfiable(payload)
    fields = payload.fields()
    if asked is None:
        fields |= {"Content-Type": payload.media_type, "Content-Length": str(payload.size)}
        return StreamedResponse(payload, [(b"", Span(0, payload.size))], b"", http.HTTPStatus.OK, fields)
    if len(asked) == 1:
        fields |= {"Content-Type": payload.media_type, "Content-Length": str(asked[0].length)}
        fields["Content-Range"] = content_range(asked[0], payload.size)
        return StreamedResponse(payload, [(b"", asked[0])], b"", http.HTTPStatus.PARTIAL_CONTENT, fields)
    return _several(payload, asked, fields)


class StreamedResponse(Response):
    """Spans of a payload, each after a heading, read in a worker thread, one chunk in memory at a time.

    The first span is opened before the status goes out, so that a payload that has vanished is still an error answer.
    """

    def __init__(
        self, payload: Payload, parts: list[tuple[bytes, Span]], ending: bytes, status: int, fields: dict[str, str]
    ) -> None:
        self.payload = payload
        self.parts = parts
        self.ending = ending
        self.status_code = status
        self.background = None
        self.init_headers(fields)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the answer; stop reading as soon as the client is gone."""
        if self.payload.path is not None and len(self.parts) == 1:
            scope.setdefault("state", {})[SOURCE] = Source(self.payload.path, self.parts[0][1].start)
        if scope["method"] == "HEAD":
            await in_thread(self._probe)
            await self._start(send)
            await send({"type": "http.response.body", "body": b"", "more_body": False})
            return
        pieces = _Pieces(self._read())
        try:
            first = await in_thread(pieces.take)
            await self._start(send)
            await _stream(first, pieces, int(self.headers["content-length"]), receive, send)
        finally:
            with anyio.CancelScope(shield=True):  # a cancelled answer closes its file like any other
                await in_thread(pieces.close)

    async def _start(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})

    def _probe(self) -> None:
        span = self.parts[0][1]
        self.payload.open(span.start, span.end).close()

    def _read(self) -> Generator[bytes, None, None]:
        for heading, span in self.parts:
            with self.payload.open(span.start, span.end) as file:
                if heading:
                    yield heading
                yield from _chunks(file, span.length)
        if self.ending:
            yield self.ending


class _Pieces:
    """The pieces of an answer, taken in worker threads; a task cancelled from outside leaves one running, so a lock."""

    def __init__(self, source: Generator[bytes, None, None]) -> None:
        self._source = source
        self._lock = threading.Lock()

    def take(self) -> bytes:
        """Return the next piece; empty at the end."""
        with self._lock:
            return next(self._source, b"")

    def close(self) -> None:
        """Close the file being read."""
        with self._lock:
            self._source.close()


async def _stream(piece: bytes, pieces: _Pieces, length: int, receive: Receive, send: Send) -> None:
    """Send pieces until so many bytes are sent; the last ends the answer, so that the next request finds it ended."""
    gone = asyncio.ensure_future(until_gone(receive))
    try:
        while not gone.done():
            length -= len(piece)
            await send({"type": "http.response.body", "body": piece, "more_body": length > 0})
            if length <= 0:
                return
            piece = await in_thread(pieces.take)
    finally:
        gone.cancel()


def _chunks(file: BinaryIO, length: int) -> Iterator[bytes]:
    while length:
        chunk = file.read(min(CHUNK_BYTES, length))
        if not chunk:
            raise UnreadableError("A payload's file is shorter than its record says; run `calotype verify`.")
        length -= len(chunk)
        yield chunk


async def until_gone(receive: Receive) -> None:
    """Return when the client is gone; what it still sends is passed over."""
    while (await receive())["type"] != "http.disconnect":
        continue


def _several(payload: Payload, spans: tuple[Span, ...], fields: dict[str, str]) -> Response:
    """Answer several ranges as multipart/byteranges (RFC 9110, section 14.6)."""
    boundary = secrets.token_hex(16)
    parts: list[tuple[bytes, Span]] = []
    for span in spans:
        heading = (
            f"\r\n--{boundary}\r\nContent-Type: {payload.media_type}\r\n"
            f"Content-Range: {content_range(span, payload.size)}\r\n\r\n"
        )
        parts.append((heading.encode("latin-1"), span))
    ending = f"\r\n--{boundary}--\r\n".encode("latin-1")
    length = sum(len(heading) + span.length for heading, span in parts) + len(ending)
    fields |= {"Content-Type": f"multipart/byteranges; boundary={boundary}", "Content-Length": str(length)}
    return StreamedResponse(payload, parts, ending, http.HTTPStatus.PARTIAL_CONTENT, fields)


def _unsatisfiable(payload: Payload) -> Response:
    status = http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE
    detail = f"The range lies outside the content, which has {payload.size} bytes."
    fields = {
        "Content-Range": content_range(None, payload.size),
        "Content-Security-Policy": JSON_POLICY,
        "Cache-Control": "no-store",
        "Cross-Origin-Resource-Policy": "cross-origin" if payload.public else "same-origin",
    }
    return Response(encode_json(problem_of_status(status, detail, actual=payload.size)), status, fields, PROBLEM_TYPE)
