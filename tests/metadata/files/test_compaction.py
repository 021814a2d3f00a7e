"""What a rewritten journal holds; `test_journal.py` has the lock, the rename and the failures around it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from metadata.errors import InvalidError, UnreadableError
from metadata.files.atomic import Draft
from metadata.files.codec import encode_line
from metadata.files.compaction import Item, Recall, Source
from metadata.files.filesystem import FileSystem
from metadata.files.lines import Damage, Line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

OURS = encode_line({"id": "a", "_rev": 1}, batch=0)
FOREIGN = b'{ "id" : "b" }\r\n'
ALTERED = encode_line({"id": "c"}, batch=0).replace(b'"c"', b'"C"')
BROKEN = b'{"id":\0\xff}\n'
ALL = OURS + FOREIGN + ALTERED + BROKEN


@pytest.fixture
def rewritten(tmp_path: Path) -> Iterator[Callable[..., bytes]]:
    """Return a function that writes a journal anew from `start` to `limit`, and returns the new bytes."""
    file = tmp_path / "log.jsonl"
    file.write_bytes(ALL)
    descriptor = os.open(file, os.O_RDONLY)

    def run(rewrite: Callable[[Any], Iterator[Item]] = iter, start: int = 0, limit: int = len(ALL)) -> bytes:
        source = Source(FileSystem(), descriptor, "log.jsonl")
        with Draft(FileSystem(), tmp_path / "new.jsonl") as draft:
            source.copy(rewrite(source.lines(start, limit)), draft)
            draft.publish(sync=False)
        return (tmp_path / "new.jsonl").read_bytes()

    yield run
    os.close(descriptor)


def test_our_lines_lose_their_offsets_and_all_others_stay_byte_for_byte(rewritten: Callable[..., bytes]) -> None:
    assert rewritten() == encode_line({"id": "a", "_rev": 1}, batch=None) + FOREIGN + ALTERED + BROKEN


def test_a_rewrite_sees_lines_and_damage_where_they_are(rewritten: Callable[..., bytes]) -> None:
    seen: list[Line | Damage] = []

    def note(items: Iterator[Line | Damage]) -> Iterator[Item]:
        seen.extend(items)
        return iter(())

    assert rewritten(note) == b""
    assert [item.offset for item in seen] == [0, len(OURS), len(OURS + FOREIGN), len(OURS + FOREIGN + ALTERED)]
    assert [item.check if isinstance(item, Line) else item.kind for item in seen] == [
        "sound",
        "absent",
        "altered",
        "rot",
    ]


def test_records_get_a_check_value_and_bytes_are_written_as_they_are(rewritten: Callable[..., bytes]) -> None:
    def replace(_: Iterator[Line | Damage]) -> Iterator[Item]:
        return iter([{"id": "z", "_b": 9, "_crc": "x"}, b'{"raw":1}\n', b'{"raw":2}'])

    assert rewritten(replace) == encode_line({"id": "z"}, batch=None) + b'{"raw":1}\n{"raw":2}\n'


def test_only_the_lines_between_two_offsets_are_copied(rewritten: Callable[..., bytes]) -> None:
    assert rewritten(start=len(OURS), limit=len(OURS + FOREIGN)) == FOREIGN
    assert rewritten(start=len(OURS), limit=len(OURS + FOREIGN) - 1) == b"", "a line that is not whole yet is left"
    assert rewritten(start=len(ALL)) == b""


def test_a_record_without_a_json_form_is_refused(rewritten: Callable[..., bytes]) -> None:
    with pytest.raises(InvalidError):
        rewritten(lambda _: iter([{"id": object()}]))


def test_what_is_written_anew_reads_as_before(rewritten: Callable[..., bytes]) -> None:
    first = rewritten()
    assert rewritten() == first
    assert b'"_b"' not in first.split(b"\n")[0]


def test_a_line_is_read_once_more_through_the_same_descriptor(rewritten: Callable[..., bytes]) -> None:
    def recalled(items: Iterator[Line | Damage]) -> Iterator[Item]:
        first, second = [item for item in items if isinstance(item, Line)][:2]
        yield Recall(first.offset, first.end - first.offset, lambda line: {**line.record, "more": 1})
        yield Recall(second.offset, second.end - second.offset, lambda _: None)
        yield Recall(second.offset, second.end - second.offset, lambda line: line)

    assert rewritten(recalled) == encode_line({"id": "a", "_rev": 1, "more": 1}, batch=None) + FOREIGN


def test_a_line_that_is_damaged_when_it_is_read_once_more_ends_the_rewrite(rewritten: Callable[..., bytes]) -> None:
    broken = Recall(len(ALL) - len(BROKEN), len(BROKEN), lambda line: line)
    with pytest.raises(UnreadableError):
        rewritten(lambda _: iter([broken]))


def test_what_went_where_is_remembered(tmp_path: Path) -> None:
    file = tmp_path / "log.jsonl"
    file.write_bytes(ALL)
    with file.open("rb") as held, Draft(FileSystem(), tmp_path / "new.jsonl") as draft:
        source = Source(FileSystem(), held.fileno(), "log.jsonl")
        assert source.moves.last is None
        source.copy(iter([Recall(0, len(OURS), lambda _: {"id": "a"})]), draft)
        source.copy(source.lines(len(OURS), len(OURS + FOREIGN)), draft)
        length = len(encode_line({"id": "a"}, batch=None))
        assert list(source.moves) == [(0, 0, length, True), (len(OURS), length, len(FOREIGN), False)]
        assert source.moves.last == (length, len(FOREIGN))
        source.copy(iter([{"id": "new"}]), draft)
        assert (len(source.moves), source.moves.last) == (3, None)
