"""The page at `/`, as a person with a mouse, a person with a keyboard and a screen reader meet it; and `/docs`."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any

import httpx2
import pytest
from playwright.sync_api import expect

from tests.browser.acting import accessible, card, find, give, loaded, reach, said, tag, tags, until

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from playwright.sync_api import Page, Route

    from .conftest import Person

NAMES = ("harbour", "meadow", "dusk", "coast", "ridge", "valley", "moor", "dawn", "lake", "dune")


def test_from_dropping_to_undoing(visit: Callable[..., Page], person: Person, picture: Callable[..., bytes]) -> None:
    page = visit(person.home, forgiven=("status of 422",))
    expect(page).to_have_url(f"{person.url}/")  # the token is not left where it is seen
    expect(page.locator("#empty")).to_contain_text("Nothing yet. Drop pictures")
    give(page, "drop", {"alice.png": picture(1), "bob.png": picture(2), "broken.png": b""})
    said(page, "2 added.")
    said(page, "broken.png: ")
    give(page, "paste", {"carol.png": picture(3)})
    said(page, "1 added.")
    give(page, "drop", {"alice.png": picture(1)})
    said(page, "1 already here.")
    expect(page.locator(".card")).to_have_count(3)
    loaded(card(page, "alice.png").locator("img"))

    card(page, "alice.png").click()
    page.get_by_role("button", name="Copy").click()
    expect(page.locator("#told")).to_have_text("Address copied.")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert re.fullmatch(rf"{re.escape(person.url)}/blobs/[0-9a-f]{{64}}\.png", copied)
    with person.client() as client:
        assert client.get(copied).content == picture(1)
    expect(page.locator("#uses")).to_have_text("Nothing.")
    page.get_by_label("Add a tag").fill("Garden")
    page.get_by_label("Add a tag").press("Enter")
    expect(page.locator("#tags")).to_contain_text("Garden")
    page.get_by_role("button", name="Close").click()

    find(page, "bob", 1)
    find(page, "nobody", 0)
    expect(page.locator("#empty")).to_have_text("Nothing found.")
    find(page, "", 3)
    page.get_by_label("Tag", exact=True).fill("garden")
    expect(page.locator(".card")).to_have_text(["alice.png"])
    page.get_by_label("Tag", exact=True).fill("")
    expect(page.locator(".card")).to_have_count(3)

    order = page.locator(".card").all_text_contents()
    card(page, "bob.png").click()
    page.get_by_role("button", name="Delete").click()
    said(page, "bob.png deleted.")
    undo = page.get_by_role("button", name="bob.png is deleted. Undo")
    expect(undo).to_be_focused()
    undo.click()
    said(page, "bob.png is back.")
    assert page.locator(".card").all_text_contents() == order
    loaded(card(page, "bob.png").locator("img"))


def test_with_the_keyboard_alone(visit: Callable[..., Page], person: Person, picture: Callable[..., bytes]) -> None:
    asset = person.upload("keys.png", picture(9))
    page = visit(person.home)
    expect(card(page, "keys.png")).to_be_visible()
    for focused in (
        page.get_by_role("button", name="Add files"),
        page.get_by_label("Show"),
        page.get_by_label("Search"),
    ):
        page.keyboard.press("Tab")
        expect(focused).to_be_focused()
    page.keyboard.type("keys")
    expect(page.locator(".card")).to_have_count(1)
    said(page, "1 found.")
    for focused in (page.get_by_label("Tag", exact=True), card(page, "keys.png")):
        page.keyboard.press("Tab")
        expect(focused).to_be_focused()
    expect(card(page, "keys.png")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_label("Address")).to_be_focused()
    page.keyboard.press("Escape")
    expect(card(page, "keys.png")).to_be_focused()
    page.keyboard.press("Enter")
    reach(page, page.get_by_label("Add a tag"))
    page.keyboard.type("Typed")
    page.keyboard.press("Enter")
    remove = page.get_by_role("button", name="Remove the tag Typed")
    expect(remove).to_be_visible()
    reach(page, remove, back=True)
    page.keyboard.press("Enter")
    expect(remove).to_have_count(0)
    expect(page.get_by_label("Add a tag")).to_be_focused()
    reach(page, page.get_by_role("button", name="Delete"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="keys.png is deleted. Undo")).to_be_focused()  # in its place
    page.keyboard.press("Enter")
    expect(card(page, "keys.png")).to_be_focused()
    with person.client() as client:
        assert client.get(f"/api/assets/{asset['id']}").json()["tags"] == []


def test_pages_come_as_they_are_scrolled_to(
    visit: Callable[..., Page], person: Person, picture: Callable[..., bytes]
) -> None:
    files = [("file", (f"many-{number}.png", picture(number, (16, 16)) + b"%d" % number)) for number in range(70)]
    with person.client() as client:
        assert client.post("/api/assets", files=files).status_code == 201
    page = visit(person.home, viewport={"width": 400, "height": 400})
    expect(page.locator(".card")).to_have_count(60)
    page.mouse.wheel(0, 100_000)
    expect(card(page, "many-0.png")).to_be_visible()
    names = page.locator(".card span").all_text_contents()
    assert len(names) == len(set(names))
    page.set_viewport_size({"width": 3000, "height": 2000})  # a page does not fill it
    page.reload()
    expect(card(page, "many-0.png")).to_be_visible()


def test_a_placeholder_stands_where_the_picture_is_still_coming(
    visit: Callable[..., Page], person: Person, picture: Callable[..., bytes]
) -> None:
    asset = person.upload("slow.png", picture(60))
    deadline = time.monotonic() + 60
    with person.client() as client:  # it is looked at after the upload was answered
        while client.get(f"/api/assets/{asset['id']}").json()["placeholder"] is None:
            assert time.monotonic() < deadline
            time.sleep(0.05)
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page = visit(person.home, prepare=lambda page: page.route("**/thumb*", hold))
    image = card(page, "slow.png").locator("img")
    expect(image).to_have_css("background-image", re.compile('url[(]"data:image/'))
    until(page, lambda: bool(held))  # the browser may not have asked yet
    held[0].continue_()
    loaded(image)
    expect(image).to_have_css("background-image", "none")


def test_what_uses_a_picture_is_named_and_keeps_it(
    visit: Callable[..., Page], person: Person, picture: Callable[..., bytes]
) -> None:
    asset = person.upload("used.png", picture(20))
    with person.client() as client:
        texts = dict.fromkeys(("description", "personality", "scenario", "firstMessage"), "x")
        character = client.post("/api/characters", json={"name": "Alice", **texts}).json()
        sent = client.put(f"/api/characters/{character['id']}/avatar", json={"assetId": asset["id"]})
        assert sent.status_code == 200
    page = visit(person.home, forgiven=("status of 409",))
    card(page, "used.png").click()
    expect(page.locator("#uses")).to_contain_text("character Alice")
    page.get_by_role("button", name="Delete").click()
    expect(page.locator("#told")).to_contain_text("used")
    expect(page.locator("#picture")).to_be_visible()


def test_names_are_text_and_never_markup(
    visit: Callable[..., Page], person: Person, picture: Callable[..., bytes]
) -> None:
    evil = '"><img src=x onerror=alert(1)>.png'
    page = visit(person.home)
    give(page, "drop", {evil: picture(73)})
    said(page, "1 added.")
    card(page, evil).click()
    expect(page.locator("#name")).to_have_text(evil)
    tag(page, "<script>alert(2)</script>")
    tags(page, "<script>alert(2)</script>")
    expect(page.locator("img[src=x], #tags script")).to_have_count(0)


def test_without_a_token_one_is_asked_for(
    visit: Callable[..., Page], person: Person, picture: Callable[..., bytes]
) -> None:
    person.upload("kept.png", picture(50))
    page = visit(f"{person.url}/", forgiven=("status of 401",))
    expect(page.get_by_role("textbox", name="Token")).to_be_focused()
    page.get_by_role("textbox", name="Token").fill("calo_wrong")
    page.keyboard.press("Enter")
    expect(page.locator("#said")).not_to_be_empty()
    expect(page.get_by_role("textbox", name="Token")).to_be_focused()
    page.get_by_role("textbox", name="Token").fill(person.token)
    page.keyboard.press("Enter")
    expect(page.locator("#signin")).not_to_be_visible()
    expect(page.locator(".card").first).to_be_visible()
    page.reload()
    expect(page.locator(".card").first).to_be_visible()  # it is kept while the tab is open


def test_a_server_that_is_gone_is_told_in_words(
    visit: Callable[..., Page], person: Person, picture: Callable[..., bytes]
) -> None:
    person.upload("before.png", picture(51))
    page = visit(person.home, forgiven=("ERR_INTERNET_DISCONNECTED",))
    expect(page.locator(".card").first).to_be_visible()
    page.context.set_offline(True)
    page.get_by_label("Search").fill("x")
    said(page, "cannot be reached")
    give(page, "drop", {"late.png": b"late"})
    said(page, "late.png: The server cannot be reached.")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(
    scheme: str, visit: Callable[..., Page], person: Person, picture: Callable[..., bytes]
) -> None:
    person.upload("seen.png", picture(30), tags="Seen")
    person.upload("notes.txt", b"No picture at all")
    page = visit(person.home, color_scheme=scheme)
    expect(card(page, "seen.png")).to_be_visible()
    accessible(page)
    page.set_viewport_size({"width": 360, "height": 640})  # a narrow telephone's
    for field in ("#kind", "#q", "#tag"):
        assert page.locator(field).evaluate("field => field.clientWidth") > 70, field
    card(page, "seen.png").click()
    expect(page.locator("#uses")).to_have_text("Nothing.")
    accessible(page)
    for element in ("document.documentElement", "document.getElementById('picture')"):
        assert page.evaluate(f"{element}.scrollWidth <= {element}.clientWidth"), element


def test_the_interface_is_shown_at_docs(visit: Callable[..., Page], running: Any) -> None:
    page = visit(f"{running.url}/docs")
    groups = page.locator(".opblock-tag")
    expect(groups.first).to_contain_text("Bytes")
    shown = page.locator(".opblock")
    expect(shown).to_have_count(0)  # the groups first, and what is in one when it is asked for
    groups.filter(has_text="Image profiles").click()
    expect(shown.nth(5)).to_be_visible()
    shown.first.locator("button").first.click()
    expect(shown.first.get_by_text("Parameters")).to_be_visible()


def test_private_pictures_under_a_prefix(
    visit: Callable[..., Page], private: Any, picture: Callable[..., bytes], screenshot_to: Path | None
) -> None:
    page = visit(
        f"{private.url}/media/#token={private.token}",
        viewport={"width": 900, "height": 500},
    )
    give(page, "drop", {f"{name}.png": picture(number) for number, name in enumerate(NAMES)})
    said(page, f"{len(NAMES)} added.")
    for image in page.locator(".card img").all():
        loaded(image)
    shot = page.screenshot(path=screenshot_to)  # the README's
    assert len(shot) < 200_000
    card(page, "harbour.png").click()
    loaded(page.locator("#large"))
    assert page.get_by_label("Address").input_value().startswith(f"{private.url}/media/blobs/")
    page.get_by_role("button", name="Copy").click()
    expect(page.locator("#told")).to_contain_text("opens for anybody until")
    given = page.get_by_label("Address").input_value()
    assert page.evaluate("navigator.clipboard.readText()") == given
    assert httpx2.get(given, trust_env=False).content == picture(0)  # without a token
    assert httpx2.get(given.partition("?")[0], trust_env=False).status_code == 401
