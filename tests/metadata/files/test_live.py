"""Later lines of a key stand in for earlier ones."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from metadata.files.lines import Line
from metadata.files.live import live_records


def lines(*records: dict[str, Any]) -> list[Line]:
    """Return lines that hold these records."""
    return [Line(number, number + 1, record, "sound", None) for number, record in enumerate(records)]


def test_a_higher_revision_stands_in_the_place_of_the_first() -> None:
    found = lines({"id": "a", "_rev": 1, "n": 1}, {"id": "b", "_rev": 2}, {"id": "a", "_rev": 3, "n": 2})
    assert live_records(found, ("id",)) == [{"id": "a", "n": 2}, {"id": "b"}]


def test_a_lower_or_equal_revision_supersedes_nothing() -> None:
    found = lines({"id": "a", "_rev": 5, "n": 1}, {"id": "a", "_rev": 5, "n": 2}, {"id": "a", "_rev": 4, "n": 3})
    assert [record["n"] for record in live_records(found, ("id",))] == [1, 2, 3]


def test_foreign_lines_of_one_key_are_all_returned() -> None:
    found = lines({"id": "a", "n": 1}, {"id": "a", "n": 2}, {"id": "a", "_rev": 1, "n": 3})
    assert live_records(found, ("id",)) == [{"id": "a", "n": 3}, {"id": "a", "n": 2}]


def test_a_removed_record_is_gone_until_it_is_written_again() -> None:
    removed = [{"id": "a", "_rev": 1}, {"id": "b", "_rev": 2}, {"id": "a", "_rev": 3, "_deleted": True, "_was": "x"}]
    assert live_records(lines(*removed), ("id",)) == [{"id": "b"}]
    again = {"id": "a", "_rev": 4, "n": 1}
    assert live_records(lines(*removed, again), ("id",)) == [{"id": "a", "n": 1}, {"id": "b"}]


def test_a_revision_that_is_no_number_is_none() -> None:
    for odd in (True, "9", 9.5, None):
        found = lines({"id": "a", "n": 1}, {"id": "a", "_rev": odd, "n": 2})
        assert [record["n"] for record in live_records(found, ("id",))] == [1, 2]


def test_only_the_bookkeeping_goes() -> None:
    record = {"id": "a", "_rev": 1, "_was": "b", "_meta": {"x": 1}, "_b": 5, "empty": None}
    assert live_records(lines(record), ("id",)) == [{"id": "a", "_meta": {"x": 1}, "_b": 5, "empty": None}]


def test_a_key_of_several_members() -> None:
    found = lines(
        {"identifier": "x", "token": "1", "_rev": 1},
        {"identifier": "x", "token": "2", "_rev": 2},
        {"identifier": "x", "token": "1", "_rev": 3, "_deleted": True},
    )
    assert live_records(found, ("identifier", "token")) == [{"identifier": "x", "token": "2"}]


def test_lines_without_a_key_are_each_their_own() -> None:
    nameless: list[dict[str, Any]] = [{"n": 1, "_rev": 1}, {"n": 2, "_rev": 2}, {"id": 7, "_rev": 3}, {"id": 7}]
    assert live_records(lines(*nameless), ("id",)) == [{"n": 1}, {"n": 2}, {"id": 7}, {"id": 7}]


def test_without_a_key_every_line_is_returned_as_it_is() -> None:
    records: list[dict[str, Any]] = [{"id": "a", "_rev": 1}, {"id": "a", "_rev": 2, "_deleted": True}]
    assert live_records(lines(*records), None) == records


@given(st.lists(st.tuples(st.sampled_from("abc"), st.booleans()), max_size=30))
def test_with_rising_revisions_the_last_word_of_each_key_counts(steps: list[tuple[str, bool]]) -> None:
    records, last, order = [], {}, []
    for number, (name, deleted) in enumerate(steps):
        records.append({"id": name, "_rev": number + 1, "n": number} | ({"_deleted": True} if deleted else {}))
        last[name] = None if deleted else {"id": name, "n": number}
        order += [name] if name not in order else []
    assert live_records(lines(*records), ("id",)) == [last[name] for name in order if last[name] is not None]
