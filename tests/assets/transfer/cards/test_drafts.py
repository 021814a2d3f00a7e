"""What is told of a card from its file alone."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import TYPE_CHECKING, Any

import pytest

from assets.cards.asset import CardAsset
from assets.cards.card import Card
from assets.cards.limits import DEFAULT
from assets.cards.specs import converted
from assets.digest import Digest
from assets.transfer.cards.drafts import AVATAR, Look, asset_id, content_of, draft, file_name
from assets.transfer.cards.offers import FileOffer

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

from assets.transfer.cards.drafts import Draft


def drafted(tmp_path: Path, data: bytes) -> Draft:
    path = tmp_path / f"{hashlib.sha256(data).hexdigest()}.png"
    path.write_bytes(data)
    return draft(FileOffer(path), DEFAULT)


def test_a_card_is_known_by_text_picture_and_assets(tmp_path: Path, building: ModuleType) -> None:
    asset = building.text("chara-ext-asset_:a", b"YQ==")
    other = building.text("chara-ext-asset_:a", b"Yg==")
    text = building.text("chara", building.encoded(building.V2))
    packed = building.text("chara", building.encoded(building.V2), "zTXt")
    files = [
        building.png(after=[text]),
        building.png(after=[text], colour=1),
        building.png(after=[text, asset]),
        building.png(after=[text, other]),
        building.card_png({**building.V2, "more": 1}),
        json.dumps(building.V2).encode(),
    ]
    assert len({drafted(tmp_path, file).key for file in files}) == len(files)
    assert drafted(tmp_path, building.png(before=[packed])).key == drafted(tmp_path, files[0]).key


def test_a_card_is_the_same_while_somebody_plays_with_it(tmp_path: Path, building: ModuleType) -> None:
    data = building.V2_DATA
    played = {**building.V2, "chat": "Aria - 2024", "fav": True, "data": {**data, "extensions": {"fav": True, "n": 1}}}
    later = {**played, "chat": "Aria - 2025", "fav": False, "data": {**data, "extensions": {"n": 1}}}
    assert drafted(tmp_path, building.card_png(played)).key == drafted(tmp_path, building.card_png(later)).key
    other = {**played, "data": {**data, "extensions": {"n": 2}}}
    assert drafted(tmp_path, building.card_png(played)).key != drafted(tmp_path, building.card_png(other)).key
    damaged = {**building.V2, "data": {**data, "extensions": "fav"}}
    assert drafted(tmp_path, building.card_png(damaged)).name == "Aria"


def test_ids_are_always_the_same(tmp_path: Path, building: ModuleType) -> None:
    one = drafted(tmp_path, building.card_png(building.V2))
    # Written down here: were they others one day, nobody's cards would be known any more.
    assert one.character_id("somebody") == drafted(tmp_path, building.card_png(building.V2)).character_id("somebody")
    assert one.character_id("somebody") != one.character_id("somebody else") != one.character_id("somebody", "again")
    plain = drafted(tmp_path, b'{"name": "Aria", "description": "A bard."}')
    assert plain.character_id("somebody") == "b983f84f-ea5a-5cc9-8360-528273cea917"
    assert asset_id("one") == "13abb04b-4204-5174-88c9-e2484d8b4de8"
    assert asset_id("one") != asset_id("one", "embeded://a") != asset_id("two", "embeded://a")


def test_the_picture_of_a_file_that_is_none(tmp_path: Path, building: ModuleType) -> None:
    icon = building.png(colour=7)
    uri = "data:image/png;base64," + base64.b64encode(icon).decode()
    named = [{"type": "icon", "name": "main", "uri": uri, "ext": "png"}]
    document = {**building.V3, "data": {**building.V3["data"], "assets": named}}
    digest = hashlib.sha256(icon).hexdigest()
    found = drafted(tmp_path, json.dumps(document).encode())
    assert found.look == Look(uri, Digest(digest), png=True)
    assert [(part.name, part.digest) for part in found.parts] == [("main.png", digest)]
    found = drafted(tmp_path, json.dumps({**building.V2, "avatar": uri}).encode())
    assert found.look == Look(AVATAR, Digest(digest), png=True)
    gif = "data:image/gif;base64," + base64.b64encode(b"GIF89a").decode()
    found = drafted(tmp_path, json.dumps({**building.V2, "avatar": gif}).encode())
    assert found.look == Look(AVATAR, Digest(hashlib.sha256(b"GIF89a").hexdigest()), png=False)
    found = drafted(tmp_path, json.dumps({**building.V2, "avatar": "data:image/gif;base64,!"}).encode())
    assert (found.look, found.parts) == (None, ())


def test_the_text_is_one_in_every_specification(building: ModuleType) -> None:
    v2 = Card(building.V2)
    assert content_of(v2) == content_of(converted(v2, "v3")) == content_of(converted(converted(v2, "v3"), "v2"))
    assert content_of(v2) != content_of(Card({**building.V2, "more": 1}))


@pytest.mark.parametrize(
    ("assets", "same"),
    [
        ([{"type": "icon", "name": "main", "uri": "embeded://a.png", "ext": "png"}], True),
        ([{"type": "icon", "name": "main", "uri": "https://example.org/a.png", "ext": "png"}], False),
        ("none", False),
    ],
)
def test_addresses_inside_a_file_are_not_its_text(building: ModuleType, assets: Any, same: bool) -> None:  # noqa: FBT001 - a case
    data = {**building.V3["data"], "assets": assets}
    assert (content_of(Card({**building.V3, "data": data})) == content_of(Card(building.V3))) is same


@pytest.mark.parametrize(
    ("asset", "name"),
    [
        (CardAsset("icon", "main", "png", "embeded://assets/icon/main.png"), "assets/icon/main.png"),
        (CardAsset("icon", "main", "png", "data:,"), "main.png"),
        (CardAsset("icon", "main.PNG", "png", "data:,"), "main.PNG"),
        (CardAsset("icon", "", "", "data:,"), "icon"),
    ],
)
def test_the_name_of_an_assets_file(asset: CardAsset, name: str) -> None:
    assert file_name(asset) == name
