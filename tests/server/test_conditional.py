"""Entity tags and the headers that compare them."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import Headers

from metadata.errors import InvalidError, StaleError
from server.conditional import (
    ANY,
    EntityTag,
    check_absent,
    check_match,
    entity_tag,
    field_of,
    not_modified,
    parse_tags,
    range_still_holds,
)

NOW = entity_tag("v2", "d1")
TAGS = st.builds(EntityTag, st.text("abc.,W/-!é", max_size=8), st.booleans())


@given(st.lists(TAGS, min_size=1, max_size=5), st.sampled_from([",", ", ", " ,\t", ",,", ", ,"]))
def test_lists_round_trip(tags: list[EntityTag], comma: str) -> None:
    assert parse_tags(comma.join(str(tag) for tag in tags)) == tuple(tags)


@given(st.text(max_size=40))
def test_any_text_is_a_list_a_star_or_nothing(text: str) -> None:
    parse_tags(text)


@pytest.mark.parametrize("text", ["", "abc", '"a', '"a" "b"', '"a", b', "**", ",", '"a b"', 'w/"a"'])
def test_what_is_no_list(text: str) -> None:
    assert parse_tags(text) is None


def test_several_lines_of_a_field_are_one_list() -> None:
    headers = Headers(raw=[(b"if-match", b'"a"'), (b"if-match", b'"b"')])
    assert field_of(headers, "If-Match") == '"a", "b"'
    assert field_of(headers, "if-range") is None


def test_a_long_run_of_spaces_costs_no_more_than_its_length() -> None:
    began = time.process_time()
    assert parse_tags(" " * 16_000) is None
    assert time.process_time() - began < 0.1


def test_star() -> None:
    assert parse_tags(" * ") is ANY


@pytest.mark.parametrize(
    ("header", "expected"),
    [('"v2.d1"', True), ('W/"v2.d1"', True), ('"x", "v2.d1"', True), ("*", True),
     ('"v2"', False), ('"v2.d2"', False), (None, False), ("v2.d1", False)],
)  # fmt: skip
def test_not_modified_compares_all_of_it_weakly(header: str | None, expected: bool) -> None:  # noqa: FBT001  # a table
    assert not_modified(header, NOW) is expected


@pytest.mark.parametrize("header", ['"v2.d1"', '"v2.other"', '"v2"', "*", None, '"x", "v2.z"'])
def test_writers_compare_the_version(header: str | None) -> None:
    check_match(header, NOW)


@pytest.mark.parametrize("header", ['"v1.d1"', 'W/"v2.d1"', '"d1"', '"v22"'])
def test_a_stale_writer_is_told(header: str) -> None:
    with pytest.raises(StaleError):
        check_match(header, NOW)


def test_an_unreadable_if_match_is_not_guessed() -> None:
    with pytest.raises(InvalidError):
        check_match("v2.d1", NOW)


def test_only_if_absent() -> None:
    check_absent("*", None)
    check_absent(None, NOW)
    with pytest.raises(StaleError):
        check_absent("*", NOW)


@pytest.mark.parametrize(
    ("header", "expected"),
    [(None, True), ('"v2.d1"', True), ('W/"v2.d1"', False), ('"v2"', False), ("*", False),
     ('"v2.d1", "x"', False), ("Sat, 01 Aug 2026 00:00:00 GMT", False)],
)  # fmt: skip
def test_if_range(header: str | None, expected: bool) -> None:  # noqa: FBT001  # a table
    assert range_still_holds(header, NOW) is expected
