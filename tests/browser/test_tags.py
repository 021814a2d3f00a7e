"""Tags on the page: many of them, and several people who change them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playwright.sync_api import expect

from tests.browser.acting import card, tag, tags, until

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page, Route

    from .conftest import Person


def test_two_who_tag_at_once_lose_nothing(
    visit: Callable[..., Page], person: Person, picture: Callable[..., bytes]
) -> None:
    asset = person.upload("ours.png", picture(70))
    held: list[Route] = []
    first = visit(person.home, forgiven=("status of 412",))
    second = visit(person.home)
    for page in (first, second):
        card(page, "ours.png").click()
        expect(page.locator("#uses")).to_have_text("Nothing.")
    path = f"**/api/assets/{asset['id']}"

    def hold(route: Route) -> None:
        if route.request.method == "PATCH" and not held:
            held.append(route)
        else:
            route.continue_()

    first.route(path, hold)
    tag(first, "Slow")
    until(first, lambda: bool(held))
    tag(second, "Quick")
    expect(second.locator("#tags")).to_contain_text("Quick")
    held[0].continue_()
    tags(first, "Quick", "Slow")
    second.get_by_role("button", name="Remove the tag Quick").click()
    tags(second, "Slow")


def test_any_of_many_tags_is_found(visit: Callable[..., Page], person: Person, picture: Callable[..., bytes]) -> None:
    with person.client() as client:
        assert client.post("/api/tags", json=[{"name": f"Place {n:03}"} for n in range(120)]).status_code == 201
    person.upload("tagged.png", picture(71), tags="Zebra crossing")
    person.upload("bare.png", picture(72))
    page = visit(person.home)
    expect(page.locator(".card")).to_have_count(2)
    page.get_by_label("Tag", exact=True).fill("zebra")
    expect(page.locator("#known option")).to_have_count(1)  # offered
    assert page.locator("#known option").get_attribute("value") == "Zebra crossing"
    expect(page.locator(".card")).to_have_count(2)  # not chosen yet
    page.get_by_label("Tag", exact=True).fill("Zebra crossing")
    expect(page.locator(".card")).to_have_text(["tagged.png"])
    card(page, "tagged.png").click()
    tags(page, "Zebra crossing")
    page.get_by_role("button", name="Close").click()
    page.get_by_label("Tag", exact=True).fill("no such tag")
    page.get_by_label("Tag", exact=True).press("Enter")
    expect(page.locator("#empty")).to_have_text("Nothing found.")
