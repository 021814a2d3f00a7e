"""A headless Chromium that takes note of everything a page of ours must not do.

Debian's Chromium or any other that is installed is used, never one that Playwright downloads.
"""

from __future__ import annotations

import io
import os
import shutil
import uuid
from typing import TYPE_CHECKING, Any

import httpx2
import pytest
from PIL import Image, ImageDraw
from playwright.sync_api import expect, sync_playwright

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from types import ModuleType

    from playwright.sync_api import Browser, Page

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
DEADLINE_MS = 30_000


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A browser; a test that asks for it is skipped where none is installed."""
    program = next((found for name in NAMES if (found := shutil.which(name))), None)
    if program is None:
        pytest.skip(f"no browser is installed: none of {', '.join(NAMES)} is on the path")
    expect.set_options(timeout=DEADLINE_MS)
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []  # Chromium's sandbox does not work for root
    # Of a module only: as long as it runs, no other test of this process could run an event loop.
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=program, args=arguments)
        yield opened
        opened.close()


class Person:
    """Somebody with a token of their own, who sees no other's pictures.

    Args:
        server: where they are; shared with others.
    """

    def __init__(self, server: Any) -> None:
        with server.client() as admin:
            user = admin.post("/api/users", json={"email": f"{uuid.uuid4()}@example.org"}).json()["id"]
            made = admin.post("/api/tokens", json={"scope": "write", "userId": user})
        self.url: str = server.url
        self.token: str = made.json()["token"]

    @property
    def home(self) -> str:
        """The address of the page with the token, as the first `serve` prints it."""
        return f"{self.url}/#token={self.token}"

    def client(self) -> httpx2.Client:
        """Return a client that is signed in as them."""
        return httpx2.Client(base_url=self.url, headers={"Authorization": f"Bearer {self.token}"}, trust_env=False)

    def upload(self, name: str, content: bytes, **more: str) -> dict[str, Any]:
        """Store a file without the page."""
        with self.client() as client:
            answer = client.post("/api/assets", params={"filename": name, **more}, content=content, timeout=60)
        assert answer.status_code == 201, answer.text
        stored: dict[str, Any] = answer.json()
        return stored


@pytest.fixture
def person(running: Any) -> Person:
    """Somebody new to the server."""
    return Person(running)


@pytest.fixture(scope="session")
def running(serving: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A server for all tests of this folder."""
    with serving.Server(tmp_path_factory.mktemp("pictures") / "data") as server:
        yield server


@pytest.fixture(scope="module")
def private(serving: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A server under a path prefix whose bytes need a token."""
    extra = {"CALOTYPE_BLOB_ACCESS": "private", "CALOTYPE_ROOT_PATH": "/media"}
    with serving.Server(tmp_path_factory.mktemp("private") / "data", extra=extra) as server:
        yield server


@pytest.fixture
def visit(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Open a page in a fresh profile; at the end, what it complained of or asked others for fails the test."""
    wrong: list[str] = []
    contexts = []

    def opened(
        address: str,
        *,
        forgiven: tuple[str, ...] = (),
        prepare: Callable[[Page], None] | None = None,
        **options: Any,
    ) -> Page:
        context = browser.new_context(permissions=["clipboard-read", "clipboard-write"], **options)
        contexts.append(context)
        context.set_default_timeout(DEADLINE_MS)
        page = context.new_page()
        home = "/".join(address.split("/")[:3])

        def said(text: str) -> None:
            if not any(part in text for part in forgiven):
                wrong.append(text)

        page.on("console", lambda message: said(message.text) if message.type in {"error", "warning"} else None)
        page.on("pageerror", lambda error: said(str(error)))
        local = (f"{home}/", "data:", f"blob:{home}/")
        page.on("request", lambda asked: None if asked.url.startswith(local) else wrong.append(asked.url))
        if prepare is not None:
            prepare(page)
        page.goto(address)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert wrong == []


@pytest.fixture(scope="session")
def picture() -> Callable[..., bytes]:
    """Draw a landscape as a PNG: a sky, a sun, hills; another number is another one."""
    return draw


def draw(number: int, size: tuple[int, int] = (320, 240)) -> bytes:
    """Return the picture of a number."""
    width, height = size
    hue = number * 47 % 360
    image = Image.new("RGB", size)
    brush = ImageDraw.Draw(image)
    for row in range(height):
        brush.line([(0, row), (width, row)], fill=f"hsl({hue}, 55%, {35 + 50 * row // height}%)")
    x = width * (1 + number % 4) // 5
    brush.ellipse(
        [x, height // 6, x + height // 5, height // 6 + height // 5], fill=f"hsl({(hue + 50) % 360}, 90%, 85%)"
    )
    for step in range(3):
        top, dark = height * (6 + step) // 10, 40 - 10 * step
        shift = (number * 61 + step * 97) % width - width // 2
        brush.ellipse([shift, top, shift + width, top + height], fill=f"hsl({(hue + 120) % 360}, 35%, {dark}%)")
    sink = io.BytesIO()
    image.save(sink, "PNG")
    return sink.getvalue()


@pytest.fixture(scope="session")
def screenshot_to(pytestconfig: pytest.Config, repository: Path) -> Path | None:
    """Where the README's picture of the page goes; None: this run leaves the committed one alone."""
    return repository / "docs" / "images" / "page.png" if pytestconfig.getoption("--screenshot") else None
