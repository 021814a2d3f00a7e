"""Reading a card out of every kind of file."""

from __future__ import annotations

import base64
import io
import json
from typing import TYPE_CHECKING

import pytest

from assets.cards.errors import DamagedCardError, NotACardError
from assets.cards.limits import CardLimits
from assets.cards.reading import FoundCard, read_card
from metadata.errors import TooLargeError

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType


def read(data: bytes) -> FoundCard:
    return read_card(io.BytesIO(data))


@pytest.mark.parametrize("kind", ["tEXt", "zTXt", "iTXt"])
@pytest.mark.parametrize("keyword", ["chara", "ccv3", "Chara", "CCV3"])
def test_every_chunk_and_keyword(building: ModuleType, keyword: str, kind: str) -> None:
    text = building.text(keyword, building.encoded(building.V2), kind)
    for data in (building.png([text]), building.png([], [text])):
        found = read(data)
        assert found.card.document == building.V2
        assert (found.container, found.card.spec) == ("png", "v2")
        assert [(text.keyword, text.form, text.won) for text in found.texts] == [(keyword.lower(), kind, True)]


def test_ccv3_wins_wherever_it_stands(building: ModuleType) -> None:
    old = building.text("chara", building.encoded(building.V2))
    new = building.text("ccv3", building.encoded(building.V3))
    for data in (building.png([old, new]), building.png([new], [old]), building.png([], [old, new])):
        found = read(data)
        assert found.card.document == building.V3
        assert [(text.keyword, text.won) for text in found.texts] == [("ccv3", True), ("chara", False)]
        assert found.problems == ()


def test_a_damaged_ccv3_gives_way_and_says_so(building: ModuleType) -> None:
    old = building.text("chara", building.encoded(building.V2))
    for damaged in (b"!!", b"QUJD", base64.b64encode(b'{"no": "card"}')):
        found = read(building.png([building.text("ccv3", damaged)], [old]))
        assert found.card.document == building.V2
        assert [(text.keyword, text.won) for text in found.texts] == [("ccv3", False), ("chara", True)]
        (problem,) = found.problems
        assert problem.startswith("ccv3: ")


def test_the_last_of_several_wins(building: ModuleType) -> None:
    """Who adds a card to a picture without taking the old one out adds it at the end."""
    texts = [building.text("chara", building.encoded({**building.V1, "name": name})) for name in "AB"]
    found = read(building.png(texts[:1], texts[1:]))
    assert found.card.data["name"] == "B"
    assert [text.won for text in found.texts] == [True, False]
    assert read(building.png(texts, [building.text("chara", b"!")])).card.data["name"] == "B"


def test_only_some_texts_are_tried(building: ModuleType) -> None:
    good = building.text("chara", building.encoded(building.V1))
    bad = building.text("chara", b"!")
    assert read(building.png([good] + [bad] * 7)).problems
    with pytest.raises(DamagedCardError):
        read(building.png([good] + [bad] * 8))


def test_a_wrong_check_value_does_not_hide_a_sound_card(building: ModuleType) -> None:
    data = bytearray(building.card_png(building.V1))
    assert read(bytes(data)).problems == ()
    data[-13] ^= 1  # the last byte of the text chunk's check value
    found = read(bytes(data))
    assert found.card.document == building.V1
    (problem,) = found.problems
    assert "check value" in problem


def test_a_picture_that_breaks_off_after_its_card(building: ModuleType) -> None:
    data = building.png([building.text("chara", building.encoded(building.V1))])
    assert read(data[:-20]).card.document == building.V1


def test_a_moving_picture(building: ModuleType) -> None:
    text = building.text("chara", building.encoded(building.V1))
    assert read(building.png([building.chunk(b"acTL", bytes(8)), text])).container == "apng"


def test_an_ordinary_picture_is_no_card(building: ModuleType) -> None:
    with pytest.raises(NotACardError, match="ordinary picture"):
        read(building.png([building.text("Comment", b"chara")]))
    with pytest.raises(DamagedCardError, match="breaks off"):
        read(building.png()[:-30])


def test_the_pictures_of_the_corpus_are_no_cards(corpus: Path) -> None:
    for path in sorted((corpus / "images").iterdir()):
        with path.open("rb") as source, pytest.raises((NotACardError, DamagedCardError)):
            read_card(source)


@pytest.mark.parametrize("write", [lambda text: text.encode(), lambda text: text.encode("utf-8-sig"), str.encode])
def test_json(building: ModuleType, write: type) -> None:
    for document in (building.V1, building.V2, building.V3):
        found = read(write(json.dumps(document, indent=1)))
        assert found.card.document == document
        assert (found.container, found.picture_identity, found.open_picture()) == ("json", None, None)


def test_json_in_utf_16_and_with_space_before_it(building: ModuleType) -> None:
    text = json.dumps(building.V1)
    assert read(text.encode("utf-16")).card.document == building.V1
    assert read(b"\r\n  " + text.encode()).card.document == building.V1


@pytest.mark.parametrize("data", [b'{"name": "A book", "entries": {}}', b"{}", b"", b"hello", b"PK\5\6", b"\0" * 50])
def test_other_files_are_no_cards(data: bytes) -> None:
    with pytest.raises(NotACardError):
        read(data)


@pytest.mark.parametrize("data", [b'{"first_mes": ', b"{'char_greeting': 'A'}", b'{"spec": "chara_card_v2", "data"'])
def test_broken_json_is_damage(data: bytes) -> None:
    with pytest.raises(DamagedCardError):
        read(data)


@pytest.mark.parametrize("data", [b'{"user_name": "A"}\n{"mes": "B"}\n', b"{\\rtf1 text}", b"{" * 5000])
def test_what_only_begins_like_json_is_something_else(data: bytes) -> None:
    with pytest.raises(NotACardError):
        read(data)
    with pytest.raises(NotACardError):
        read_card(io.BytesIO(data), limits=CardLimits(json_bytes=5))


def test_a_newer_card_is_read_and_told(building: ModuleType) -> None:
    found = read(json.dumps({**building.V3, "spec_version": "3.1"}).encode())
    assert found.card.spec == "v3"
    (problem,) = found.problems
    assert "newer" in problem


def test_json_is_bounded(building: ModuleType) -> None:
    data = json.dumps(building.V1).encode()
    with pytest.raises(TooLargeError):
        read_card(io.BytesIO(data), limits=CardLimits(json_bytes=len(data) - 1))


def test_assets_in_chunks(building: ModuleType) -> None:
    document = {**building.V3, "data": {**building.V3["data"], "assets": [
        {"type": "icon", "uri": "ccdefault:", "name": "main", "ext": "png"},
        {"type": "Emotion", "uri": "embeded://a/happy.png", "name": "happy", "ext": "PNG"},
        {"type": "emotion", "uri": "__asset:2", "name": "sad", "ext": ".webp"},
        {"type": "background", "uri": "https://example.org/b.png", "name": "b", "ext": "png"},
        {"type": "other", "uri": "data:text/plain;base64,aGk=", "name": "t", "ext": "txt"},
        {"type": "other", "uri": "embeded://gone.png", "name": "gone", "ext": "png"},
    ]}}  # fmt: skip
    chunks = [
        building.text("chara-ext-asset_:a/happy.png", base64.b64encode(b"happy")),
        building.text("chara-ext-asset_2", base64.b64encode(b"sad")),
        building.text("chara-ext-asset_:nobody.bin", base64.b64encode(b"kept")),
        building.chunk(b"tEXt", b"chara-ext-asset_:\xfc.bin\0" + base64.b64encode(b"latin")),
    ]
    source = io.BytesIO(building.png([*chunks, building.text("ccv3", building.encoded(document))]))
    found = read_card(source)
    seen = [(asset.type, asset.name, asset.ext, (opened := asset.open()) and opened.read()) for asset in found.assets]
    assert seen == [
        ("icon", "main", "png", None),
        ("emotion", "happy", "png", b"happy"),
        ("emotion", "sad", "webp", b"sad"),
        ("background", "b", "png", None),
        ("other", "t", "txt", b"hi"),
        ("other", "gone", "png", None),
        ("other", "nobody.bin", "bin", b"kept"),
        ("other", "ü.bin", "bin", b"latin"),
    ]
    picture = found.open_picture()
    assert picture is not None
    assert picture.read() == source.getvalue()


def test_seraphina(corpus: Path) -> None:
    with (corpus / "tavern/default_Seraphina.png").open("rb") as source:
        found = read_card(source)
        assert found.card.spec == "v2"
        assert found.card.data["name"] == "Seraphina"
        assert len(found.card.data["character_book"]["entries"]) > 0
        assert [text.keyword for text in found.texts] == ["chara"]
