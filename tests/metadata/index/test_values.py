"""Values as columns hold them."""

from __future__ import annotations

import pytest

from metadata.index.values import LARGEST, column_value, moment_value


@pytest.mark.parametrize(
    ("value", "held"),
    [(None, ""), (True, 1), (False, 0), (10**30, LARGEST), (-(10**30), -LARGEST), (1.5, 1.5), ("é", "é"), ([], "")],
)
def test_values(value: object, held: object) -> None:
    assert column_value(value) == held
    assert type(column_value(value)) is type(held)


@pytest.mark.parametrize(
    ("written", "held"),
    [
        ("2026-01-01T00:00:00.000Z", "2026-01-01T00:00:00.000Z"),
        ("2026-01-01T00:00:00+02:00", "2025-12-31T22:00:00.000Z"),
        ("2026-01-01T00:00:00Z", "2026-01-01T00:00:00.000Z"),
        ("2026-01-01T00:00:00.123456Z", "2026-01-01T00:00:00.123Z"),
        ("9999-12-31T23:59:59-05:00", "9999-12-31T23:59:59-05:00"),
        ("yesterday", "yesterday"),
        (5, ""),
        (None, ""),
    ],
)
def test_moments_sort_whatever_zone_they_were_written_in(written: object, held: str) -> None:
    assert moment_value(written) == held
