"""What each field type takes and refuses."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from metadata.schemas.fields import Count, Email, Flag, Id, JsonObject, Name, Number, Sha256, Text, Timestamp

UUIDS = [
    "6f9619ff-8b86-4011-b42d-00c04fc964ff",
    "1b4e28ba-2fa1-11d2-883f-0016d3cca427",
    "018f3c5e-7b2a-7cde-8f01-23456789abcd",
    "6F9619FF-8B86-4011-B42D-00C04FC964FF",
]


@pytest.mark.parametrize("value", UUIDS)
def test_an_id_is_a_uuid_of_any_version_as_written(value: str) -> None:
    assert TypeAdapter(Id).validate_python(value) == value


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (Id, "user-123"),
        (Id, UUIDS[0] + "\n"),
        (Id, UUIDS[0].replace("-", "")),
        (Id, "../" + UUIDS[0]),
        (Sha256, "A" * 64),
        (Sha256, "a" * 63),
        (Sha256, "a" * 64 + "\n"),
        (Email, "nobody"),
        (Email, "a b@example.org"),
        (Email, "x" * 300 + "@example.org"),
        (Name, ""),
        (Text, 5),
        (Text, b"bytes"),
        (Timestamp, "2026-01-31T12:00:00"),
        (Timestamp, "2026-02-30T12:00:00Z"),
        (Timestamp, "yesterday"),
        (Timestamp, datetime(2026, 1, 31)),  # noqa: DTZ001 - the point
        (Timestamp, 0),
        (Number, True),
        (Number, "1"),
        (Number, float("nan")),
        (Number, float("inf")),
        (Count, -1),
        (Count, 1.5),
        (Count, True),
        (Count, "1"),
        (Flag, 1),
        (Flag, "true"),
        (JsonObject, []),
        (JsonObject, {1: 2}),
    ],
)
def test_what_only_looks_like_a_value_is_refused(kind: type[object], value: object) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(kind).validate_python(value)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2026-01-31T12:00:00Z", "2026-01-31T12:00:00.000Z"),
        ("2026-01-31T12:00:00.123456789Z", "2026-01-31T12:00:00.123Z"),
        ("2026-01-31T14:00:00.5+02:00", "2026-01-31T12:00:00.500Z"),
        (datetime(2026, 1, 31, 14, tzinfo=timezone(timedelta(hours=2))), "2026-01-31T12:00:00.000Z"),
    ],
)
def test_a_moment_is_read_in_any_zone(written: object, meant: str) -> None:
    assert TypeAdapter(Timestamp).validate_python(written) == meant


@given(st.datetimes(min_value=datetime(1970, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001 - Hypothesis wants it so
def test_a_normalised_moment_stays_as_it_is(moment: datetime) -> None:
    adapter = TypeAdapter(Timestamp)
    once = adapter.validate_python(moment)
    assert adapter.validate_python(once) == once


def test_text_may_hold_a_lone_surrogate_as_javascript_writes_it() -> None:
    assert TypeAdapter(Text).validate_python("cut \ud83d") == "cut \ud83d"


def test_a_whole_number_may_be_written_as_a_float() -> None:
    assert TypeAdapter(Count).validate_python(12.0) == 12


@pytest.mark.parametrize("kind", [Id, Sha256, Email, Name, Text, Timestamp, Number, Count, Flag, JsonObject])
def test_every_type_has_a_json_schema(kind: type[object]) -> None:
    assert "type" in TypeAdapter(kind).json_schema()
