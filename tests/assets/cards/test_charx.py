"""CHARX, alone and appended to pictures."""

from __future__ import annotations

import io
import struct
import zipfile
from typing import TYPE_CHECKING, Any

import pytest

from assets.cards.asset import CardAsset
from assets.cards.card import Card
from assets.cards.charx import has_archive
from assets.cards.errors import DamagedCardError, NotACardError
from assets.cards.limits import CardLimits
from assets.cards.reading import FoundCard, read_card
from assets.cards.writing import write_charx
from metadata.errors import TooLargeError

if TYPE_CHECKING:
    from types import ModuleType

ICON = {"type": "icon", "uri": "embeded://assets/icon/images/1.png", "name": "main", "ext": "png"}
SONG = {"type": "x_song", "uri": "embeded://song.mp3", "name": "song", "ext": "mp3"}
FILES = {
    "assets/icon/images/1.png": b"icon",
    "song.mp3": b"song" * 1000,
    "module.risum": b"\0\1",
    "x_meta/1.json": b"{}",
}


def document(building: ModuleType, *assets: dict[str, str]) -> dict[str, Any]:
    return {**building.V3, "data": {**building.V3["data"], "assets": list(assets)}}


def read(data: bytes, **limits: int) -> FoundCard:
    return read_card(io.BytesIO(data), limits=CardLimits(**limits))


def contents(found: FoundCard) -> list[tuple[str, str, str, bytes | None]]:
    return [(asset.type, asset.name, asset.uri, content(asset)) for asset in found.assets]


def content(asset: CardAsset) -> bytes | None:
    opened = asset.open()
    return None if opened is None else opened.read()


def test_a_card_with_its_assets(building: ModuleType) -> None:
    card = document(building, ICON, SONG)
    found = read(building.charx(card, FILES))
    assert found.card.document == card
    assert (found.container, found.picture_identity) == ("charx", None)
    assert contents(found) == [
        ("icon", "main", ICON["uri"], b"icon"),
        ("x_song", "song", SONG["uri"], b"song" * 1000),
        ("other", "module.risum", "embeded://module.risum", b"\0\1"),
        ("other", "1.json", "embeded://x_meta/1.json", b"{}"),
    ]
    picture = found.open_picture()
    assert picture is not None
    assert picture.read() == b"icon"


def test_one_that_is_appended_to_a_picture(building: ModuleType) -> None:
    for picture in (building.jpeg(), building.png()):
        found = read(building.charx(document(building, ICON), FILES, before=picture))
        assert found.container == "charx"
        opened = found.open_picture()
        assert opened is not None
        assert opened.read() == b"icon"
        bare = read(building.charx(document(building), before=picture))
        opened = bare.open_picture()
        assert opened is not None
        assert opened.read() == picture


def test_an_archive_whose_numbers_count_from_the_pictures_start(building: ModuleType) -> None:
    out = io.BytesIO(building.jpeg())
    out.seek(0, io.SEEK_END)
    with zipfile.ZipFile(out, "a") as archive:
        archive.writestr("card.json", '{"name": "A", "description": "d"}')
    found = read(out.getvalue())
    opened = found.open_picture()
    assert opened is not None
    assert opened.read() == building.jpeg()


def test_names_are_found_as_they_are_written_elsewhere(building: ModuleType) -> None:
    uris = ["embeded:///a%20b.png", "embedded://./a b.png", "__asset:a\\c.png"]
    entries = [{"type": "icon", "uri": uri, "name": str(at), "ext": "png"} for at, uri in enumerate(uris)]
    found = read(building.charx(document(building, *entries), {"a b.png": b"1", "a\\c.png": b"2"}))
    assert [content(asset) for asset in found.assets] == [b"1", b"1", b"2"]


def test_another_zip_is_no_card(building: ModuleType) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("folder/card.json", "{}")
    with pytest.raises(NotACardError, match=r"card\.json"):
        read(out.getvalue())
    assert not has_archive(io.BytesIO(building.png()))
    assert not has_archive(io.BytesIO(b"PK\5\6" + bytes(8) + b"\xff\0\0\0" + bytes(6)))


def test_damage_is_told(building: ModuleType) -> None:
    data = bytearray(building.charx(document(building, SONG), {"song.mp3": bytes(range(256)) * 40}))
    with pytest.raises((DamagedCardError, NotACardError)):
        read(bytes(data[:-30]))
    data[data.index(b"song.mp3") + 30] ^= 0xFF  # inside the packed song
    song = next(iter(read(bytes(data)).assets)).open()
    assert song is not None
    with pytest.raises(DamagedCardError, match="damaged"):
        song.read()


@pytest.mark.parametrize(
    ("at", "value", "advice"), [(8, 1, "password"), (10, 14, "ordinary ZIP"), (10, 99, "ordinary ZIP")]
)
def test_what_cards_are_not_packed_with(building: ModuleType, at: int, value: int, advice: str) -> None:
    data = bytearray(building.charx(document(building)))
    struct.pack_into("<H", data, data.index(b"PK\1\2") + at, value)
    with pytest.raises(DamagedCardError, match=advice):
        read(bytes(data))


@pytest.mark.parametrize("name", ["../out.png", "/etc/passwd", "a/../../b", "..\\out", "C:\\out"])
def test_names_that_lead_outside_are_refused(building: ModuleType, name: str) -> None:
    with pytest.raises(DamagedCardError, match="outside of itself"):
        read(building.charx(document(building), {name: b"x"}))


def test_a_file_without_a_name_is_damage(building: ModuleType) -> None:
    with pytest.raises(DamagedCardError):
        read(building.zipped("", b"\3\0", 0))


def test_limits(building: ModuleType) -> None:
    data = building.charx(document(building, SONG), FILES)
    for limits in (
        {"entries": 4},
        {"directory_bytes": 100},
        {"total_bytes": 1000},
        {"json_bytes": 50},
    ):
        with pytest.raises(TooLargeError):
            read(data, **limits)
    song = next(iter(read(data, asset_bytes=3999).assets))
    with pytest.raises(TooLargeError):
        song.open()


def test_what_is_written_is_read_again(building: ModuleType) -> None:
    card = document(building, ICON, SONG)
    found = read(building.charx(card, FILES))
    out = io.BytesIO()
    write_charx(found.card, found.assets, out)
    again = read(out.getvalue())
    assert again.card.document["data"]["assets"] == card["data"]["assets"]
    assert contents(again) == contents(found)
    once_more = io.BytesIO()
    write_charx(again.card, again.assets, once_more)
    assert once_more.getvalue() == out.getvalue()


def test_assets_without_a_place_get_one(building: ModuleType) -> None:
    default = {"type": "icon", "uri": "ccdefault:", "name": "main", "ext": "png"}
    away = {"type": "icon", "uri": "https://example.org/1.png", "name": "away", "ext": "png"}
    chunked = {"type": "emotion", "uri": "__asset:3", "name": "sad", "ext": "png"}
    given = [
        CardAsset("icon", "main", "png", "ccdefault:", lambda: io.BytesIO(b"face")),
        CardAsset("icon", "away", "png", away["uri"], None),
        CardAsset("emotion", "sad", "png", "__asset:3", lambda: io.BytesIO(b"sad")),
        CardAsset("emotion", "new", "webp", "", lambda: io.BytesIO(b"new")),
        CardAsset("other", "card", "json", "embeded://card.json", lambda: io.BytesIO(b"evil")),
    ]
    out = io.BytesIO()
    write_charx(Card(document(building, default, away, chunked)), given, out)
    found = read(out.getvalue())
    assert found.card.data["assets"] == [
        {**default, "uri": "embeded://assets/icon/images/main.png"},
        away,
        {**chunked, "uri": "embeded://3"},
        {"type": "emotion", "uri": "embeded://assets/emotion/images/new.webp", "name": "new", "ext": "webp"},
    ]
    assert [content(asset) for asset in found.assets] == [b"face", None, b"sad", b"new", b"evil"]
    assert found.card.data["name"] == "Aria"


def test_a_v2_becomes_v3(building: ModuleType) -> None:
    out = io.BytesIO()
    write_charx(Card(building.V2), [], out)
    assert read(out.getvalue()).card.spec == "v3"
    assert building.V2["spec"] == "chara_card_v2"
