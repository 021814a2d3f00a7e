"""Spans of time on the command line."""

from __future__ import annotations

from datetime import timedelta

import pytest

from metadata.errors import InvalidError
from server.cli.spans import seconds_of, span_of, written


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("0", 0), ("0s", 0), ("90s", 90), ("15m", 900), ("24h", 86_400), ("30d", 2_592_000), ("1w", 604_800)],
)
def test_spans(text: str, seconds: int) -> None:
    assert seconds_of(text, "--grace") == seconds


@pytest.mark.parametrize("text", ["", "1", "d", "1.5h", "-1d", "1 d", "9999999d"])
def test_no_spans(text: str) -> None:
    assert span_of(text) is None
    with pytest.raises(InvalidError) as caught:
        seconds_of(text, "--grace")
    assert caught.value.details == {"field": "--grace"}


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0s"), (59, "59s"), (60, "1m"), (5400, "90m"), (86_400, "1d"), (90_000, "25h")]
)
def test_written(seconds: int, text: str) -> None:
    assert written(seconds) == text
    assert span_of(text) == timedelta(seconds=seconds)
