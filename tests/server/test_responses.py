"""Answers and their header fields."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request

from metadata.errors import BusyError, TooLargeError
from server.conditional import entity_tag
from server.responses import (
    empty_answer,
    encode_json,
    json_answer,
    problem_answer,
    request_id_of,
    status_answer,
    unchanged,
)

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.just("\ud800"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)


@given(VALUES)
def test_json_is_utf_8_and_reads_back(value: object) -> None:
    assert json.loads(encode_json(value).decode("utf-8")) == value


def test_json_is_compact_and_unescaped() -> None:
    assert encode_json({"name": "Zoë", "n": [1, 2]}) == '{"name":"Zoë","n":[1,2]}'.encode()


def test_json_cannot_hold_infinity() -> None:
    with pytest.raises(ValueError, match="JSON"):
        encode_json(math.inf)


def test_an_entity_may_be_kept_and_anything_else_not() -> None:
    kept = json_answer({}, 201, etag=entity_tag("v", "d"), location="/api/x/1")
    assert kept.status_code == 201
    assert kept.headers["etag"] == '"v.d"'
    assert kept.headers["cache-control"] == "private, no-cache"
    assert kept.headers["location"] == "/api/x/1"
    assert kept.headers["content-type"] == "application/json"
    plain = json_answer([])
    assert plain.headers["cache-control"] == "no-store"
    assert plain.headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert json_answer([], headers={"Cache-Control": "public"}).headers["cache-control"] == "public"


def test_unchanged_repeats_what_caches_need() -> None:
    answer = unchanged(entity_tag("v"))
    assert (answer.status_code, answer.body) == (304, b"")
    assert answer.headers["etag"] == '"v"'
    assert answer.headers["cache-control"] == "private, no-cache"


def test_empty() -> None:
    assert (empty_answer().status_code, empty_answer().body) == (204, b"")


def test_problems() -> None:
    answer = problem_answer(TooLargeError("Too big.", limit=1))
    assert (answer.status_code, answer.headers["content-type"]) == (413, "application/problem+json")
    assert json.loads(bytes(answer.body))["limit"] == 1
    assert problem_answer(BusyError("x")).headers["retry-after"] == "1"
    plain = status_answer(416, headers={"Content-Range": "bytes */5"}, actual=5)
    assert plain.headers["content-range"] == "bytes */5"
    assert json.loads(bytes(plain.body))["actual"] == 5


def test_request_ids() -> None:
    assert request_id_of(Request({"type": "http", "headers": [], "state": {"request_id": "r"}})) == "r"
    assert request_id_of(Request({"type": "http", "headers": []})) == ""
