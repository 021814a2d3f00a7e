"""Character cards on the page: dropped, they become characters; characters are shown, and go out as cards."""

from __future__ import annotations

import base64
import io
import json
import zipfile
from typing import TYPE_CHECKING, Any

from PIL import Image
from PIL.PngImagePlugin import PngInfo
from playwright.sync_api import expect

from tests.browser.acting import accessible, card, find, give, loaded, said, tags

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page

    from .conftest import Person


def card_of(name: str, picture: bytes) -> bytes:
    """Return a picture that carries a card of the second version."""
    texts = dict.fromkeys(("personality", "scenario", "mes_example"), "")
    data = {"name": name, "description": "A bard from the <b>north</b>.", "first_mes": "Well met!", **texts}
    whole = {"spec": "chara_card_v2", "spec_version": "2.0", "data": {**data, "tags": ["Bard"], "extensions": {}}}
    return carrying(base64.b64encode(json.dumps(whole).encode()).decode(), picture)


def carrying(text: str, picture: bytes) -> bytes:
    """Return a picture with a text where cards have theirs."""
    info = PngInfo()
    info.add_text("chara", text)
    sink = io.BytesIO()
    with Image.open(io.BytesIO(picture)) as image:
        image.save(sink, "PNG", pnginfo=info)
    return sink.getvalue()


def exported(page: Page, form: str) -> bytes:
    """Export the character that is open; return the file that the browser saves."""
    with page.expect_download() as saving:
        page.get_by_role("button", name=form, exact=True).click()
    assert saving.value.suggested_filename == f"Aria.{form.lower()}"
    return saving.value.path().read_bytes()


def name_in(card_text: bytes | str) -> Any:
    return json.loads(card_text)["data"]["name"]


def test_a_dropped_card_is_a_character_and_goes_out_again(
    visit: Callable[..., Page], person: Person, picture: Callable[..., bytes]
) -> None:
    page = visit(person.home)
    broken, aria = carrying("no card", picture(82)), card_of("Aria", picture(81))
    give(page, "drop", {"plain.png": picture(80), "aria.png": aria, "broken.png": broken})
    said(page, "2 added.")
    said(page, "aria.png: Aria is a character now.")
    said(page, "broken.png: ")  # kept as a picture, and told why it is no more
    expect(card(page, "plain.png")).to_be_visible()

    page.get_by_label("Show").select_option("Characters")
    expect(page.locator(".card")).to_have_text(["Aria"])
    loaded(page.locator(".card img"))
    find(page, "north", 1)
    accessible(page)
    card(page, "Aria").click()
    expect(page.locator("#facts")).to_have_text("A bard from the <b>north</b>.")
    tags(page, "Bard")
    loaded(page.locator("#large"))
    expect(page.get_by_role("button", name="Delete")).to_be_hidden()
    accessible(page)
    with Image.open(io.BytesIO(exported(page, "PNG"))) as image:
        image.load()  # what stands behind the pixels too
        assert name_in(base64.b64decode(str(image.info["ccv3"]))) == "Aria"
        assert name_in(base64.b64decode(str(image.info["chara"]))) == "Aria"
    assert name_in(exported(page, "JSON")) == "Aria"
    with zipfile.ZipFile(io.BytesIO(exported(page, "CHARX"))) as charx:
        assert name_in(charx.read("card.json")) == "Aria"


def test_cards_alone_are_shown_as_characters_at_once(
    visit: Callable[..., Page], person: Person, picture: Callable[..., bytes]
) -> None:
    page = visit(person.home)
    for words in ("Aria is a character now.", "Aria is a character already."):
        give(page, "drop", {"aria.png": card_of("Aria", picture(83))})
        said(page, words)
        expect(page.get_by_label("Show")).to_have_value("characters")
        expect(page.locator(".card")).to_have_text(["Aria"])
