"""The lines of one write: where they will stand, what a reader will see, and what a failed work leaves."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metadata.errors import InvalidError, TooLargeError
from metadata.files import batch as module
from metadata.files.batch import Batch
from metadata.files.lines import Line, read_line

RECORDS = st.lists(st.dictionaries(st.sampled_from(["id", "_rev", "text", "_b", "_crc"]), st.text(max_size=9)))


def as_read(batch: Batch) -> list[object]:
    """Return the lines as a reader of the written bytes sees them."""
    found: list[object] = []
    offset = batch.start
    for raw in batch.data().split(b"\n")[:-1]:
        found.append(read_line("a", offset, offset + len(raw) + 1, raw))
        offset += len(raw) + 1
    assert offset == batch.end
    return found


@given(RECORDS, st.integers(0, 1000))
def test_the_lines_are_what_a_reader_will_see(records: list[dict[str, Any]], start: int) -> None:
    batch = Batch(start, (1, 2), start // 2)
    offsets = [batch.stage(record) for record in records]
    assert batch.lines == as_read(batch)
    assert offsets == [line.offset for line in batch.lines]
    assert (batch.count, batch.start, batch.identity) == (len(records), start, (1, 2))


@given(RECORDS, RECORDS)
def test_cut_lines_were_never_there(kept: list[dict[str, Any]], cut: list[dict[str, Any]]) -> None:
    batch, clean = Batch(7, (1, 2), 0), Batch(7, (1, 2), 0)
    for record in kept:
        assert batch.stage(record) == clean.stage(record)
    for record in cut:
        batch.stage(record)
    batch.cut(len(kept))
    assert (batch.data(), batch.lines, batch.end, batch.count) == (clean.data(), clean.lines, clean.end, clean.count)
    assert batch.stage({"id": "after"}) == clean.end


def test_each_line_says_up_to_where_the_journal_was_synced() -> None:
    batch = Batch(90, (1, 2), 40)
    batch.stage({"id": "a"})
    assert [line.batch for line in batch.lines] == [40]
    assert [item.batch for item in as_read(batch) if isinstance(item, Line)] == [40]


def test_what_cannot_be_staged_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LONGEST", 60)
    batch = Batch(0, (1, 2), 0)
    batch.stage({"id": "a"})
    before = batch.data(), batch.end, batch.count
    with pytest.raises(InvalidError):
        batch.stage({"id": object()})
    with pytest.raises(TooLargeError) as caught:
        batch.stage({"id": "x" * 60})
    assert caught.value.details["limit"] == 60
    assert (batch.data(), batch.end, batch.count) == before


def test_the_longest_line_that_a_reader_takes_can_be_staged(monkeypatch: pytest.MonkeyPatch) -> None:
    batch = Batch(0, (1, 2), 0)
    batch.stage({"id": "x" * 60})
    length = batch.end
    monkeypatch.setattr(module, "LONGEST", length)
    assert batch.stage({"id": "x" * 60}) == length
    with pytest.raises(TooLargeError):
        batch.stage({"id": "x" * 61})


def test_nothing_staged_is_no_bytes() -> None:
    assert Batch(5, (1, 2), 0).data() == b""
