"""What is written into a picture."""

from __future__ import annotations

import base64
import io
import json
from typing import TYPE_CHECKING

import pytest

from assets.cards.asset import CardAsset
from assets.cards.card import Card
from assets.cards.chunks import is_sound, walk
from assets.cards.errors import DamagedCardError
from assets.cards.identity import picture_identity
from assets.cards.reading import read_card
from assets.cards.writing import to_json, write_png
from metadata.errors import UnsupportedError

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType


def written(picture: bytes, building: ModuleType) -> io.BytesIO:
    out = io.BytesIO()
    write_png(io.BytesIO(picture), Card(building.V2), Card(building.V3), out)
    return out


def test_one_of_each_and_all_else_as_it_was(building: ModuleType) -> None:
    text = building.text
    kept = [text("Comment", b"c"), building.chunk(b"prVt", b"\0\1"), text("chara-ext-asset_:1", b"QQ==")]
    old = [text("chara", b"x"), text("CHARA", b"y", "zTXt"), text("ccv3", b"z", "iTXt")]
    damaged = bytearray(building.chunk(b"zzZz", b"abc"))
    damaged[-1] ^= 1
    out = written(building.png([old[0], *kept, bytes(damaged)], old, tail=b"tail"), building)
    new = [
        text("chara", base64.b64encode(json.dumps(building.V2, separators=(",", ":")).encode())),
        text("ccv3", base64.b64encode(json.dumps(building.V3, separators=(",", ":")).encode())),
    ]
    assert out.getvalue() == building.png([*kept, bytes(damaged)], new, tail=b"tail")


def test_writing_again_changes_nothing(building: ModuleType) -> None:
    once = written(building.png(), building).getvalue()
    assert written(once, building).getvalue() == once


def test_the_picture_of_the_corpus_keeps_its_identity(corpus: Path, building: ModuleType) -> None:
    data = (corpus / "tavern/default_Seraphina.png").read_bytes()
    out = written(data, building)
    assert [chunk.card_keyword for chunk in walk(out) if chunk.card_keyword] == ["chara", "ccv3"]
    assert picture_identity(out) == picture_identity(io.BytesIO(data))
    assert read_card(out).card.document == building.V3


def test_only_a_whole_png_takes_a_card(building: ModuleType) -> None:
    with pytest.raises(UnsupportedError, match="Convert"):
        written(b"\xff\xd8\xff\xe0", building)
    with pytest.raises(DamagedCardError):
        written(building.png()[:-4], building)


def test_json_is_for_people(building: ModuleType) -> None:
    assert json.loads(to_json(Card(building.V2))) == building.V2
    assert to_json(Card({"name": "Zoë"})) == '{\n  "name": "Zoë"\n}\n'.encode()


def test_assets_go_into_chunks_once(building: ModuleType) -> None:
    there = building.png([building.text("chara-ext-asset_:a.png", b"b2xk")])
    given = [
        CardAsset("icon", "a", "png", "embeded://a.png", lambda: io.BytesIO(b"other")),
        CardAsset("other", "b", "bin", "embeded://b/ü.bin", lambda: io.BytesIO(bytes(range(256)) * 700)),
        CardAsset("other", "b", "bin", "embeded://b/ü.bin", lambda: io.BytesIO(b"twice")),
        CardAsset("icon", "main", "png", "ccdefault:", lambda: io.BytesIO(b"no path")),
        CardAsset("other", "c", "bin", "embeded://../c", lambda: io.BytesIO(b"outside")),
    ]
    out = io.BytesIO()
    write_png(io.BytesIO(there), Card(building.V2), Card(building.V3), out, assets=given)
    assert all(is_sound(out, chunk) for chunk in walk(out))
    found = {asset.path: opened.read() for asset in read_card(out).assets if (opened := asset.open())}
    assert found == {"a.png": b"old", "b/ü.bin": bytes(range(256)) * 700}
    assert picture_identity(out) == picture_identity(io.BytesIO(building.png()))


def test_assets_in_the_picture_of_another_card_are_left_out(building: ModuleType) -> None:
    there = building.png([building.text("chara-ext-asset_:a.png", b"b2xk")])
    given = [CardAsset("icon", "a", "png", "embeded://a.png", lambda: io.BytesIO(b"own"))]
    out = io.BytesIO()
    write_png(io.BytesIO(there), Card(building.V2), Card(building.V3), out, assets=given, own=False)
    assert [opened.read() for asset in read_card(out).assets if (opened := asset.open())] == [b"own"]
