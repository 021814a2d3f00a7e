"""Cards as characters: what is stored of each, and that nothing is stored twice."""

from __future__ import annotations

import base64
import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from assets.cards.errors import DamagedCardError, NotACardError
from assets.transfer.cards.drafts import MOST_TAGS, draft
from assets.transfer.cards.importer import _AT_ONCE
from assets.transfer.cards.keeping import Keeping
from assets.transfer.cards.storing import Storing
from assets.transfer.report import Status
from metadata.errors import ConflictError, FullError, NotFoundError
from server.importing import card_limits, intake_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from .conftest import Home


def card(building: ModuleType, **data: Any) -> dict[str, Any]:
    return {**building.V2, "data": {**building.V2_DATA, **data}}


def test_a_card_becomes_a_character_with_its_picture_and_tags(home: Home, building: ModuleType) -> None:
    file = building.card_png(building.V2)
    (outcome,) = home.bring(file)
    assert (outcome.status, outcome.name, outcome.notes) == (Status.IMPORTED, "Aria", ())
    character = home.store.characters.get(outcome.character_id)
    assert character.first_message == "Well met, {{user}}!"
    assert character.silly_tavern_data == building.V2
    assert [home.store.tags.get(tag).name for tag in character.tags] == ["Bard", "female"]
    asset = home.store.images.get(str(character.default_image_id))
    assert (asset.type, asset.source, asset.character_id) == ("avatar", "import", character.id)
    assert asset.filename == "card0"
    assert home.store.assets.read(asset.sha256) == file
    fact = home.store.inside.records.facts.get(asset.sha256)
    assert fact.picture_identity == hashlib.sha256(building.png()).hexdigest()


def test_a_dry_run_says_what_would_become_and_stores_nothing(home: Home, building: ModuleType) -> None:
    offers = [home.offer(building.card_png(card(building, name=name)), f"{name}.png") for name in ("a", "b", "a")]
    before = home.contents()
    foreseen = list(home.importing().run(offers, dry_run=True))
    assert home.contents() == before
    outcomes = list(home.importing().run(offers))
    assert [one.item() for one in foreseen] == [one.item() for one in outcomes]
    assert [one.status for one in home.importing().run(offers, dry_run=True)] == [Status.SAME] * 3


def test_a_character_gets_tags_beside_those_of_its_card(home: Home, building: ModuleType) -> None:
    offer = home.offer(building.card_png(building.V2))
    offer.tags = ["Forest", "bard"]
    (outcome,) = home.importing().run([offer])
    character = home.store.characters.get(outcome.character_id)
    assert [home.store.tags.get(tag).name for tag in character.tags] == ["Bard", "female", "Forest"]


def test_the_same_card_again_changes_nothing_whatever_was_edited(home: Home, building: ModuleType) -> None:
    file = building.card_png(building.V2)
    character = home.brought(file)
    home.store.characters.edit(character.id, lambda one: one.replaced(name="Bria", description="Edited."))
    before = home.contents()
    # The same card and picture, in other chunks: the file is another.
    other = building.png(before=[building.text("chara", building.encoded(building.V2), "zTXt")])
    for again in (file, other):
        (outcome,) = home.bring(again)
        assert (outcome.status, outcome.character_id) == (Status.SAME, character.id)
    assert home.contents() == before


def test_a_card_in_two_kinds_of_file_is_one_whatever_was_edited(home: Home, building: ModuleType) -> None:
    files = (building.card_png(building.V2), json.dumps(building.V2).encode())
    first, _ = home.bring(*files)
    home.store.characters.edit(first.character_id, lambda one: one.replaced(description="Edited."))
    before = home.contents()
    assert [(one.status, one.character_id) for one in home.bring(*files)] == [(Status.SAME, first.character_id)] * 2
    assert home.contents() == before


def test_cards_of_one_name_are_not_one(home: Home, building: ModuleType) -> None:
    files = [building.card_png(card(building, description=text)) for text in ("one", "two")]
    assert [one.status for one in home.bring(*files)] == [Status.IMPORTED, Status.IMPORTED]
    assert {one.description for one in home.store.characters.find_all()} == {"one", "two"}


def test_editions_with_one_picture_share_their_avatar(home: Home, building: ModuleType) -> None:
    first, second = (building.card_png(card(building, character_version=version)) for version in "12")
    other = building.png(after=[building.text("chara", building.encoded(building.V2))], colour=9)
    one, two, three = (home.brought(file) for file in (first, second, other))
    assert one.default_image_id == two.default_image_id != three.default_image_id
    assert home.counts() == {"character": 3, "asset": 3, "tag": 2, "payloads": 3}
    assert {asset.character_id for asset in home.store.images.find_all()} == {one.id, two.id, three.id}


def test_tags_are_found_whatever_their_letter_case(home: Home, building: ModuleType) -> None:
    known = home.store.tags.create(name="BARD")
    looks_like_an_id = "00000000-0000-4000-8000-000000000000"
    character = home.brought(building.card_png(card(building, tags=["bard", "Bard", looks_like_an_id, " "])))
    assert character.tags[0] == known.id
    assert [home.store.tags.get(tag).name for tag in character.tags] == ["BARD", looks_like_an_id]


def test_no_card_makes_tags_without_end(home: Home, building: ModuleType) -> None:
    names = ["x" * 1000, *(f"tag {number}" for number in range(MOST_TAGS + 5))]
    (outcome,) = home.bring(building.card_png(card(building, tags=names)))
    assert outcome.notes
    character = home.store.characters.get(outcome.character_id)
    assert len(character.tags) == MOST_TAGS
    assert character.silly_tavern_data == card(building, tags=names)


def test_what_is_gone_or_rotten_comes_back_with_the_same_card(home: Home, building: ModuleType) -> None:
    file = building.card_png(building.V2)
    character = home.brought(file)
    blobs = home.store.inside.assets.blobs
    (digest,) = blobs.scan()
    blobs.remove(digest)
    assert home.bring(file)[0].status is Status.SAME
    assert home.store.assets.read(digest) == file
    assert home.store.characters.get(character.id) == character
    assert home.counts()["character"] == 1


def test_one_bad_file_hinders_no_other(home: Home, building: ModuleType) -> None:
    good = building.card_png(building.V2)
    damaged = building.png(after=[building.text("chara", b"!!!")])
    outcomes = home.bring(damaged, good, building.png(), b"", b"neither")
    assert [one.status for one in outcomes] == [Status.FAILED, Status.IMPORTED, *[Status.FAILED] * 3]
    assert isinstance(outcomes[0].error, DamagedCardError)
    assert all(isinstance(one.error, NotACardError) for one in outcomes[2:])
    assert home.counts()["payloads"] == 1


def test_a_card_twice_in_one_batch_is_stored_once(home: Home, building: ModuleType) -> None:
    v3 = {**building.V2, "spec": "chara_card_v3", "spec_version": "3.0"}
    same = [building.card_png(building.V2), building.card_png(building.V2), building.card_png(v3, "ccv3")]
    as_json = json.dumps(building.V2).encode()  # it has no picture, so nothing speaks against its being the same
    outcomes = home.bring(*same, as_json, building.card_png(card(building, name="Bria")))
    assert [one.status for one in outcomes] == [Status.IMPORTED, *[Status.SAME] * 3, Status.IMPORTED]
    assert len({one.character_id for one in outcomes[:4]}) == 1
    assert home.counts()["payloads"] == 2


def test_a_card_as_json_has_no_picture(home: Home, building: ModuleType) -> None:
    file = json.dumps(building.V1).encode()
    character = home.brought(file)
    assert (character.name, character.default_image_id, character.avatar_url) == ("Aria", None, None)
    (asset,) = home.store.images.find_by_character_id(character.id)
    assert (asset.type, home.store.assets.read(asset.sha256)) == ("chat_file", file)


def test_assets_become_payloads_that_belong_to_the_character(home: Home, building: ModuleType) -> None:
    smile = building.png(colour=3)
    uri = "data:image/png;base64," + base64.b64encode(smile).decode()
    named = [
        {"type": "emotion", "name": "smile", "ext": "png", "uri": "embeded://smile.png"},
        {"type": "emotion", "name": "smile again", "ext": "png", "uri": uri},
        {"type": "icon", "name": "main", "ext": "png", "uri": "ccdefault:"},
        {"type": "background", "name": "far", "ext": "png", "uri": "https://example.org/far.png"},
        {"type": "other", "name": "bad", "ext": "png", "uri": "data:image/png;base64,!"},
        {"type": "other", "name": "nothing", "ext": "png", "uri": "data:image/png,"},
    ]
    document = {**building.V3, "data": {**building.V3["data"], "assets": named}}
    chunks = [
        building.text("chara-ext-asset_:smile.png", base64.b64encode(smile)),
        building.text("chara-ext-asset_:notes.txt", base64.b64encode(b"notes")),
        building.text("ccv3", building.encoded(document)),
    ]
    (outcome,) = home.bring(building.png(after=chunks))
    assert len(outcome.notes) == 2
    found = {asset.filename: asset for asset in home.store.images.find_by_character_id(outcome.character_id)}
    assert {name: asset.type for name, asset in found.items()} == {
        "card0": "avatar",
        "smile.png": "image",
        "smile again.png": "image",
        "notes.txt": "chat_file",
    }
    assert found["smile.png"].sha256 == found["smile again.png"].sha256 == hashlib.sha256(smile).hexdigest()
    assert home.counts()["payloads"] == 3


def test_everybody_has_characters_of_their_own(home: Home, building: ModuleType) -> None:
    file = building.card_png(building.V2)
    first = home.brought(file)
    home.owner = home.store.users.create(email="ben@example.org").id
    second = home.brought(file)
    assert (first.user_id, second.user_id) == (home.store.inside.owner.id, home.owner)
    assert first.default_image_id != second.default_image_id
    assert not set(first.tags) & set(second.tags)
    assert home.counts() == {"character": 2, "asset": 2, "tag": 4, "payloads": 1}


def test_a_card_whose_character_went_to_somebody_else_is_new(home: Home, building: ModuleType) -> None:
    file = building.card_png(building.V2)
    first = home.brought(file)
    ben = home.store.users.create(email="ben@example.org").id
    home.store.characters.edit(first.id, lambda one: one.replaced(user_id=ben))
    second = home.brought(file)
    assert second.id != first.id
    assert home.bring(file)[0].character_id == second.id


def test_a_card_whose_character_was_deleted_comes_back(home: Home, building: ModuleType) -> None:
    file = building.card_png(building.V2)
    character = home.brought(file)
    home.store.characters.delete(character.id)
    (outcome,) = home.bring(file)
    assert outcome.status is Status.IMPORTED
    (asset,) = home.store.images.find_by_character_id(outcome.character_id)
    assert home.counts()["asset"] == 1
    assert home.store.characters.get(outcome.character_id).default_image_id == asset.id


def test_what_an_import_left_that_was_cut_off_is_used(home: Home, building: ModuleType) -> None:
    offer = home.offer(building.card_png(building.V2))
    inside = home.store.inside
    limits = card_limits(inside)
    found = draft(offer, limits)
    keeping = Keeping(intake_of(inside), inside.records.images, home.owner, limits)
    with ThreadPoolExecutor() as pool:
        assert set(keeping.keep(pool, {found.character_id(home.owner): found}).values()) == {None}
    assert home.counts() == {"character": 0, "asset": 1, "tag": 0, "payloads": 1}
    (outcome,) = home.importing().run([offer])
    assert outcome.status is Status.IMPORTED
    assert home.counts() == {"character": 1, "asset": 1, "tag": 2, "payloads": 1}


def test_those_that_are_refused_hinder_none_of_their_batch(home: Home, building: ModuleType) -> None:
    inside = home.store.inside
    limits = card_limits(inside)
    files = [building.card_png(card(building, name=name)) for name in ("Aria", "Bria", "Cora")]
    drafts = [draft(home.offer(file, f"{n}.png"), limits) for n, file in enumerate(files)]
    keeping = Keeping(intake_of(inside), inside.records.images, home.owner, limits)
    with ThreadPoolExecutor() as pool:
        keeping.keep(pool, {one.character_id(home.owner): one for one in drafts[:2]})
    home.bring(files[0])  # so that the first is there, and nothing of the third
    told = Storing(inside.records, home.owner).store({one.character_id(home.owner): one for one in drafts})
    assert [type(error) for error in told.values()] == [ConflictError, type(None), NotFoundError]
    assert {one.name for one in home.store.characters.find_all()} == {"Aria", "Bria"}


def test_many_are_told_in_order(home: Home, building: ModuleType) -> None:
    files = [building.card_png(card(building, name=f"Number {n}")) for n in range(_AT_ONCE + 3)]
    outcomes = home.bring(*files)
    assert [one.name for one in outcomes] == [f"Number {n}" for n in range(len(files))]
    assert len({one.character_id for one in outcomes}) == len(files) == home.counts()["character"]
    assert [one.status for one in home.bring(*files)] == [Status.SAME] * len(files)


def test_a_full_disk_ends_it(homes: Callable[..., Home], building: ModuleType) -> None:
    home = homes(min_free_bytes=10**18)
    with pytest.raises(FullError):
        home.bring(building.card_png(building.V2))
    assert home.counts() == {"character": 0, "asset": 0, "tag": 0, "payloads": 0}


def test_a_file_over_the_limit_is_refused(homes: Callable[..., Home], building: ModuleType) -> None:
    home = homes(max_upload_bytes=1000)
    (outcome,) = home.bring(building.card_png(card(building, creator_notes="x" * 2000)))
    assert outcome.status is Status.FAILED
    assert "CALOTYPE_MAX_UPLOAD_BYTES" in str(outcome.error)
    assert not list(home.store.inside.assets.blobs.scan())
