"""Characters as cards: what is written, and that what is read again is the same."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import zipfile
from typing import TYPE_CHECKING, Any

import pytest

from assets.cards.chunks import walk
from assets.cards.identity import picture_identity
from assets.cards.reading import read_card
from assets.transfer.cards.exporting import CardExport, CardFile, Form
from assets.transfer.report import Status
from metadata.errors import InvalidError
from server.importing import card_export_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from assets.cards.reading import FoundCard
    from metadata.schemas.characters import Character

    from .conftest import Home


@pytest.fixture
def export(home: Home) -> CardExport:
    return card_export_of(home.store.inside)


def written(file: CardFile) -> bytes:
    out = io.BytesIO()
    file.write(out)
    return out.getvalue()


def read(data: bytes) -> FoundCard:
    return read_card(io.BytesIO(data))


def assets(found: FoundCard) -> dict[str | None, bytes]:
    return {asset.path: opened.read() for asset in found.assets if (opened := asset.open())}


def plain(found: FoundCard) -> dict[str, Any]:
    """Return a card without its lorebook, to whose entries V3 adds a member."""
    data = {name: value for name, value in found.card.data.items() if name != "character_book"}
    return {**found.card.document, "data": data}


def with_assets(building: ModuleType, named: list[dict[str, str]]) -> dict[str, Any]:
    return {**building.V3, "data": {**building.V3["data"], "assets": named}}


def named(name: str, uri: str, kind: str = "emotion") -> dict[str, str]:
    return {"type": kind, "name": name, "uri": uri, "ext": "png"}


def test_a_png_has_each_text_once_and_every_other_chunk(home: Home, export: CardExport, building: ModuleType) -> None:
    foreign = [building.text("Comment", b"kept"), building.chunk(b"prVt", b"kept too")]
    both = [building.text("chara", building.encoded(building.V2)), building.text("ccv3", building.encoded(building.V3))]
    character = home.brought(building.png(before=[*both, *foreign], after=both))
    out = written(export.file(character, Form.PNG))
    keywords = [chunk.keyword for chunk in walk(io.BytesIO(out)) if chunk.keyword]
    assert sorted(keywords) == ["Comment", "ccv3", "chara"]
    assert foreign[1] in out
    assert picture_identity(io.BytesIO(out)) == picture_identity(io.BytesIO(building.png(before=foreign)))
    assert plain(read(out)) == plain(read(building.card_png(building.V3)))


def test_edits_show_in_every_form(home: Home, export: CardExport, building: ModuleType) -> None:
    character = home.brought(building.card_png(building.V2))
    tag = home.store.tags.create(name="new")
    character = home.store.characters.edit(
        character.id,
        lambda one: one.replaced(name="Bria / <1>", first_message="Hi!", tags=[tag.id], system_prompt=None),
    )
    files = [export.file(character, form) for form in Form]
    assert [file.name for file in files] == ["Bria-<1>.png", "Bria-<1>.json", "Bria-<1>.charx"]
    wanted = {
        **building.V2_DATA,
        "name": "Bria / <1>",
        "first_mes": "Hi!",
        "tags": ["new"],
        "system_prompt": "",
    }
    del wanted["character_book"]
    for file in files:
        data = dict(read(written(file)).card.data)
        assert data.pop("character_book")["entries"][0]["content"] == "Old."
        assert {name: data[name] for name in data if name in wanted} == wanted
    v2 = json.loads(written(export.file(character, Form.JSON, "v2")))
    assert (v2["spec"], v2["data"]["first_mes"]) == ("chara_card_v2", "Hi!")
    with pytest.raises(InvalidError):
        export.file(character, Form.CHARX, "v2")


@pytest.mark.parametrize("form", list(Form))
def test_what_went_out_is_the_same_when_it_comes_in(
    home: Home, export: CardExport, building: ModuleType, form: Form
) -> None:
    note = building.text("chara-ext-asset_:note.txt", base64.b64encode(b"note"))
    character = home.brought(building.png(after=[note, building.text("chara", building.encoded(building.V2))]))
    drawn = home.store.characters.create(name="D", description="", personality="", scenario="", first_message="")
    before = home.contents()
    for one in (character, drawn):
        (outcome,) = home.bring(written(export.file(one, form)))
        assert (outcome.status, outcome.character_id) == (Status.SAME, one.id)
    assert home.contents() == before


def test_a_charx_brings_assets_along_and_takes_them_out_again(
    home: Home, export: CardExport, building: ModuleType
) -> None:
    icon, smile, more = building.png(colour=1), building.png(colour=2), b"more"
    uris = ["embeded://assets/icon/images/main.png", "embeded://assets/emotion/images/smile.png"]
    document = with_assets(building, [named("main", uris[0], "icon"), named("smile", uris[1])])
    files = {uris[0][10:]: icon, uris[1][10:]: smile, "assets/other/more.bin": more}
    character = home.brought(building.charx(document, files))
    shown = home.store.images.get(str(character.default_image_id))
    assert (shown.sha256, shown.filename) == (hashlib.sha256(icon).hexdigest(), "assets/icon/images/main.png")
    out = read(written(export.file(character, Form.CHARX)))
    assert plain(out) == plain(read(building.card_png(document)))
    assert assets(out) == files
    as_png = read(written(export.file(character, Form.PNG)))
    assert (as_png.container, assets(as_png)) == ("png", files)


def test_another_picture_becomes_the_main_icon(home: Home, export: CardExport, building: ModuleType) -> None:
    old, new = building.png(colour=1), building.card_png({"name": "x"}, "other")
    document = with_assets(building, [named("main", "embeded://old.png", "icon")])
    character = home.brought(building.charx(document, {"old.png": old}))
    put = home.store.assets.put(new, filename="new.png")
    character = home.store.characters.set_avatar(character.id, asset_id=put.id)
    out = read(written(export.file(character, Form.CHARX)))
    assert [(one["type"], one["name"], one["uri"]) for one in out.card.data["assets"]] == [
        ("icon", "previous", "embeded://old.png"),
        ("icon", "main", "embeded://assets/icon/images/main.png"),
    ]
    assert assets(out) == {"old.png": old, "assets/icon/images/main.png": new}


def test_a_card_that_goes_round_gets_no_further_icons(homes: Callable[..., Home], building: ModuleType) -> None:
    document = with_assets(building, [named("main", "embeded://main.png", "icon")])
    first = card = building.charx(document, {"main.png": building.png(colour=1)})
    for form in (Form.PNG, Form.CHARX):
        home = homes()
        card = written(card_export_of(home.store.inside).file(home.brought(card), form))
    assert read(card).card.data["assets"] == read(first).card.data["assets"]
    assert assets(read(card)) == assets(read(first))


def test_the_default_icon_of_a_card_is_its_picture(home: Home, export: CardExport, building: ModuleType) -> None:
    document = with_assets(building, [named("main", "ccdefault:", "icon")])
    character = home.brought(building.card_png(document, "ccv3"))
    archive = zipfile.ZipFile(io.BytesIO(written(export.file(character, Form.CHARX))))
    (entry,) = json.loads(archive.read("card.json"))["data"]["assets"]
    assert entry == named("main", "embeded://assets/icon/images/main.png", "icon")
    assert archive.read("assets/icon/images/main.png") == building.png()


def test_assets_of_another_edition_are_not_written(home: Home, export: CardExport, building: ModuleType) -> None:
    def edition(version: str, note: bytes) -> Character:
        document = {**building.V2, "data": {**building.V2_DATA, "character_version": version}}
        chunks = [building.text("chara-ext-asset_:note", base64.b64encode(note))]
        return home.brought(building.png(after=[*chunks, building.text("chara", building.encoded(document))]))

    one, two = edition("1", b"one"), edition("2", b"two")
    assert one.default_image_id == two.default_image_id
    assert [assets(read(written(export.file(each, Form.PNG)))) for each in (one, two)] == [
        {"note": b"one"},
        {"note": b"two"},
    ]


def test_an_asset_whose_bytes_are_gone_is_left_out(home: Home, export: CardExport, building: ModuleType) -> None:
    document = with_assets(building, [named("smile", "embeded://smile.png")])
    character = home.brought(building.charx(document, {"smile.png": b"smile"}))
    (asset,) = (one for one in home.store.images.find_by_character_id(character.id) if one.filename == "smile.png")
    home.store.images.delete(asset.id)
    assert assets(read(written(export.file(character, Form.CHARX)))) == {}


@pytest.mark.parametrize(
    ("name", "called"),
    [("a / b\\c", "a-b-c.json"), ("\0", "character.json"), ("\u202e\n", "character.json"), ("..", "character.json")],
)
def test_what_the_file_is_called(home: Home, export: CardExport, name: str, called: str) -> None:
    fields = {"description": "", "personality": "", "scenario": "", "first_message": "Hello."}
    assert export.file(home.store.characters.create(name=name, **fields), Form.JSON).name == called


def test_the_tag_is_another_whenever_the_bytes_are(home: Home, export: CardExport, building: ModuleType) -> None:
    character = home.brought(building.card_png(building.V2))
    tags = [export.file(character, form).tag for form in Form] + [export.file(character, Form.JSON, "v2").tag]
    assert tags == [export.file(character, form).tag for form in Form] + [export.file(character, Form.JSON, "v2").tag]
    edited = home.store.characters.edit(character.id, lambda one: one.replaced(name="Bria"))
    tags.append(export.file(edited, Form.PNG).tag)
    home.store.tags.rename(character.tags[0], "renamed")
    tags.append(export.file(edited, Form.PNG).tag)
    put = home.store.assets.put(building.png(colour=8))
    pictured = home.store.characters.set_avatar(character.id, asset_id=put.id)
    tags.append(export.file(pictured, Form.PNG).tag)
    assert len(set(tags)) == len(tags)
