"""The durability levels: when a sync happens, and what is said about it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from metadata.files.flush import Durability, Flusher

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def descriptor(tmp_path: Path) -> Iterator[int]:
    """An open file."""
    opened = os.open(tmp_path / "log.jsonl", os.O_RDWR | os.O_CREAT)
    yield opened
    os.close(opened)


@pytest.mark.parametrize(
    ("level", "whole_files", "every_append"),
    [(Durability.FULL, True, True), (Durability.BATCH, True, False), (Durability.NONE, False, False)],
)
def test_what_the_levels_promise(failing: Any, level: Durability, *, whole_files: bool, every_append: bool) -> None:
    flusher = Flusher(failing, level)
    assert (flusher.whole_files, flusher.every_append) == (whole_files, every_append)


def test_full_syncs_each_append_and_nothing_waits(failing: Any, descriptor: int) -> None:
    flusher = Flusher(failing, Durability.FULL)
    assert [flusher.after_append(descriptor, "a") for _ in range(3)] == [True] * 3
    assert failing.calls == ["fdatasync"] * 3
    assert flusher.pending("a") is False


def test_none_never_syncs_and_nothing_waits(failing: Any, descriptor: int) -> None:
    flusher = Flusher(failing, Durability.NONE, 1)
    assert not any(flusher.after_append(descriptor, "a") for _ in range(30))
    assert failing.calls == []
    assert flusher.pending("a") is False


def test_batch_syncs_once_in_so_many_lines_of_one_journal(failing: Any, descriptor: int) -> None:
    flusher = Flusher(failing, Durability.BATCH, 3)
    assert [flusher.after_append(descriptor, "a") for _ in range(7)] == [False, False, True, False, False, True, False]
    assert [flusher.after_append(descriptor, "b") for _ in range(2)] == [False, False], "each journal counts for itself"
    assert flusher.after_append(descriptor, "b", 5), "lines are counted, not writes"
    assert failing.calls == ["fdatasync"] * 3


def test_what_waits_is_told_once(failing: Any, descriptor: int) -> None:
    flusher = Flusher(failing, Durability.BATCH, 3)
    flusher.after_append(descriptor, "a")
    assert [flusher.pending("b"), flusher.pending("a"), flusher.pending("a")] == [False, True, False]
    flusher.after_append(descriptor, "a", 3)
    assert flusher.pending("a") is False, "it was synced"


def test_an_interval_below_one_syncs_every_append(failing: Any, descriptor: int) -> None:
    assert Flusher(failing, Durability.BATCH, 0).after_append(descriptor, "a")


def test_a_failed_sync_is_raised_and_not_tried_again(failing: Any, descriptor: int) -> None:
    flusher = Flusher(failing, Durability.FULL)
    failing.failing = {"fdatasync"}
    with pytest.raises(OSError, match="Input/output"):
        flusher.after_append(descriptor, "a")
    assert failing.calls == ["fdatasync"]
