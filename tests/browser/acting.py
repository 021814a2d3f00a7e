"""What a person does on the page and sees of it, for the tests of it."""

from __future__ import annotations

import base64
import time
from typing import TYPE_CHECKING

from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped] # it has no types
from playwright.sync_api import expect

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Locator, Page

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
    """Drop files on the page, or paste them: `kind` says which."""
    sent = [[name, base64.b64encode(content).decode()] for name, content in files.items()]
    page.evaluate(DROP, [sent, kind])


def card(page: Page, name: str) -> Locator:
    """Return the card of a picture."""
    return page.locator("#grid").get_by_role("button", name=name)


def loaded(image: Locator) -> None:
    """Wait until an image shows something."""
    expect(image).to_have_js_property("complete", value=True)
    image.page.wait_for_function("image => image.naturalWidth > 0", arg=image.element_handle())


def said(page: Page, words: str) -> None:
    """Wait until the page says some words."""
    expect(page.locator("#said")).to_contain_text(words)


def find(page: Page, words: str, cards: int) -> None:
    """Search for words and wait for so many cards."""
    page.get_by_label("Search").fill(words)
    expect(page.locator(".card")).to_have_count(cards)


def reach(page: Page, wanted: Locator, *, back: bool = False) -> None:
    """Go on with the tabulator until something has the focus."""
    for _ in range(10):
        if wanted.evaluate("element => element === document.activeElement"):
            return
        page.keyboard.press("Shift+Tab" if back else "Tab")
    raise AssertionError(f"{wanted} is not reached")


def tag(page: Page, name: str) -> None:
    """Put a tag on the picture that is open."""
    page.get_by_label("Add a tag").fill(name)
    page.get_by_label("Add a tag").press("Enter")


def until(page: Page, true: Callable[[], bool]) -> None:
    """Let the page go on until something is true."""
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline
        page.wait_for_timeout(20)


def accessible(page: Page) -> None:
    """Check what is shown by axe; whatever it finds counts, serious or not."""
    found = Axe().run(page).response["violations"]
    shown = [(each["impact"], each["id"], [node["html"] for node in each["nodes"]]) for each in found]
    assert shown == []


def tags(page: Page, *names: str) -> None:
    """Wait until the open picture has these tags and no others."""
    expect(page.locator("#tags li")).to_contain_text(names)
