"""Records as bytes: journal lines and whole-file documents, each with a check value.

A line is compact JSON in UTF-8. Its last member, `_crc`, is the CRC-32 (8 hex digits) of the line's bytes without that
member; before it may stand `_b`, the offset up to which the journal was known to be synced when the line was written.
A document's `_crc` is the CRC-32 of its canonical JSON without the members whose names begin with `_`.
Check values are optional on reading: what other programs write has none.
"""

from __future__ import annotations

import json
import math
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, NoReturn

from ..errors import InvalidError, UnreadableError

Check = Literal["sound", "absent", "altered"]
"""What a check value says: it fits; there is none; it does not fit, so the text was changed since."""

_BOM = b"\xef\xbb\xbf"
_CRC: Final = re.compile(rb'(,?)"_crc":"([0-9a-f]{8})"\}$')
_CRC_HEAD: Final = b',"_crc":"'
_CRC_LENGTH: Final = 19
"""The bytes of `,"_crc":"01234567"}`."""

_COMPACT = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))
_CANONICAL = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"), sort_keys=True)
_INDENTED = json.JSONEncoder(ensure_ascii=False, allow_nan=False, indent=2)


@dataclass(frozen=True, slots=True)
class Decoded:
    """What a line says.

    Attributes:
        record: its members without `_b` and `_crc`.
        check: what its check value says.
        batch: its `_b`, None when it has none.
    """

    record: dict[str, Any]
    check: Check
    batch: int | None


def encode_line(record: Mapping[str, Any], *, batch: int | None) -> bytes:
    """Write a record as one journal line, its check value last, with the line break.

    Args:
        record: the members, written in their order; `_b` and `_crc` among them are replaced.
        batch: the value of `_b`; None leaves it out.

    Raises:
        InvalidError: a value has no JSON form (NaN, infinity, an object), or is nested too deeply.
    """
    if "_crc" in record or "_b" in record:
        record = {name: value for name, value in record.items() if name not in {"_b", "_crc"}}
    body = _utf8(_encoded(_COMPACT, record))
    if batch is not None:
        body = b'%s%s"_b":%d}' % (body[:-1], b"," if len(body) > 2 else b"", batch)  # noqa: PLR2004 - `{}`
    comma = b"," if len(body) > 2 else b""  # noqa: PLR2004 - `{}`
    return b'%s%s"_crc":"%08x"}\n' % (body[:-1], comma, zlib.crc32(body))


def encode_plain_line(record: Mapping[str, Any]) -> bytes:
    """Write a record as a journal line of the original's: as it is, with the line break and nothing of ours.

    Raises:
        InvalidError: as `encode_line`.
    """
    return _utf8(_encoded(_COMPACT, record)) + b"\n"


def decode_line(data: bytes) -> Decoded:
    """Read one journal line, given without its line break.

    Raises:
        UnreadableError: the bytes are not one JSON object in UTF-8, or hold NaN or an infinite number.
    """
    data = data.removeprefix(_BOM)
    check = _check_of_line(data)
    record = _parsed(data)
    if not isinstance(record, dict):
        raise UnreadableError(f"The line holds {_name_of(record)}, not an object.")
    batch = record.pop("_b", None)
    if not isinstance(batch, int) or isinstance(batch, bool) or batch < 0:
        batch = None
    stamped = record.pop("_crc", None) is not None
    if check == "absent" and (stamped or batch is not None):  # its place or form is not ours: somebody rewrote it
        check = "altered"
    return Decoded(record, check, batch)


def canonical(value: object) -> bytes:
    """Write a value as the one JSON text that equal values share: sorted keys, no spaces, UTF-8.

    Raises:
        InvalidError: as `encode_line`.
    """
    return _utf8(_encoded(_CANONICAL, value))


def check_value(document: Mapping[str, Any]) -> str:
    """Return a document's check value: members whose names begin with `_` do not count.

    Raises:
        InvalidError: as `encode_line`.
    """
    return f"{zlib.crc32(canonical({k: v for k, v in document.items() if not k.startswith('_')})):08x}"


def encode_document(document: object, *, stamp: bool) -> bytes:
    """Write a whole-file document as people read it: two spaces of indent, keys as given, a final line break.

    Args:
        document: any JSON value.
        stamp: add `_crc` as the last member; only an object can carry it.

    Raises:
        InvalidError: as `encode_line`; or a value that is no object is to be stamped.
    """
    if stamp:
        if not isinstance(document, Mapping):
            raise InvalidError(f"Only an object can carry a check value, not {_name_of(document)}.")
        body = {name: value for name, value in document.items() if name != "_crc"}
        document = {**body, "_crc": check_value(body)}
    return _utf8(_encoded(_INDENTED, document)) + b"\n"


def decode_document(data: bytes) -> tuple[Any, Check]:
    """Read a whole-file document; return its value without `_crc`, and what the check value says.

    Raises:
        UnreadableError: the bytes are not JSON in UTF-8, or hold NaN or an infinite number.
    """
    value = _parsed(data.removeprefix(_BOM))
    if not isinstance(value, dict) or "_crc" not in value:
        return value, "absent"
    stamp = value.pop("_crc")
    return value, "sound" if stamp == check_value(value) else "altered"


def _check_of_line(data: bytes) -> Check:
    found = _CRC.search(data, max(0, len(data) - _CRC_LENGTH))
    if found is None:
        return "altered" if _almost_stamped(data) else "absent"
    body = data[: found.start()] + b"}"
    return "sound" if zlib.crc32(body) == int(found[2], 16) else "altered"


def _almost_stamped(data: bytes) -> bool:
    # One rotten byte in the member's name would otherwise turn a checked line into an unchecked one, silently.
    head = data[-_CRC_LENGTH:][: len(_CRC_HEAD)]
    return len(head) == len(_CRC_HEAD) and sum(a != b for a, b in zip(head, _CRC_HEAD, strict=True)) == 1


def _parsed(data: bytes) -> Any:  # noqa: ANN401 - any JSON value
    try:
        return _DECODER.decode(data.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise UnreadableError(f"Byte {error.start} is not UTF-8.") from error
    except RecursionError as error:
        raise UnreadableError("It is nested too deeply.") from error
    except ValueError as error:
        raise UnreadableError(f"It is not JSON: {error}.") from error


def _encoded(encoder: json.JSONEncoder, value: object) -> str:
    try:
        return encoder.encode(value)
    except RecursionError as error:
        raise InvalidError("The value is nested too deeply to be written as JSON.") from error
    except (TypeError, ValueError) as error:
        raise InvalidError(f"The value cannot be written as JSON: {error}.") from error


def _utf8(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        # Halves of a surrogate pair are joined if they meet, as a reader would; a lone one is written as its escape.
        joined = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
        return joined.encode("utf-8", "backslashreplace")


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError(f"{text[:20]} is too large a number")
    return number


def _name_of(value: object) -> str:
    return {list: "an array", str: "a string", type(None): "null", bool: "true or false"}.get(type(value), "a number")


def finite_decoder(*, strict: bool = True) -> json.JSONDecoder:
    """Return a decoder of JSON whose numbers are finite: NaN, infinities and what is too large are a `ValueError`.

    Args:
        strict: control characters in texts are refused, as the standard has it.
    """
    return json.JSONDecoder(parse_constant=_refuse_constant, parse_float=_finite, strict=strict)


_DECODER = finite_decoder()
