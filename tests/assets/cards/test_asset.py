"""The assets of a card by where they are."""

from __future__ import annotations

import io

import pytest

from assets.cards.asset import assets_of, embedded_path, open_data_uri
from assets.cards.card import Card
from assets.cards.errors import DamagedCardError
from assets.cards.limits import DEFAULT, CardLimits
from metadata.errors import TooLargeError


@pytest.mark.parametrize(
    ("uri", "path"),
    [
        ("embeded://a/b.png", "a/b.png"),
        ("embedded://a", "a"),
        ("EMBEDED://A", "A"),
        ("__asset:5", "5"),
        ("https://example.org/embeded://a", None),
        ("ccdefault:", None),
    ],
)
def test_the_path_in_an_address(uri: str, path: str | None) -> None:
    assert embedded_path(uri) == path


@pytest.mark.parametrize(
    ("uri", "content"),
    [
        ("data:text/plain;base64,aGk=", b"hi"),
        ("data:;base64,aGk", b"hi"),
        ("DATA:image/png;BASE64,aG\nk=", b"hi"),
        ("data:;base64,aGk%3D", b"hi"),
        ("data:,a%20b", b"a b"),
    ],
)
def test_a_data_address(uri: str, content: bytes) -> None:
    assert open_data_uri(uri, DEFAULT).read() == content


def test_a_data_address_that_is_damaged_or_too_large() -> None:
    with pytest.raises(DamagedCardError):
        open_data_uri("data:;base64,!", DEFAULT)
    with pytest.raises(TooLargeError):
        open_data_uri("data:,aaaaaaaaaaaaaaaa", CardLimits(asset_bytes=5))


def test_the_lists_of_risuai() -> None:
    risu = {
        "emotions": [["happy", "__asset:1"], ["raw", "QUJD"], ["short"], None],
        "additionalAssets": [["song", "__asset:2", "MP3"]],
    }
    card = Card({"spec": "chara_card_v2", "data": {"name": "A", "extensions": {"risuai": risu}}})
    found = list(assets_of(card, {"1": lambda: io.BytesIO(b"one")}, DEFAULT))
    assert [(asset.type, asset.name, asset.ext, asset.path) for asset in found] == [
        ("emotion", "happy", "", "1"),
        ("other", "song", "mp3", "2"),
    ]
    opened = found[0].open()
    assert opened is not None
    assert opened.read() == b"one"
    assert found[1].open() is None


def test_ill_typed_lists_have_no_assets() -> None:
    ill: list[object] = [None, {}, "x", [None, 5, {"uri": 7}, {}]]
    for assets in ill:
        assert list(assets_of(Card({"data": {"assets": assets, "extensions": []}}), {}, DEFAULT)) == []
