"""JSON bodies: read within a limit, parsed strictly.

Refused, each with a sentence: what is not JSON or not UTF-8, a member named twice (two readers would see two values),
NaN and infinities (also `1e999`), nesting that is too deep, and text with lone surrogates, which UTF-8 cannot hold.
"""

from __future__ import annotations

import json
import math
import re
from typing import TYPE_CHECKING, NoReturn

from metadata.errors import InvalidError, TooLargeError, UnsupportedError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from starlette.requests import Request

JSON_TYPES = ("application/json",)
PATCH_TYPES = ("application/merge-patch+json", "application/json")
MAX_DEPTH = 64
_SURROGATE = re.compile("[\ud800-\udfff]")


async def read_body(request: Request, limit: int, types: tuple[str, ...]) -> bytes:
    """Return a JSON body's bytes, unparsed.

    Raises:
        UnsupportedError: the media type is none of `types`, or the body is compressed.
        TooLargeError: more than `limit` bytes; before the first is read if Content-Length says so.
        ClientDisconnect: the client went away.
    """
    _check_type(request, types)
    announced = request.headers.get("content-length", "0")
    if announced.isascii() and announced.isdigit() and int(announced[:20]) > limit:
        raise _too_large(limit, int(announced[:20]))
    data = bytearray()
    async for chunk in request.stream():
        data += chunk
        if len(data) > limit:
            raise _too_large(limit, len(data))
    return bytes(data)


def parse_json(data: bytes) -> object:
    """Parse a body; blocking, so not for the event loop.

    Raises:
        InvalidError: it is not JSON as this module's docstring wants it.
    """
    try:
        value: object = json.loads(
            data.decode("utf-8"), object_pairs_hook=_object, parse_constant=_no_constant, parse_int=_integer
        )
    except UnicodeDecodeError:
        raise InvalidError("The body is not UTF-8.") from None
    except json.JSONDecodeError as error:
        raise InvalidError(f"The body is not JSON: {error.msg} at character {error.pos}.", place=error.pos) from None
    except RecursionError:
        raise _too_deep() from None
    _check(value)
    return value


def parse_object(data: bytes) -> dict[str, object]:
    """Parse a body that has to be a JSON object; errors as `parse_json`."""
    value = parse_json(data)
    if not isinstance(value, dict):
        raise InvalidError("The body has to be a JSON object.")
    return value


def check_names(body: Mapping[str, object], names: Sequence[str]) -> None:
    """Return when a body has no other members than these.

    Raises:
        InvalidError: it has.
    """
    for name in body:
        if name not in names:
            raise InvalidError(
                f"There is no member {_shown(name)} here; there are: {', '.join(names)}.", field=name[:80]
            )


def text_of(body: Mapping[str, object], name: str) -> str:
    """Return a member that has to be a text.

    Raises:
        InvalidError: it is absent, or none.
    """
    value = body.get(name)
    if not isinstance(value, str):
        raise InvalidError(f"{name} has to be a text.", field=name)
    return value


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise InvalidError(f"The body has {_shown(twice)} twice in one object.", field=_shown(twice))
    return found


def _no_constant(text: str) -> NoReturn:
    raise InvalidError(f"{text} is not JSON; leave the member out, or send null.")


def _integer(text: str) -> int:
    if len(text) > 30:  # noqa: PLR2004 - far beyond 64 bits; Python would take time quadratic in the length
        raise InvalidError("The body has a number of too many digits.")
    return int(text)


def _check(value: object) -> None:
    """Walk the value without recursion and refuse what JSON text could smuggle past the parser."""
    waiting = [(value, 1)]
    while waiting:
        current, depth = waiting.pop()
        if isinstance(current, str):
            _check_text(current)
        elif isinstance(current, float) and not math.isfinite(current):
            raise InvalidError("The body has a number that is too large.")
        elif isinstance(current, dict | list):
            if depth > MAX_DEPTH:
                raise _too_deep()
            if isinstance(current, dict):
                waiting.extend((name, depth) for name in current)
            inside = current.values() if isinstance(current, dict) else current
            waiting.extend((item, depth + 1) for item in inside)


def _check_text(text: str) -> None:
    if _SURROGATE.search(text):
        raise InvalidError("The body has text with half of a surrogate pair, which is no character.")


def _check_type(request: Request, types: tuple[str, ...]) -> None:
    sent = request.headers.get("content-type", types[0]).partition(";")[0].strip().lower()
    if sent not in types:
        raise UnsupportedError(
            f"The body has to be {' or '.join(types)}, not {sent[:80]!r}; check Content-Type.",
            field="Content-Type",
            accepted=list(types),
        )
    coding = request.headers.get("content-encoding", "identity").strip().lower()
    if coding != "identity":
        raise UnsupportedError(f"Send the body without Content-Encoding {coding[:40]!r}.", field="Content-Encoding")


def _too_large(limit: int, actual: int) -> TooLargeError:
    return TooLargeError(
        f"The JSON body is over the limit of {limit} bytes.",
        limit=limit,
        actual=actual,
        setting="CALOTYPE_MAX_JSON_BYTES",
    )


def _too_deep() -> InvalidError:
    return InvalidError(f"The body is nested deeper than {MAX_DEPTH} levels.", limit=MAX_DEPTH)


def _shown(name: str) -> str:
    return repr(name[:80].encode("utf-8", "replace").decode())
