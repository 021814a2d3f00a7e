"""A journal's bytes as lines: forwards and backwards the same lines, whatever the chunks, in bounded memory."""

from __future__ import annotations

import inspect
import os
import tempfile
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metadata.files import lines as module
from metadata.files.codec import encode_line
from metadata.files.filesystem import FileSystem
from metadata.files.lines import Damage, Line, backwards, blank, read_exactly, read_line, scan

if TYPE_CHECKING:
    from collections.abc import Iterator

PIECES = st.lists(
    st.sampled_from(
        [b"\n", b" ", b"\r", b"{}", b'{"id":"a"}', b"#", b"xy", b"\n\n", b"[1]", encode_line({"n": 1}, batch=0)]
    )
)


class Short(FileSystem):
    """Gives at most so many bytes at a time, and counts what it gave."""

    def __init__(self, most: int = 1 << 30) -> None:
        self.most = most
        self.given = 0

    def pread(self, descriptor: int, length: int, offset: int) -> bytes:
        data = super().pread(descriptor, min(length, self.most), offset)
        self.given += len(data)
        return data


@contextmanager
def file_of(data: bytes) -> Iterator[int]:
    """Yield a descriptor of a file that holds these bytes."""
    with tempfile.TemporaryFile() as file:
        file.write(data)
        file.flush()
        yield file.fileno()


def plainly(data: bytes, *, unfinished: bool) -> list[tuple[int, int, bytes]]:
    """Return offset, end and bytes of each line that is not blank, the simple way."""
    found, offset = [], 0
    for raw in data.split(b"\n"):
        end = min(offset + len(raw) + 1, len(data))
        if raw.strip() and (unfinished or data[offset + len(raw) :]):
            found.append((offset, end, raw))
        offset = end
    return found


@given(PIECES, st.integers(1, 9), st.integers(1, 9))
def test_forwards_every_finished_line_once_whatever_the_chunks(pieces: list[bytes], chunk: int, most: int) -> None:
    data = b"".join(pieces)
    with file_of(data) as descriptor, pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_CHUNK", chunk)
        found = list(scan(Short(most), descriptor, "a", 0))
    assert found == [read_line("a", *line) for line in plainly(data, unfinished=False)]


@given(PIECES, st.integers(1, 9), st.integers(1, 9))
def test_backwards_the_same_lines_and_the_unfinished_one(pieces: list[bytes], block: int, most: int) -> None:
    data = b"".join(pieces)
    with file_of(data) as descriptor, pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_FIRST_BLOCK", block)
        found = list(backwards(Short(most), descriptor, len(data)))
    assert found == plainly(data, unfinished=True)[::-1]


@given(PIECES, st.data())
def test_from_a_line_on_and_up_to_a_limit(pieces: list[bytes], data: st.DataObject) -> None:
    text = b"".join(pieces)
    starts = [0, *[place + 1 for place, byte in enumerate(text) if byte == ord("\n")]]
    start, limit = data.draw(st.sampled_from(starts)), data.draw(st.integers(0, len(text) + 3))
    with file_of(text) as descriptor:
        found = list(scan(FileSystem(), descriptor, "a", start, limit))
    lines = plainly(text[:limit], unfinished=False)
    assert found == [read_line("a", *line) for line in lines if line[0] >= start]


@pytest.mark.parametrize("chunk", [1, 7, 16, 17, 18, 1000])
def test_a_line_too_long_is_damage_and_what_follows_is_read(chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LONGEST", 16)
    monkeypatch.setattr(module, "_CHUNK", chunk)
    longest, longer = b'{"id":"123456"}\n', b'{"id":"1234567"}\n'
    assert (len(longest), len(longer)) == (16, 17)
    with file_of(longest + longer + b"{" * 90 + b"\n" + longest) as descriptor:
        found = list(scan(FileSystem(), descriptor, "a"))
    assert [type(item) for item in found] == [Line, Damage, Damage, Line]
    assert [(item.offset, item.length) for item in found if isinstance(item, Damage)] == [(16, 17), (33, 91)]
    assert [item.end for item in found if isinstance(item, Line)] == [16, 140]


def test_an_endless_line_is_not_held_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    class Endless(FileSystem):
        """A file of one letter, with one line at its end."""

        def pread(self, descriptor: int, length: int, offset: int) -> bytes:
            del descriptor
            assert length <= 1 << 20
            last = b'\n{"id":"a"}\n'
            held.append(sum(len(part) for part in parts()))
            return b"x" * min(length, 100_000_000 - offset) if offset < 100_000_000 else last[offset - 100_000_000 :]

    def parts() -> list[bytes]:
        found: list[bytes] = inspect.getgeneratorlocals(reading).get("parts", [])
        return found

    held: list[int] = []
    monkeypatch.setattr(module, "LONGEST", 1 << 20)
    reading: Any = module._raw_lines(Endless(), 0, 0, None)  # noqa: SLF001 - whose memory is looked into
    found = list(reading)
    assert [(begin, raw) for begin, _, raw in found] == [(0, None), (100_000_001, b'{"id":"a"}')]
    assert max(held) < 3 << 20


def test_a_line_says_where_it_is_what_it_holds_and_whether_it_is_sound() -> None:
    raw = encode_line({"id": "a", "_rev": 3}, batch=7)[:-1]
    assert read_line("a", 10, 99, raw) == Line(10, 99, {"id": "a", "_rev": 3}, "sound", 7)
    assert read_line("a", 10, 99, b'{"id":"a"}') == Line(10, 99, {"id": "a"}, "absent", None)
    altered = read_line("a", 10, 99, raw.replace(b'"a"', b'"b"'))
    assert isinstance(altered, Line)
    assert altered.check == "altered"


def test_damage_says_where_it_is_and_why() -> None:
    damage = read_line("chats/a.jsonl", 10, 14, b"{x}")
    assert isinstance(damage, Damage)
    assert (damage.path, damage.offset, damage.length, damage.kind) == ("chats/a.jsonl", 10, 4, "rot")
    assert "JSON" in damage.reason


@pytest.mark.parametrize(("raw", "is_blank"), [(b"", True), (b" \t\r", True), (b"\0", False), (b" x", False)])
def test_blank_is_white_space_alone(raw: bytes, *, is_blank: bool) -> None:
    assert blank(raw) is is_blank


@given(st.binary(max_size=60), st.integers(0, 70), st.integers(0, 70), st.integers(1, 9))
def test_short_reads_are_continued(data: bytes, length: int, offset: int, most: int) -> None:
    with file_of(data) as descriptor:
        assert read_exactly(Short(most), descriptor, length, offset) == data[offset : offset + length]


def test_the_last_line_of_a_long_journal_costs_a_short_read() -> None:
    fs = Short()
    with file_of(encode_line({"text": "x" * 100}, batch=0) * 20_000) as descriptor:
        next(backwards(fs, descriptor, os.fstat(descriptor).st_size))
    assert fs.given <= 4096
