"""Digests that clients announce."""

from __future__ import annotations

import base64
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assets.digest import digest_of
from metadata.errors import InvalidError
from server.digests import expected_digest, parse_digest_field, repr_digest

HELLO = digest_of(b"hello")
FIELD = f"sha-256=:{HELLO.base64}:"


@given(st.binary(max_size=64))
def test_round_trip(data: bytes) -> None:
    digest = digest_of(data)
    assert expected_digest([("repr-digest", repr_digest(digest))]) == digest


@pytest.mark.parametrize(
    "value",
    [FIELD, f"md5=:AAAA:, {FIELD}", f"{FIELD},unixsum=:AA==:", f'a="x, sha-256=:AAAA:";b=1, {FIELD}',
     f"a, b;c=?1 , {FIELD}", f"{FIELD};q=1", f"sha-256=:AAAA:, {FIELD}".replace("AAAA", digest_of(b"x").base64),
     f"x=(1 2), {FIELD}"],
)  # fmt: skip
def test_dictionaries(value: str) -> None:
    assert parse_digest_field("repr-digest", value) == HELLO


@pytest.mark.parametrize("value", ["sha-512=:AAAA:", "md5=:AAAA:", ""])
def test_other_algorithms_are_passed_over(value: str) -> None:
    assert parse_digest_field("repr-digest", value) is None


@pytest.mark.parametrize(
    "value",
    [f"sha-256={HELLO}", "sha-256", "sha-256=:AAAA:", "sha-256=:***:", "SHA-256=:AAAA:", "sha-256=:", "sha-256=:=:",
     f"{FIELD},",
     f"{FIELD} x", "=", "sha-256=:" + base64.b64encode(hashlib.sha512(b"").digest()).decode() + ":", "a=1," * 2000],
)  # fmt: skip
def test_what_cannot_be_read_is_refused(value: str) -> None:
    with pytest.raises(InvalidError):
        parse_digest_field("content-digest", value)


def test_plain_hex_of_either_case() -> None:
    assert expected_digest([("x-sha-256", HELLO.upper())]) == HELLO
    with pytest.raises(InvalidError, match="X-SHA-256"):
        expected_digest([("x-sha-256", HELLO[:-1])])


def test_several_have_to_agree() -> None:
    assert expected_digest([("x-sha-256", HELLO), ("repr-digest", FIELD), ("content-digest", FIELD)]) == HELLO
    assert expected_digest([("repr-digest", "md5=:AA==:"), ("repr-digest", FIELD)]) == HELLO
    with pytest.raises(InvalidError, match="different"):
        expected_digest([("x-sha-256", digest_of(b"other")), ("repr-digest", FIELD)])


def test_nothing_announced() -> None:
    assert expected_digest([("content-type", "x")]) is None


@given(st.text(max_size=80))
def test_any_field_is_read_or_refused(text: str) -> None:
    try:
        parse_digest_field("repr-digest", text)
    except InvalidError:
        return
