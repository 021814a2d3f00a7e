"""`/docs` in a browser: Swagger UI draws the interface under our policy and asks nobody else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from playwright.sync_api import expect

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page


def test_operations_are_shown_and_can_be_opened(visit: Callable[..., Page], running: Any) -> None:
    page = visit(f"{running.url}/docs")
    shown = page.locator(".opblock")  # the first of them: more come as one scrolls
    expect(shown.nth(5)).to_be_visible()
    shown.first.locator("button").first.click()
    expect(shown.first.get_by_text("Parameters")).to_be_visible()
