"""JSON bodies are read within a limit and parsed strictly."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request

from metadata.errors import InvalidError, TooLargeError, UnsupportedError
from server.bodies import JSON_TYPES, MAX_DEPTH, PATCH_TYPES, parse_json, parse_object, read_body

if TYPE_CHECKING:
    from starlette.types import Message

SOUND = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


def request(chunks: list[bytes], headers: dict[str, str], taken: list[bytes] | None = None) -> Request:
    waiting = list(chunks)

    async def receive() -> Message:
        chunk = waiting.pop(0)
        if taken is not None:
            taken.append(chunk)
        return {"type": "http.request", "body": chunk, "more_body": bool(waiting)}

    fields = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "method": "POST", "headers": fields}, receive)


def read(chunks: list[bytes], **headers: str) -> bytes:
    return asyncio.run(read_body(request(chunks, headers), 100, JSON_TYPES))


@given(SOUND)
def test_sound_json_comes_back(value: object) -> None:
    assert parse_json(json.dumps(value, ensure_ascii=False).encode()) == value


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b'{"a":1,}', "not JSON"),
        (b"\xff\xfe", "not UTF-8"),
        (b"\xef\xbb\xbf{}", "not JSON"),
        (b'{"a":1,"b":{"x":1,"x":1}}', "'x' twice"),
        (b"[NaN]", "NaN"),
        (b"[-Infinity]", "Infinity"),
        (b"[1e999]", "too large"),
        (b"[" + b"9" * 5000 + b"]", "too many digits"),
        (b'["\\ud800"]', "surrogate"),
        (b'{"\\udfff":1}', "surrogate"),
        (b'{"\\ud800":1,"\\ud800":1}', "twice"),
        (b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1), "deeper"),
        (b"[" * 200_000, "deeper"),
        (b'{"a":' * 200_000, "deeper"),
    ],
)
def test_what_is_not_strict_json_is_refused(text: bytes, reason: str) -> None:
    with pytest.raises(InvalidError, match=reason):
        parse_json(text)


def test_a_pair_of_surrogates_is_a_character_and_the_allowed_depth_is_allowed() -> None:
    assert parse_json(b'"\\ud83d\\ude00"') == "\U0001f600"
    assert parse_json(b"[" * MAX_DEPTH + b"]" * MAX_DEPTH)


def test_an_object_is_asked_for() -> None:
    assert parse_object(b'{"a":1}') == {"a": 1}
    with pytest.raises(InvalidError, match="object"):
        parse_object(b"[]")


def test_a_body_in_pieces_is_put_together() -> None:
    assert read([b"{", b"}", b""], content_type="Application/JSON; charset=utf-8") == b"{}"
    assert read([b"{}"]) == b"{}"


def test_a_body_over_the_limit_is_refused_while_it_comes() -> None:
    with pytest.raises(TooLargeError) as caught:
        read([b"x" * 60, b"x" * 60, b"never read"])
    assert caught.value.details == {"limit": 100, "actual": 120, "setting": "CALOTYPE_MAX_JSON_BYTES"}


def test_a_body_announced_over_the_limit_is_refused_unread() -> None:
    taken: list[bytes] = []
    announced = request([b"x"], {"content-length": "101"}, taken)
    with pytest.raises(TooLargeError):
        asyncio.run(read_body(announced, 100, JSON_TYPES))
    assert taken == []


@pytest.mark.parametrize("headers", [{"content_type": "text/plain"}, {"content_encoding": "gzip"}])
def test_another_media_type_or_coding_is_refused(headers: dict[str, str]) -> None:
    with pytest.raises(UnsupportedError) as caught:
        read([b"{}"], **headers)
    assert caught.value.details["field"] in {"Content-Type", "Content-Encoding"}


def test_patches_have_two_media_types() -> None:
    for media in PATCH_TYPES:
        assert asyncio.run(read_body(request([b"{}"], {"content-type": media}), 9, PATCH_TYPES)) == b"{}"
