"""Records as bytes and back."""

from __future__ import annotations

import json
import zlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metadata.errors import InvalidError, UnreadableError
from metadata.files.codec import (
    canonical,
    check_value,
    decode_document,
    decode_line,
    encode_document,
    encode_line,
    encode_plain_line,
)

_TEXT = st.text(st.characters(blacklist_categories=()))
_NUMBERS = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
_VALUES = st.recursive(
    st.none() | st.booleans() | _NUMBERS | _TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_TEXT, inner, max_size=4),
    max_leaves=12,
)
_RECORDS = st.dictionaries(_TEXT.filter(lambda name: name not in {"_b", "_crc"}), _VALUES, max_size=6)


def joined(value: Any) -> Any:
    """Join the halves of surrogate pairs, which no JSON text can keep apart."""
    if isinstance(value, str):
        return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
    if isinstance(value, list):
        return [joined(item) for item in value]
    if isinstance(value, dict):
        return {joined(name): joined(item) for name, item in value.items()}
    return value


@given(_RECORDS, st.none() | st.integers(0, 2**40))
def test_line_comes_back_as_it_was(record: dict[str, Any], batch: int | None) -> None:
    data = encode_line(record, batch=batch)
    assert data.endswith(b"\n")
    assert data.count(b"\n") == 1
    data.decode()
    decoded = decode_line(data[:-1])
    assert (decoded.record, decoded.check, decoded.batch) == (joined(record), "sound", batch)


@given(_RECORDS)
def test_document_comes_back_as_it_was(document: dict[str, Any]) -> None:
    stamped = encode_document(document, stamp=True)
    assert decode_document(stamped) == (joined(document), "sound")
    assert decode_document(encode_document(document, stamp=False)) == (joined(document), "absent")


def test_check_value_is_the_last_member_over_the_rest_of_the_line() -> None:
    data = encode_line({"id": "é"}, batch=7)
    rest = '{"id":"é","_b":7}'.encode()
    assert data == rest[:-1] + b',"_crc":"%08x"}\n' % zlib.crc32(rest)
    assert encode_line({}, batch=None) == b'{"_crc":"%08x"}\n' % zlib.crc32(b"{}")


def test_a_given_check_value_or_batch_is_replaced() -> None:
    assert decode_line(encode_line({"_b": 1, "_crc": "x", "a": 1}, batch=None)[:-1]).record == {"a": 1}


def test_a_plain_line_has_nothing_of_ours() -> None:
    assert encode_plain_line({"id": "ü", "half": "\ud83d"}) == '{"id":"ü","half":"\\ud83d"}\n'.encode()


def test_foreign_line_has_no_check_value() -> None:
    decoded = decode_line(b' {"id": "a", "n": 1} ')
    assert (decoded.record, decoded.check, decoded.batch) == ({"id": "a", "n": 1}, "absent", None)


def test_byte_order_mark_is_passed_over() -> None:
    assert decode_line(b'\xef\xbb\xbf{"a":1}').record == {"a": 1}
    assert decode_document(b'\xef\xbb\xbf{"a":1}') == ({"a": 1}, "absent")


def test_lone_surrogate_is_written_as_its_escape() -> None:
    assert b'"\\ud83d"' in encode_line({"a": "\ud83d"}, batch=None)


@pytest.mark.parametrize("position", range(len(b',"_crc":"')))
def test_one_rotten_byte_in_the_check_members_name_does_not_go_unseen(position: int) -> None:
    line = bytearray(encode_line({"id": "a"}, batch=None)[:-1])
    line[len(line) - 19 + position] ^= 0x01
    try:
        assert decode_line(bytes(line)).check == "altered"
    except UnreadableError:
        return


@given(_RECORDS, st.data())
def test_a_flipped_bit_is_never_taken_for_sound(record: dict[str, Any], data: st.DataObject) -> None:
    line = bytearray(encode_line(record, batch=0)[:-1])
    place = data.draw(st.integers(0, len(line) - 1))
    line[place] ^= 1 << data.draw(st.integers(0, 7))
    try:
        decoded = decode_line(bytes(line))
    except UnreadableError:
        return
    assert decoded.check == "altered"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"1",
        b"null",
        b'"x"',
        b'{"a":NaN}',
        b'{"a":Infinity}',
        b'{"a":1e999}',
        b'{"a":"\xff"}',
        b'{"a":1',
        b'{"a":1}{"b":2}',
        b"\x00" * 30,
        b'{"a":' + b"[" * 200_000,
        b'{"a":' + b"9" * 5000 + b"}",
    ],
)
def test_what_is_no_object_is_unreadable(data: bytes) -> None:
    with pytest.raises(UnreadableError):
        decode_line(data)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), object(), {1, 2}, b"x"])
def test_what_has_no_json_form_is_refused(value: object) -> None:
    with pytest.raises(InvalidError):
        encode_line({"a": value}, batch=None)
    with pytest.raises(InvalidError):
        encode_document({"a": value}, stamp=False)


def test_endless_nesting_is_refused() -> None:
    deep: list[Any] = []
    for _ in range(200_000):
        deep = [deep]
    with pytest.raises(InvalidError):
        encode_line({"a": deep}, batch=None)


def test_document_is_written_for_people() -> None:
    text = encode_document({"version": 1, "name": "Zoë", "tags": []}, stamp=True).decode()
    stamp = check_value({"version": 1, "name": "Zoë", "tags": []})
    assert text == f'{{\n  "version": 1,\n  "name": "Zoë",\n  "tags": [],\n  "_crc": "{stamp}"\n}}\n'


def test_edited_document_is_altered_but_order_and_own_members_do_not_count() -> None:
    data = encode_document({"a": 1, "b": 2}, stamp=True)
    assert decode_document(data.replace(b'"a": 1', b'"a": 3'))[1] == "altered"
    value, _ = decode_document(data)
    stamp = check_value(value)
    assert decode_document(json.dumps({"_meta": {}, "b": 2, "a": 1, "_crc": stamp}).encode())[1] == "sound"


def test_only_an_object_can_carry_a_check_value() -> None:
    with pytest.raises(InvalidError):
        encode_document([1], stamp=True)
    assert decode_document(encode_document([1], stamp=False)) == ([1], "absent")


def test_equal_values_have_one_canonical_text() -> None:
    assert canonical({"b": [1, "é"], "a": None}) == '{"a":null,"b":[1,"é"]}'.encode()
