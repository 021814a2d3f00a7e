"""Requests to one server over HTTP, its problems turned back into our errors. The only module with an HTTP client."""

from __future__ import annotations

import io
import json
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO
from urllib.parse import urlsplit

import httpx2

from metadata.errors import BusyError, InvalidError, UnauthenticatedError

from .faults import error_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

CONNECT_S = 10.0
ANSWER_S = 300.0
"""How long a server may be silent; it may have to write a large upload to a slow disk first."""
_REDIRECT = 300
_ERROR = 400


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server said.

    Attributes:
        headers: names in any letter case.
        body: whole.
    """

    headers: Mapping[str, str]
    body: bytes

    def json(self) -> dict[str, Any]:
        """Return the body as a JSON object.

        Raises:
            InvalidError: it is none.
        """
        try:
            found = json.loads(self.body)
        except (ValueError, RecursionError) as error:
            raise InvalidError("The answer is not JSON. Is this a Calotype server?", field="url") from error
        if not isinstance(found, dict):
            raise InvalidError("The answer is not a JSON object. Is this a Calotype server?", field="url")
        return found


_KEPT_S = 2.0
"""Seconds for which an idle connection is used again."""


class Connection:
    """Requests to one server, its problems turned back into our errors.

    Args:
        url: the server's address, with the path prefix it is served under, if any.
        token: an access token; None for a server that asks for none.

    Raises:
        InvalidError: the address is none of HTTP.
        UnauthenticatedError: the token cannot be one.
    """

    def __init__(self, url: str, token: str | None = None) -> None:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise InvalidError(f"{url[:80]!r} is not an address such as http://127.0.0.1:8256.", field="url")
        self.url = url.rstrip("/")
        headers = {"User-Agent": "calotype"}
        if token is not None:
            if not token or not token.isascii() or not token.isprintable() or " " in token:
                raise UnauthenticatedError("That is not an access token; `calotype token create` makes one.")
            headers["Authorization"] = f"Bearer {token}"
        timeout = httpx2.Timeout(ANSWER_S, connect=CONNECT_S)
        # Shorter than the server keeps one: a connection must not be taken up just as the server drops it.
        limits = httpx2.Limits(keepalive_expiry=_KEPT_S)
        self._client = httpx2.Client(
            base_url=self.url, headers=headers, timeout=timeout, limits=limits, follow_redirects=False
        )

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def send(
        self,
        method: str,
        path: str,
        *,
        params: Sequence[tuple[str, str]] = (),
        value: object = None,
        content: Iterator[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send a request and return its answer, read whole.

        Args:
            method: GET, POST and so on.
            path: below the server's address.
            params: the query.
            value: sent as JSON.
            content: sent as it is.
            headers: further ones.

        Raises:
            CalotypeError: what the server answered, if that was a problem.
            BusyError: nobody answered.
        """
        with self._translating():
            request = self._client.build_request(
                method, path, params=list(params), json=value, content=content, headers=dict(headers or {})
            )
            response = self._checked(self._client.send(request))
            return Answer(response.headers, response.content)

    def stream(self, path: str) -> BinaryIO:
        """Return the body of a GET as a file that reads from the connection; errors as `send`."""
        with self._translating():
            request = self._client.build_request("GET", path, headers={"Accept-Encoding": "identity"})
            response = self._client.send(request, stream=True)
            try:
                if response.status_code >= _REDIRECT:
                    response.read()
                self._checked(response)
            except BaseException:
                response.close()
                raise
        return io.BufferedReader(_Body(response, self._translating))

    def _checked(self, response: httpx2.Response) -> httpx2.Response:
        if response.status_code >= _ERROR:
            raise error_of(response.status_code, response.content)
        if response.status_code >= _REDIRECT:
            target = response.headers.get("location", "")[:200]
            raise InvalidError(f"{self.url} sends callers on to {target}; use that address.", field="url")
        return response

    @contextmanager
    def _translating(self) -> Iterator[None]:
        try:
            yield
        except (httpx2.TransportError, httpx2.StreamError) as error:
            reason = str(error) or type(error).__name__
            raise BusyError(
                f"There is no answer from {self.url}: {reason}. Is the server running (`calotype serve`)?", url=self.url
            ) from error
        except httpx2.InvalidURL as error:
            raise InvalidError(f"{self.url} is not an address: {error}.", field="url") from error


class _Body(io.RawIOBase):
    """An answer's body, read as it comes."""

    def __init__(self, response: httpx2.Response, translating: Callable[[], Any]) -> None:
        self._response = response
        self._pieces = response.iter_raw()
        self._translating = translating
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:  # noqa: ANN401 - any writable buffer, as io has it
        with self._translating():
            while not self._rest:
                piece = next(self._pieces, None)
                if piece is None:
                    return 0
                self._rest = memoryview(piece)
        room = memoryview(buffer).cast("B")
        count = min(len(room), len(self._rest))
        room[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count

    def close(self) -> None:
        if not self.closed:
            self._response.close()
        super().close()
