"""Uploads: from the request's stream into sinks, in bounded memory, the blocking work in a worker thread.

`_pump` is the one place that hops: chunks are gathered up to 256 KiB and handed to a reader in a thread, so the event
loop neither parses nor writes. Whatever ends it early (a limit, a broken form, a client that went away, a cancelled
task) drops every byte taken before the error goes on.
"""

from __future__ import annotations

import threading
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

import anyio

from metadata.errors import CalotypeError, InvalidError, TooLargeError, UnsupportedError

from .digests import expected_digest
from .filenames import parse_disposition, safe_name
from .multipart import Form, FormReader, FormRules, boundary_of
from .sinks import FileIntake, KeptT, Sink, too_large
from .threads import in_thread

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from starlette.requests import Request

    from assets.digest import Digest

BATCH_BYTES = 256 * 1024
T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Reader(Protocol[T_co]):
    """Something that takes a body in pieces and has a result at its end; blocking."""

    def feed(self, data: bytes) -> None:
        """Take the next bytes."""

    def close(self) -> T_co:
        """Return the result; the body is over."""

    def discard(self) -> None:
        """Drop everything taken so far."""


@dataclass(frozen=True, slots=True)
class RawFile(Generic[KeptT]):
    """A request body that is a file.

    Attributes:
        kept: what the sink made of it.
        filename: a safe base name, or None when the request named none.
        declared_type: the request's Content-Type, not trusted.
        expected: the digest the request announced; still to be compared.
    """

    kept: KeptT
    filename: str | None
    declared_type: str
    expected: Digest | None


def is_form(request: Request) -> bool:
    """Tell whether the body is a multipart form."""
    return parse_disposition(_field(request, b"content-type")).kind == "multipart/form-data"


async def receive_form(request: Request, rules: FormRules, sinks: Callable[[], Sink[KeptT]]) -> Form[KeptT]:
    """Take a form in; the caller uses or discards every file of it.

    Raises:
        InvalidError: the form is malformed, or the body is not as long as it said.
        TooLargeError: too many parts, a text that is too long, or a length that no such form has; a file over the limit
            fails alone.
        ClientDisconnect: the client went away.
    """
    _refuse_coding(request)
    announced, most = _announced(request), rules.max_bytes
    if announced is not None and announced > most:
        raise TooLargeError(
            f"The form is over {most} bytes, the most that {rules.max_parts} parts can have.",
            limit=most,
            actual=announced,
            setting="CALOTYPE_MAX_UPLOAD_BYTES",
        )
    reader = FormReader(boundary_of(_field(request, b"content-type")), rules, sinks)
    return await _pump(request, reader)


async def receive_raw(request: Request, limit: int, sinks: Callable[[], Sink[KeptT]]) -> RawFile[KeptT]:
    """Take a body that is a file in; the caller uses or discards it.

    Raises:
        TooLargeError: over `limit` bytes; before the first byte is read if Content-Length says so.
        InvalidError: an empty body, a digest that cannot be read, or a body not as long as it said.
        UnsupportedError: the body has a Content-Encoding: it would be stored as something else than the file.
        ClientDisconnect: the client went away.
    """
    expected = expected_digest((name.lower(), value) for name, value in request.headers.items())
    _refuse_coding(request)
    announced = _announced(request)
    if announced is not None and announced > limit:
        raise too_large(limit, announced)
    kept = await _pump(request, _RawReader(sinks, limit))
    return RawFile(kept, _filename(request), request.headers.get("content-type", ""), expected)


class _RawReader(Generic[KeptT]):
    """A body that is one file; its first failure ends the request."""

    def __init__(self, sinks: Callable[[], Sink[KeptT]], limit: int) -> None:
        self._intake = FileIntake(sinks, limit)

    def feed(self, data: bytes) -> None:
        self._intake.write(data)
        if self._intake.failure is not None:
            raise self._intake.failure

    def close(self) -> KeptT:
        outcome = self._intake.finish()
        if isinstance(outcome, CalotypeError):
            raise outcome
        return outcome

    def discard(self) -> None:
        self._intake.discard()


async def _pump(request: Request, reader: Reader[T]) -> T:
    announced = _announced(request)
    received = 0
    complete = False
    worker = _Worker()
    try:
        async with aclosing(_batches(request)) as batches:
            async for batch in batches:
                received += len(batch)
                if announced is not None and received > announced:
                    raise _wrong_length(announced, received)
                await worker.run(partial(reader.feed, batch))
        if announced is not None and received != announced:
            raise _wrong_length(announced, received)
        result = await worker.run(reader.close)
        complete = True
        return result
    finally:
        if not complete:
            with anyio.CancelScope(shield=True):  # a cancelled request drops its bytes like any other
                await worker.run(reader.discard)


class _Worker:
    """The hop to a worker thread; a task cancelled from outside leaves its thread running, so one call at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()

    async def run(self, call: Callable[[], T]) -> T:
        return await in_thread(partial(self._locked, call))

    def _locked(self, call: Callable[[], T]) -> T:
        with self._lock:
            return call()


def _wrong_length(announced: int, received: int) -> InvalidError:
    return InvalidError(
        f"Content-Length says {announced} bytes, but {received} came. Nothing was stored.",
        field="Content-Length",
        limit=announced,
        actual=received,
    )


async def _batches(request: Request) -> AsyncGenerator[bytes, None]:
    """Gather the stream's chunks up to the batch size, splitting those that are larger."""
    gathered = bytearray()
    async for chunk in request.stream():
        view = memoryview(chunk)
        while view:
            room = BATCH_BYTES - len(gathered)
            gathered += view[:room]
            view = view[room:]
            if len(gathered) == BATCH_BYTES:
                yield bytes(gathered)
                gathered.clear()
    if gathered:
        yield bytes(gathered)


def _announced(request: Request) -> int | None:
    text = request.headers.get("content-length")
    if text is None:
        return None
    if not (text.isascii() and text.isdigit()):
        raise InvalidError("Content-Length has to be a number of bytes.", field="Content-Length")
    return int(text[:20])


def _refuse_coding(request: Request) -> None:
    coding = request.headers.get("content-encoding", "identity").strip().lower()
    if coding != "identity":
        raise UnsupportedError(
            f"A body with Content-Encoding {coding[:40]!r} is not the file itself; send it without.",
            field="Content-Encoding",
        )


def _filename(request: Request) -> str | None:
    raw = parse_disposition(_field(request, b"content-disposition")).filename
    if raw is None:
        raw = request.query_params.get("filename")
    return None if raw is None else safe_name(raw)


def _field(request: Request, name: bytes) -> bytes:
    return next((value for field, value in request.scope["headers"] if field == name), b"")
