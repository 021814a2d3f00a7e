"""The text of a card, as programs of many years have written it."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import pytest

from assets.cards.errors import DamagedCardError
from assets.cards.limits import DEFAULT, CardLimits
from assets.cards.text import decode_text, encode_json, parse_json, strict_base64
from metadata.errors import TooLargeError

if TYPE_CHECKING:
    from collections.abc import Callable

DOCUMENT = {"name": "Zoë 🦊", "n": [1, 2.5, None, True]}
PLAIN = json.dumps(DOCUMENT, ensure_ascii=False).encode()


@pytest.mark.parametrize(
    "write",
    [
        base64.b64encode,
        base64.urlsafe_b64encode,
        base64.encodebytes,
        lambda data: base64.b64encode(data).rstrip(b"="),
        lambda data: b"\n " + base64.b64encode(data) + b"\r\n\0",
        lambda data: base64.b64encode(b"\xef\xbb\xbf" + data),
        lambda data: base64.b64encode(data.decode().encode("utf-16")),
        lambda data: b"  " + data,
    ],
)
def test_every_way_of_writing_it_is_read(write: Callable[[bytes], bytes]) -> None:
    assert decode_text(write(PLAIN), DEFAULT) == DOCUMENT


def test_latin_1_is_read_where_it_is_no_utf_8() -> None:
    assert decode_text(base64.b64encode('{"name": "Zoë"}'.encode("latin-1")), DEFAULT) == {"name": "Zoë"}


@pytest.mark.parametrize(
    "text", [b"", b"not base64!", b"A", b"QUJD*", base64.b64encode(b"no json"), base64.b64encode(b'{"a": NaN}'), b"{"]
)
def test_rubbish_is_damage(text: bytes) -> None:
    with pytest.raises(DamagedCardError):
        decode_text(text, DEFAULT)


def test_a_locked_card_of_risuai_says_what_to_do() -> None:
    with pytest.raises(DamagedCardError, match="RisuAI"):
        decode_text(b"rcc||rccv1||QUJD||00||QUJD", DEFAULT)


@pytest.mark.parametrize("value", ["1e999", "Infinity", "9" * 5000])
def test_a_number_that_no_document_can_hold_is_damage(value: str) -> None:
    with pytest.raises(DamagedCardError):
        parse_json(b'{"a": ' + value.encode() + b"}", DEFAULT)


def nested(depth: int) -> bytes:
    return b'{"a":' * depth + b"1" + b"}" * depth


def test_depth_is_bounded() -> None:
    assert parse_json(nested(DEFAULT.depth), DEFAULT)
    for depth in (DEFAULT.depth + 1, 500, 100_000):
        with pytest.raises(DamagedCardError, match="nested"):
            parse_json(nested(depth), DEFAULT)


def test_size_and_values_are_bounded() -> None:
    small = CardLimits(json_bytes=20, values=5)
    assert parse_json(b"[1,1,1,1]", small) == [1, 1, 1, 1]
    with pytest.raises(TooLargeError):
        parse_json(b"[1,1,1,1,1,1]", small)
    with pytest.raises(TooLargeError):
        parse_json(b'"aaaaaaaaaaaaaaaaaaaa"', small)


@pytest.mark.parametrize("document", [DOCUMENT, {"half": "\ud83d"}, {"pair": "\ud83d\ude00"}, {}])
def test_what_is_written_is_read_again(document: dict[str, Any]) -> None:
    for indent in (None, 2):
        again = parse_json(encode_json(document, indent), DEFAULT)
        assert again == json.loads(json.dumps(document))


def test_base64_is_exact() -> None:
    assert strict_base64(b"QUI") == strict_base64(b"QUI=") == b"AB"
    with pytest.raises(DamagedCardError):
        strict_base64(b"QU I=")
