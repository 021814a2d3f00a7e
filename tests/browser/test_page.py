"""The page at `/`, as a person with a mouse, a person with a keyboard and a screen reader meet it; and `/docs`."""

from __future__ import annotations

import base64
import re
import time
from typing import TYPE_CHECKING, Any

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped] # it has no types
from playwright.sync_api import expect

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from playwright.sync_api import Locator, Page, Route

    from .conftest import Person

NAMES = ("harbour", "meadow", "dusk", "coast", "ridge", "valley", "moor", "dawn", "lake", "dune")
DROP = """([files, kind]) => {
    const data = new DataTransfer();
    for (const [name, text] of files) {
        const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
        data.items.add(new File([bytes], name, {type: "image/png"}));
    }
    const given = kind === "paste" ? {clipboardData: data} : {dataTransfer: data};
    const event = kind === "paste" ? new ClipboardEvent(kind, {bubbles: true, ...given})
                                   : new DragEvent(kind, {bubbles: true, cancelable: true, ...given});
    document.body.dispatchEvent(event);
}"""
"""What the browser does when a person lets files go over the page, or pastes them."""


def give(page: Page, kind: str, files: dict[str, bytes]) -> None:
    sent = [[name, base64.b64encode(content).decode()] for name, content in files.items()]
    page.evaluate(DROP, [sent, kind])


def card(page: Page, name: str) -> Locator:
    return page.locator("#grid").get_by_role("button", name=name)


def loaded(image: Locator) -> None:
    """Wait until an image shows something."""
    expect(image).to_have_js_property("complete", value=True)
    image.page.wait_for_function("image => image.naturalWidth > 0", arg=image.element_handle())


def said(page: Page, words: str) -> None:
    expect(page.locator("#said")).to_contain_text(words)


def find(page: Page, words: str, cards: int) -> None:
    page.get_by_label("Search").fill(words)
    expect(page.locator(".card")).to_have_count(cards)


def test_from_dropping_to_undoing(visit: Callable[..., Page], person: Person, picture: Callable[..., bytes]) -> None:
    page = visit(person.home, forgiven=("status of 422",))
    expect(page).to_have_url(f"{person.url}/")  # the token is not left where it is seen
    expect(page.locator("#empty")).to_contain_text("Drop some here")
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
    page.get_by_role("combobox", name="Tag").select_option("Garden")
    expect(page.locator(".card")).to_have_text(["alice.png"])
    page.get_by_role("combobox", name="Tag").select_option("All")
    expect(page.locator(".card")).to_have_count(3)

    order = page.locator(".card").all_text_contents()
    card(page, "bob.png").click()
    page.get_by_role("button", name="Delete").click()
    said(page, "bob.png deleted.")
    expect(page.locator(".card")).to_have_count(2)
    page.get_by_role("button", name="Undo").click()
    said(page, "bob.png is back.")
    assert page.locator(".card").all_text_contents() == order
    loaded(card(page, "bob.png").locator("img"))


def test_with_the_keyboard_alone(visit: Callable[..., Page], person: Person, picture: Callable[..., bytes]) -> None:
    asset = person.upload("keys.png", picture(9))
    page = visit(person.home)
    expect(card(page, "keys.png")).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.get_by_label("Search")).to_be_focused()
    page.keyboard.type("keys")
    expect(page.locator(".card")).to_have_count(1)
    for focused in (page.get_by_role("combobox", name="Tag"), page.get_by_role("button", name="Add pictures")):
        page.keyboard.press("Tab")
        expect(focused).to_be_focused()
    page.keyboard.press("Tab")
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
    expect(page.get_by_role("button", name="Add pictures")).to_be_focused()  # no neighbour is left in this search
    reach(page, page.get_by_role("button", name="Undo"))
    page.keyboard.press("Enter")
    expect(card(page, "keys.png")).to_be_focused()
    with person.client() as client:
        assert client.get(f"/api/assets/{asset['id']}").json()["tags"] == []


def reach(page: Page, wanted: Locator, *, back: bool = False) -> None:
    """Go on with the tabulator until something has the focus."""
    for _ in range(10):
        if wanted.evaluate("element => element === document.activeElement"):
            return
        page.keyboard.press("Shift+Tab" if back else "Tab")
    raise AssertionError(f"{wanted} is not reached")


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
    names = page.locator(".card .name").all_text_contents()
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
    while not held:  # the browser may not have asked yet
        assert time.monotonic() < deadline
        page.wait_for_timeout(20)
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
    said(page, "offline")
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
    card(page, "seen.png").click()
    expect(page.locator("#uses")).to_have_text("Nothing.")
    accessible(page)


def accessible(page: Page) -> None:
    """Check what is shown by axe; whatever it finds counts, serious or not."""
    found = Axe().run(page).response["violations"]
    shown = [(each["impact"], each["id"], [node["html"] for node in each["nodes"]]) for each in found]
    assert shown == []


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
        forgiven=("status of 401",),  # the browser tells of the first try, without the token
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
