"""One request on its way through the routes, and the table entry that says what it may do.

The table is the only description of the interface: the router and the OpenAPI document are both made from it.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import Enum, StrEnum
from functools import cached_property, partial
from typing import TYPE_CHECKING

from metadata.errors import CalotypeError, ConflictError, InternalError, NotFoundError, UnauthenticatedError
from metadata.passwords import Passwords
from metadata.schemas.enums import Scope

from .auth import Authenticator, Caller
from .bodies import parse_object, read_body
from .conditional import check_match, entity_tag
from .queries import Arguments, Parameter
from .refusals import narrowed
from .settings import BlobAccess
from .shown import Shown
from .signin import SignIn
from .signing import UrlSigner
from .studio import Studio
from .threads import in_thread
from .throttle import Throttle
from .wire import base_of

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from .metrics import Metrics
    from .wiring import Store

_ID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


class Access(Enum):
    """Who may ask."""

    OPEN = "open"
    """Anybody."""
    BYTES = "bytes"
    """Anybody, or with private blob access whoever may read."""
    READ = Scope.READ
    WRITE = Scope.WRITE
    ADMIN = Scope.ADMIN


class Strictness(StrEnum):
    """What becomes of query parameters that an operation does not know."""

    REFUSE = "refuse"
    IGNORE = "ignore"


class Service:
    """What every operation works with.

    Args:
        store: the opened data folder.
        metrics: what is counted.
    """

    def __init__(self, store: Store, metrics: Metrics) -> None:
        self.store = store
        self.metrics = metrics
        self.settings = store.settings
        self.base = base_of(store.settings)
        self.shown = Shown(store.documents, self.base)
        self.signin = SignIn(
            store.records.users, store.records.sessions, Passwords(), Throttle(store.clock), store.clock
        )
        self.authenticator = Authenticator(
            store.records.access_tokens, store.records.users, self.signin, store.owner, required=store.settings.auth
        )

    @cached_property
    def signer(self) -> UrlSigner:
        """Signs addresses of bytes and checks them; its key is made on first use."""
        return UrlSigner(self.store.vault.url_key(), self.store.clock)

    @cached_property
    def studio(self) -> Studio:
        """The threads that wait for pictures to be made: apart, so that everything else is answered meanwhile."""
        return Studio()

    @property
    def private(self) -> bool:
        """Whether bytes are only for those who may read them."""
        return self.settings.blob_access is BlobAccess.PRIVATE


@dataclass(slots=True)
class Call:
    """One request.

    Attributes:
        caller: who asks; None where anybody may.
        arguments: its query parameters.
        body: its JSON, as bytes, where the operation takes one.
    """

    request: Request
    service: Service
    caller: Caller | None = None
    arguments: Arguments = field(default_factory=partial(Arguments, (), ()))
    body: bytes = b""

    @property
    def store(self) -> Store:
        """The opened data folder."""
        return self.service.store

    @property
    def user(self) -> Caller:
        """Who asks, of an operation that is not for anybody."""
        if self.caller is None:
            raise InternalError("An operation for known callers was reached without one.")
        return self.caller

    @property
    def owner(self) -> str | None:
        """The user whose records the caller sees; None: everybody's."""
        return self.user.owner

    def segment(self, name: str) -> str:
        """Return a variable part of the path."""
        return str(self.request.path_params[name])

    def id(self, name: str = "id") -> str:
        """Return an id from the path.

        Raises:
            NotFoundError: nothing can have it: it is not a UUID.
        """
        text = self.segment(name)
        if not _ID.fullmatch(text):
            raise NotFoundError(f"There is nothing with the id {text[:80]!r}.", object=text[:80])
        return text

    def content(self) -> dict[str, object]:
        """Return the body, a JSON object; blocking.

        Raises:
            InvalidError: it is not.
        """
        return parse_object(self.body)

    def expected(self, version: str) -> str | None:
        """Return the version that a write has to meet: the current one if If-Match names it, None for any.

        Raises:
            StaleError: If-Match names others.
            InvalidError: If-Match cannot be read.
        """
        header = self.joined("if-match")
        check_match(header, entity_tag(version))
        return None if header is None or header.strip() == "*" else version

    def joined(self, name: str) -> str | None:
        """Return a list header whose values may be spread over several lines."""
        values = self.request.headers.getlist(name)
        return ", ".join(values) if values else None


Blocking = Callable[[Call], "Response"]
"""Answers in a worker thread."""

Streaming = Callable[[Call], Awaitable["Response"]]
"""Answers on the event loop, because it reads the body as it comes; it hops for what blocks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One method of one path.

    Attributes:
        method: GET answers HEAD too.
        path: with `{variables}`.
        summary: a sentence for people.
        access: who may ask.
        handle: answers in a worker thread; exactly one of `handle` and `stream` is given.
        stream: answers on the event loop.
        parameters: the query parameters it takes.
        unknown: what becomes of others.
        media: media types of the JSON body it takes; empty: none.
        takes: the name of that body's schema, in `wireschemas`.
        gives: the name of the answer's schema; empty: none, or bytes.
        answers: status codes of success with what they mean.
    """

    method: str
    path: str
    summary: str
    access: Access
    handle: Blocking | None = None
    stream: Streaming | None = None
    parameters: tuple[Parameter, ...] = ()
    unknown: Strictness = Strictness.REFUSE
    media: tuple[str, ...] = ()
    takes: str = ""
    gives: str = ""
    answers: tuple[tuple[int, str], ...] = ((200, "Done."),)

    async def answer(self, request: Request, service: Service) -> Response:
        """Find out who asks, read what they ask, and answer.

        Raises:
            CalotypeError: of any kind.
        """
        call = Call(request, service)
        if self.stream is not None:
            if self.access is not Access.OPEN:  # a probe of life must not wait for a worker thread
                await in_thread(partial(self._admit, call))
            return await self.stream(call)
        if self.media:
            await in_thread(partial(self._admit, call))
            call.body = await read_body(request, service.settings.max_json_bytes, self.media)
            return await in_thread(partial(self._handled, call))
        return await in_thread(partial(self._admitted, call))

    def _admitted(self, call: Call) -> Response:
        self._admit(call)
        return self._handled(call)

    def _handled(self, call: Call) -> Response:
        if self.handle is None:
            raise InternalError(f"{self.method} {self.path} has nothing that answers it.")
        try:
            return self.handle(call)
        except ConflictError as error:
            if call.caller is None or call.owner is None:
                raise
            raise narrowed(error, call.store.documents, call.owner) from error

    def _admit(self, call: Call) -> None:
        call.caller = self._caller(call)
        items = call.request.query_params.multi_items()
        if self.unknown is Strictness.IGNORE:
            names = {parameter.name for parameter in self.parameters}
            items = [(name, value) for name, value in items if name in names]
        call.arguments = Arguments(items, self.parameters)

    def _caller(self, call: Call) -> Caller | None:
        needed = self._needed(call.service)
        header = call.request.headers.get("authorization")
        if needed is None:
            return _guest(call, header) if self.access is Access.OPEN else None
        if header is None and self.access is Access.BYTES and _signed(call):
            return None
        caller = call.service.authenticator.caller(header)
        if caller is None:
            raise UnauthenticatedError("This needs an access token, sent as `Authorization: Bearer calo_…`.")
        _note_admin(call, caller)
        caller.require(needed)
        return caller

    def _needed(self, service: Service) -> Scope | None:
        if self.access is Access.BYTES:
            return Scope.READ if service.private else None
        return None if self.access is Access.OPEN else Scope(self.access.value)


def _guest(call: Call, header: str | None) -> Caller | None:
    """Return the caller where anybody may ask: credentials help, and wrong ones do no harm."""
    try:
        caller = call.service.authenticator.caller(header)
    except CalotypeError:
        return None
    if caller is not None:
        _note_admin(call, caller)
    return caller


def _signed(call: Call) -> bool:
    """Tell whether the address itself says that it may be read."""
    query = call.request.query_params
    expires, signature = query.get("expires"), query.get("signature")
    if expires is None or signature is None:
        return False
    path = str(call.request.scope["path"]).removeprefix(call.service.settings.root_path)
    return call.service.signer.check(path, expires, signature)


def _note_admin(call: Call, caller: Caller) -> None:
    """Let the error handlers know that this caller may read messages about the inside."""
    call.request.scope.setdefault("state", {})["admin"] = caller.admin
