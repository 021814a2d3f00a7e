"""Versions, keys and the two ways to say what shall be."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metadata.documents.contract import ANY, Stored, key_of, put, remove, same, version_of
from metadata.errors import InvalidError

if TYPE_CHECKING:
    from types import ModuleType

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


def test_a_version_is_32_hex_digits_of_the_content(make: ModuleType) -> None:
    record = make.tag("Wald")
    version = version_of("tag", record)
    assert len(version) == 32
    assert int(version, 16)
    assert version_of("tag", dict(reversed(record.items()))) == version
    assert Stored("tag", record["id"], record, 5).version == version


def test_a_version_leaves_our_and_derived_members_out(make: ModuleType) -> None:
    record = make.asset(1)
    version = version_of("asset", record)
    assert version_of("asset", {**record, "_rev": 3, "_meta": {"a": 1}, "relativePath": "elsewhere"}) == version
    assert version_of("asset", {**record, "size": 2}) != version
    assert version_of("asset", {**record, "unknown": 2}) != version


@given(JSON, JSON)
def test_records_are_the_same_when_their_json_is(left: object, right: object) -> None:
    assert same({"x": left}, {"x": left})
    assert same({"x": left, "y": 1}, {"y": 1, "x": left})
    if same({"x": left}, {"x": right}):
        assert left == right


@pytest.mark.parametrize(
    ("left", "right"), [(1, True), (0, False), (1, 1.0), ("1", 1), (None, 0), ({"a": 1}, {"a": True})]
)
def test_what_python_holds_for_equal_is_not_the_same_json(left: object, right: object) -> None:
    assert not same({"x": left}, {"x": right})


def test_absent_is_the_same_as_absent_alone() -> None:
    assert same(None, None)
    assert not same(None, {})


def test_keys(make: ModuleType) -> None:
    said = make.message(make.new_id())
    assert key_of("message", said) == f"{said['chatId']}/{said['id']}"
    assert key_of("verificationToken", {"identifier": "a@b", "token": "t"}) == "a@b/t"
    assert key_of("fact", {"sha256": make.sha(1)}) == make.sha(1)


def test_a_put_is_a_new_record_and_keeps_its_own_copy(make: ModuleType) -> None:
    record = make.tag("Wald")
    change = put("tag", record)
    record["name"] = "changed"
    assert (change.kind, change.key, change.expect, change.removes) == ("tag", record["id"], None, False)
    first = change.edit(None)
    assert first is not None
    assert first["name"] == "Wald"
    first["name"] = "changed"
    assert (change.edit(None) or {})["name"] == "Wald"


def test_a_removal_says_that_it_removes() -> None:
    change = remove("tag", "k")
    assert (change.expect, change.removes, change.edit({})) == (ANY, True, None)
    assert repr(ANY) == "ANY"


def test_what_has_no_json_form_has_no_version(make: ModuleType) -> None:
    with pytest.raises(InvalidError):
        version_of("tag", make.tag("x", weight=float("nan")))
