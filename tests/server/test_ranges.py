"""Byte ranges against a content of known length."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.ranges import MAX_RANGES, Span, Unsatisfiable, content_range, parse_range

SPECS = st.one_of(
    st.tuples(st.integers(0, 3000), st.integers(0, 3000)).map(lambda pair: f"{min(pair)}-{max(pair)}"),
    st.integers(0, 3000).map(lambda first: f"{first}-"),
    st.integers(0, 3000).map(lambda length: f"-{length}"),
)


def wanted(spec: str, size: int) -> set[int]:
    first, _, last = spec.partition("-")
    if not first:
        return set(range(max(size - int(last), 0), size))
    return set(range(int(first), min(int(last) + 1, size) if last else size))


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("bytes=0-99", (Span(0, 100),)),
        ("bytes=0-0", (Span(0, 1),)),
        ("bytes=990-", (Span(990, 1000),)),
        ("bytes=-10", (Span(990, 1000),)),
        ("bytes=-5000", (Span(0, 1000),)),
        ("bytes=500-5000", (Span(500, 1000),)),
        ("bytes=0-99999999999999999999", (Span(0, 1000),)),
        ("BYTES=1-2", (Span(1, 3),)),
        ("bytes=0-1, 500-501", (Span(0, 2), Span(500, 502))),
        ("bytes=500-501,,0-1", (Span(500, 502), Span(0, 2))),
        ("bytes=0-9,2000-", (Span(0, 10),)),
        ("bytes=0-9,5-20", (Span(0, 21),)),
        ("bytes=0-9,50-60", (Span(0, 61),)),
    ],
)
def test_what_is_sent(header: str, expected: tuple[Span, ...]) -> None:
    assert parse_range(header, 1000) == expected


@pytest.mark.parametrize("header", ["bytes=1000-", "bytes=5000-6000", "bytes=-0", "bytes=1000-,-0"])
def test_unsatisfiable(header: str) -> None:
    assert parse_range(header, 1000) == Unsatisfiable()


@pytest.mark.parametrize(
    "header",
    [None, "", "bytes", "bytes=", "bytes=-", "bytes=a-b", "bytes=5-4", "items=0-1", "bytes=0-1;2-3", "bytes=1 - 2",
     "bytes=٣-٤", "bytes=0x1-", "bytes=+1-2", "bytes=0-1,x", "bytes=--1", "bytes= =1-2", "bytes=" + "1" * 21 + "-"],
)  # fmt: skip
def test_malformed_is_ignored(header: str | None) -> None:
    assert parse_range(header, 1000) is None


def test_abuse_is_answered_with_the_whole() -> None:
    assert parse_range("bytes=" + ",".join("0-" for _ in range(5)), 1000) is None
    many = ",".join(f"{place * 200}-{place * 200}" for place in range(MAX_RANGES + 1))
    assert parse_range(f"bytes={many}", 10_000) is None


@given(st.lists(SPECS, min_size=1, max_size=MAX_RANGES), st.integers(0, 2000))
def test_every_byte_asked_for_is_sent_once_and_no_more_than_there_are(specs: list[str], size: int) -> None:
    spans = parse_range("bytes=" + ", ".join(specs), size)
    asked = set().union(*(wanted(spec, size) for spec in specs))
    if isinstance(spans, Unsatisfiable):
        assert not asked
        return
    if spans is None:
        assert len(specs) > 1
        return
    sent = [place for span in spans for place in range(span.start, span.end)]
    assert asked <= set(sent) <= set(range(size))
    assert len(sent) == len(set(sent))
    assert all(span.length > 0 for span in spans)


@given(st.text(max_size=60))
def test_any_header_is_survived(text: str) -> None:
    parse_range(text, 100)
    parse_range(f"bytes={text}", 100)


def test_content_range() -> None:
    assert content_range(Span(0, 10), 100) == "bytes 0-9/100"
    assert content_range(None, 100) == "bytes */100"
