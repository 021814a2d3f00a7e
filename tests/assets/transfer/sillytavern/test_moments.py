"""Every form of a date that was found in real folders, and what is none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assets.transfer.sillytavern.moments import moment_in, moment_of
from metadata.clock import parse_timestamp


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (1687190832123, "2023-06-19T16:07:12.123Z"),
        (1687190832123.0, "2023-06-19T16:07:12.123Z"),
        ("1687190832123", "2023-06-19T16:07:12.123Z"),
        (1687190832, "2023-06-19T16:07:12.000Z"),
        ("2023-06-19T16:07:12.123Z", "2023-06-19T16:07:12.123Z"),
        ("2023-06-19T18:07:12.123+02:00", "2023-06-19T16:07:12.123Z"),
        ("2023-06-19T16:07:12", "2023-06-19T16:07:12.000Z"),
        ("2023-06-19 16:07:12", "2023-06-19T16:07:12.000Z"),
        ("June 19, 2023 4:07pm", "2023-06-19T16:07:00.000Z"),
        ("june 19, 2023 12:07AM", "2023-06-19T00:07:00.000Z"),
        ("June 19, 2023 12:07pm", "2023-06-19T12:07:00.000Z"),
        ("Jun 19, 2023 16:07", "2023-06-19T16:07:00.000Z"),
        ("June 19, 2023 4:07:12 PM", "2023-06-19T16:07:12.000Z"),
        ("2023-6-19@16h07m12s", "2023-06-19T16:07:12.000Z"),
        ("2023-06-19@16h07m12s123ms", "2023-06-19T16:07:12.123Z"),
        ("2023-6-19 @16h 07m 12s 5ms", "2023-06-19T16:07:12.005Z"),
        (" 2023-6-19 @16h 7m 12s 123ms ", "2023-06-19T16:07:12.123Z"),
    ],
)
def test_a_form_that_was_written(written: object, meant: str) -> None:
    assert moment_of(written) == meant


@pytest.mark.parametrize(
    "written",
    [
        *("", "yesterday", "Smarch 1, 2023 4:07pm", "2023-02-30@16h07m12s", "2023-6-19@25h07m12s", "1" * 18, "٣"),
        *(None, True, 0, -1, 1e300, float("nan"), float("inf"), [], {}, "x" * 100, "9999-12-31T23:59:59-10:00"),
    ],
)
def test_what_is_no_moment(written: object) -> None:
    assert moment_of(written) is None


def test_a_chat_name_holds_a_moment() -> None:
    assert moment_in("Seraphina - 2023-6-19 @16h 07m 12s 123ms") == "2023-06-19T16:07:12.123Z"
    assert moment_in("Seraphina - 2024-03-01@12h00m00s") == "2024-03-01T12:00:00.000Z"
    assert moment_in("The third one") is None


@given(st.one_of(st.text(max_size=70), st.integers(), st.floats(), st.datetimes().map(str)))
def test_whatever_is_written_is_a_moment_of_ours_or_none(written: object) -> None:
    moment = moment_of(written)
    assert moment is None or parse_timestamp(moment).tzinfo is not None
