"""From a card's text, as it stands in a file, to its JSON object, and back."""

from __future__ import annotations

import binascii
import json
import re
from typing import TYPE_CHECKING, Any, Final

from metadata.files.codec import finite_decoder

from .errors import DamagedCardError
from .limits import refuse_above

if TYPE_CHECKING:
    from .limits import CardLimits

_SPACE: Final = b" \t\r\n\0"
_URL_SAFE: Final = bytes.maketrans(b"-_", b"+/")
_BASE64: Final = re.compile(rb"[A-Za-z0-9+/]*")
_BOMS: Final = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
_LOCKED: Final = b"rcc||"


def strict_base64(text: bytes) -> bytes:
    """Decode base64 without white space; padding may be missing, and the letters be those for addresses (`-`, `_`).

    Raises:
        DamagedCardError: it is not base64. (Python's own decoder passes over what it does not know.)
    """
    bare = text.rstrip(b"=").translate(_URL_SAFE)
    if not _BASE64.fullmatch(bare) or len(bare) % 4 == 1:
        raise DamagedCardError("The card's text is not base64: the file was damaged on its way. Download it again.")
    try:
        return binascii.a2b_base64(bare + b"=" * (-len(bare) % 4))
    except binascii.Error as error:
        raise DamagedCardError(f"The card's text is not base64: {error}. Download it again.") from error


def decode_text(text: bytes, limits: CardLimits) -> Any:  # noqa: ANN401 - any JSON value
    """Return the JSON value that a chunk's text stands for: base64 of JSON, or JSON as it is.

    Raises:
        DamagedCardError: it is neither.
        TooLargeError: it is over a limit.
    """
    bare = text.strip(_SPACE)
    if bare.startswith(_LOCKED):
        raise DamagedCardError("This card is locked by RisuAI. Open it there and export it again without a lock.")
    if bare.startswith(b"{"):
        return parse_json(bare, limits)
    return parse_json(strict_base64(bare.translate(None, _SPACE)), limits)


def parse_json(data: bytes, limits: CardLimits) -> Any:  # noqa: ANN401 - any JSON value
    """Return a JSON value from its bytes: UTF-8 or UTF-16 with or without a mark, else Latin-1 as old programs wrote.

    Raises:
        DamagedCardError: it is not JSON.
        TooLargeError: it is over a limit.
    """
    refuse_above(limits.json_bytes, len(data), "The card's JSON")
    # Counted before anything is made of them: an empty object is two bytes of text and 64 of memory.
    refuse_above(limits.values, sum(data.count(sign) for sign in (b",", b"[", b"{")), "The card's JSON", "values")
    try:
        value = _DECODER.decode(_decoded(data).strip("\0"))
    except RecursionError as error:
        raise _too_deep(limits) from error
    except ValueError as error:
        raise DamagedCardError(f"The card's text is not JSON: {error}. Download or export it again.") from error
    if _depth_above(value, limits.depth):
        raise _too_deep(limits)
    return value


def encode_json(document: dict[str, Any], indent: int | None = None) -> bytes:
    """Write a card's JSON as UTF-8, members in their order; half a surrogate pair is written as its escape."""
    text = json.dumps(document, ensure_ascii=False, indent=indent, separators=None if indent else (",", ":"))
    try:
        return text.encode()
    except UnicodeEncodeError:
        joined = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
        return joined.encode("utf-8", "backslashreplace")


def _decoded(data: bytes) -> str:
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            return data.decode(encoding)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _depth_above(value: object, limit: int) -> bool:
    level = [value]
    for _ in range(limit + 1):
        level = [
            inner
            for outer in level
            if isinstance(outer, dict | list)
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
        if not level:
            return False
    return True


def _too_deep(limits: CardLimits) -> DamagedCardError:
    return DamagedCardError(
        f"The card's JSON is nested deeper than {limits.depth} levels, as no card is.", limit=limits.depth
    )


_DECODER: Final = finite_decoder(strict=False)  # raw line breaks in texts are common
