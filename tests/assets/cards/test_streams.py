"""Parts of a file as files of their own."""

from __future__ import annotations

import base64
import io
import os

import pytest

from assets.cards.errors import DamagedCardError
from assets.cards.streams import base64_part_of, part_of

DATA = os.urandom(200_000)


def test_a_part_is_a_file() -> None:
    source = io.BytesIO(b"before" + DATA + b"after")
    with part_of(source, 6, len(DATA)) as part:
        assert part.read() == DATA
        assert part.seek(-3, io.SEEK_END) == len(DATA) - 3
        assert part.read() == DATA[-3:]
        part.seek(10)
        part.seek(5, io.SEEK_CUR)
        assert part.read(7) == DATA[15:22]
        assert part.tell() == 22
    assert not source.closed


def test_two_parts_are_read_in_turns() -> None:
    source = io.BytesIO(DATA)
    one, other = part_of(source, 0, 100_000), part_of(source, 100_000, 100_000)
    halves = [(one.read(30_000), other.read(30_000)) for _ in range(4)]
    assert b"".join(half for half, _ in halves) + b"".join(half for _, half in halves) == DATA


def test_a_part_ends_where_the_file_does() -> None:
    assert part_of(io.BytesIO(b"abc"), 1, 100).read() == b"bc"


@pytest.mark.parametrize("write", [base64.b64encode, base64.encodebytes])
@pytest.mark.parametrize("size", [0, 1, 2, 3, 100_000, 200_000])
def test_base64_is_decoded_while_it_is_read(write: type, size: int) -> None:
    text = write(DATA[:size])
    assert base64_part_of(io.BytesIO(b"#" + text + b"#"), 1, len(text)).read() == DATA[:size]


def test_padding_may_be_missing() -> None:
    assert base64_part_of(io.BytesIO(b"QUI"), 0, 3).read() == b"AB"


def test_what_is_no_base64_is_damage() -> None:
    with pytest.raises(DamagedCardError):
        base64_part_of(io.BytesIO(b"QUJD" * 50_000 + b"!!!!"), 0, 200_004).read()
