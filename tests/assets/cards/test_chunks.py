"""The chunks of a PNG, and the texts in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from assets.cards.chunks import SIGNATURE, copy_range, is_png, is_sound, read_text, text_chunk, walk
from assets.cards.errors import DamagedCardError
from assets.cards.limits import CardLimits
from metadata.errors import TooLargeError

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType


def test_the_chunks_of_a_picture(building: ModuleType) -> None:
    source = building.file(building.png([building.text("Comment", b"c")], [building.text("ChArA", b"x", "zTXt")]))
    chunks = list(walk(source))
    assert [chunk.name for chunk in chunks] == [b"IHDR", b"tEXt", b"IDAT", b"zTXt", b"IEND"]
    assert [chunk.card_keyword for chunk in chunks] == ["", "", "", "chara", ""]
    assert [chunk.is_cards for chunk in chunks] == [False, False, False, True, False]
    assert all(is_sound(source, chunk) for chunk in chunks)


@pytest.mark.parametrize(
    ("keyword", "path"), [("chara-ext-asset_:a/b.png", "a/b.png"), ("Chara-Ext-Asset_7", "7"), ("chara", None)]
)
def test_the_path_of_an_asset(building: ModuleType, keyword: str, path: str | None) -> None:
    source = building.file(building.png([building.text(keyword, b"x")]))
    assert next(chunk for chunk in walk(source) if chunk.name == b"tEXt").asset_path == path


@pytest.mark.parametrize(("kind", "packed"), [("tEXt", False), ("zTXt", True), ("iTXt", True), ("iTXt", False)])
def test_the_text_of_every_kind(building: ModuleType, kind: str, packed: bool) -> None:  # noqa: FBT001 - from parametrize
    source = building.file(building.png([building.text("ccv3", b"the\0text", kind, packed=packed)]))
    chunk = next(chunk for chunk in walk(source) if chunk.card_keyword)
    assert read_text(source, chunk) == b"the\0text"


def test_a_broken_check_value_is_seen(building: ModuleType) -> None:
    data = bytearray(building.png([building.text("chara", b"text")]))
    data[data.index(b"text")] ^= 1
    source = building.file(bytes(data))
    assert [is_sound(source, chunk) for chunk in walk(source)] == [True, False, True, True]


def test_a_picture_that_breaks_off(building: ModuleType) -> None:
    data = building.png([building.text("chara", b"text")])
    source = building.file(data[: data.index(b"text") + 2])
    last = list(walk(source))[-1]
    assert (last.card_keyword, last.whole, is_sound(source, last)) == ("chara", False, False)
    with pytest.raises(DamagedCardError, match="breaks off"):
        read_text(source, last)


@pytest.mark.parametrize("content", [b"chara\0\0not zlib", b"chara\0\0" + bytes.fromhex("789c4b")])
def test_a_text_that_does_not_inflate(building: ModuleType, content: bytes) -> None:
    source = building.file(building.png([building.chunk(b"zTXt", content)]))
    with pytest.raises(DamagedCardError, match="inflate"):
        read_text(source, next(chunk for chunk in walk(source) if chunk.card_keyword))


def test_texts_and_chunks_are_bounded(building: ModuleType) -> None:
    source = building.file(building.png([building.text("chara", b"x" * 1000, "zTXt")]))
    chunk = next(chunk for chunk in walk(source) if chunk.card_keyword)
    with pytest.raises(TooLargeError):
        read_text(source, chunk, CardLimits(text_bytes=999))
    with pytest.raises(TooLargeError):
        list(walk(source, CardLimits(chunks=3)))


def test_a_text_chunk_is_sound(building: ModuleType) -> None:
    assert text_chunk("chara", b"abc") == building.text("chara", b"abc")


def test_copying_gives_the_bytes(building: ModuleType) -> None:
    data = building.png() * 2000
    assert b"".join(copy_range(building.file(data), 5, len(data) - 5)) == data[5:-5]


def test_the_pictures_of_the_corpus_are_walked_to_their_end(corpus: Path) -> None:
    for path in sorted((corpus / "images").glob("*.png")):
        with path.open("rb") as source:
            assert is_png(source), path
            chunks = list(walk(source))
            assert chunks[0].offset == len(SIGNATURE)
            assert chunks[-1].name == b"IEND" or not chunks[-1].whole or chunks[-1].end <= path.stat().st_size, path
