"""Moments as text: one written form, any zone on reading."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metadata.clock import SystemClock, parse_timestamp, timestamp
from metadata.errors import InvalidError

ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
# A day off the ends of the calendar, so that no zone leads out of it.
MOMENTS = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=ZONES)  # noqa: DTZ001 - zones are drawn


def test_the_written_form() -> None:
    moment = datetime(2026, 1, 31, 13, 0, 0, 5999, tzinfo=timezone(timedelta(hours=1)))
    assert timestamp(moment) == "2026-01-31T12:00:00.005Z"


@given(MOMENTS)
def test_what_is_written_reads_back_to_the_millisecond(moment: datetime) -> None:
    text = timestamp(moment)
    read = parse_timestamp(text)
    assert timestamp(read) == text
    assert timedelta(0) <= moment - read < timedelta(milliseconds=1)


@given(MOMENTS, MOMENTS)
def test_written_moments_sort_as_text(one: datetime, other: datetime) -> None:
    assert (timestamp(one) <= timestamp(other)) or one > other


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-31T12:00:00Z",
        "2026-01-31T12:00:00.0Z",
        "2026-01-31T13:00:00.000+01:00",
        "2026-01-31T12:00:00.000000999Z",
        "2026-01-30T23:30:00-12:30",
    ],
)
def test_other_forms_with_a_zone_are_read(text: str) -> None:
    assert timestamp(parse_timestamp(text)) == "2026-01-31T12:00:00.000Z"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "2026-01-31",
        "2026-01-31T12:00:00",
        "2026-01-31 12:00:00Z",
        "2026-02-30T12:00:00Z",
        "2026-01-31T12:00:00Z ",
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(InvalidError):
        parse_timestamp(text)


def test_the_systems_clock_is_aware_and_goes_on() -> None:
    clock = SystemClock()
    assert clock.now().tzinfo is UTC
    first = clock.monotonic()
    assert first <= clock.monotonic()


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00+05:00", "9999-12-31T23:59:59-05:00"])
def test_a_moment_outside_the_calendar_in_utc_is_refused(text: str) -> None:
    with pytest.raises(InvalidError):
        parse_timestamp(text)
