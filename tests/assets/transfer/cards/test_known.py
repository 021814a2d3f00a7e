"""A card is known by what would be exported now, too."""

from __future__ import annotations

import base64
import io
from typing import TYPE_CHECKING

from assets.cards.mapping import compose
from assets.cards.writing import to_json, write_png
from assets.transfer.cards.known import tag_names
from assets.transfer.cards.portraits import Portraits
from assets.transfer.report import Status

if TYPE_CHECKING:
    from types import ModuleType

    from metadata.schemas.characters import Character

    from .conftest import Home


def exported(home: Home, character: Character, *more: bytes) -> bytes:
    """Return a character's card as a PNG, with more chunks before its end."""
    inside = home.store.inside
    tags = tag_names(inside.records, character)
    v2, v3 = (compose(character.to_record(), spec=spec, tags=tags) for spec in ("v2", "v3"))
    out = io.BytesIO()
    with Portraits(inside.assets, inside.prints).open(character) as picture:
        write_png(picture, v2, v3, out)
    whole = out.getvalue()
    return whole[:-12] + b"".join(more) + whole[-12:]


def test_what_was_edited_and_exported(home: Home, building: ModuleType) -> None:
    character = home.brought(building.card_png(building.V2))
    tag = home.store.tags.create(name="new")
    character = home.store.characters.edit(
        character.id, lambda one: one.replaced(description="Edited.", tags=[*one.tags, tag.id], title="The bard")
    )
    before = home.contents()
    for file in (
        exported(home, character),
        to_json(compose(character.to_record(), spec="v2", tags=["Bard", "female", "new"])),
        to_json(compose(character.to_record(), spec="v3", tags=["Bard", "female", "new"])),
    ):
        (outcome,) = home.bring(file)
        assert (outcome.status, outcome.character_id) == (Status.SAME, character.id)
    assert home.contents() == before


def test_what_was_made_here_and_exported_with_a_picture_drawn_or_its_own(home: Home, building: ModuleType) -> None:
    fields = {"description": "", "personality": "", "scenario": "", "first_message": "Hello."}
    asset = home.store.assets.put(building.png(colour=2))
    for character in (
        home.store.characters.create(name="Plain", **fields),
        home.store.characters.create(name="Shown", **fields, default_image_id=asset.id),
    ):
        (outcome,) = home.bring(exported(home, character))
        assert (outcome.status, outcome.character_id) == (Status.SAME, character.id)


def test_tags_that_only_the_card_has_go_out_with_it(home: Home, building: ModuleType) -> None:
    names = ["x" * 1000, "Bard", *(f"tag {number}" for number in range(205))]
    document = {**building.V2, "data": {**building.V2_DATA, "tags": names}}
    character = home.brought(building.card_png(document))
    assert len(character.tags) == 200
    assert set(tag_names(home.store.inside.records, character)) == set(names)
    assert home.bring(exported(home, character))[0].status is Status.SAME


def test_another_text_picture_or_asset_makes_it_another(home: Home, building: ModuleType) -> None:
    character = home.brought(building.card_png(building.V2))
    note = building.text("chara-ext-asset_:note.txt", base64.b64encode(b"note"))
    more = {**building.V3["data"], "description": "Another."}
    files = [
        exported(home, character, note),
        building.png(after=[building.text("ccv3", building.encoded(building.V3))], colour=4),
        building.card_png({**building.V3, "data": more}, "ccv3"),
    ]
    assert [one.status for one in home.bring(*files)] == [Status.IMPORTED] * 3
    # With the same asset it is the same again.
    again = home.store.characters.get(home.bring(files[0])[0].character_id)
    assert home.bring(exported(home, again, note))[0].status is Status.SAME
