"""The offline page of the interface."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from importlib.resources import files
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.server.conftest import Api


class Links(HTMLParser):
    """Collects what a page loads."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take addresses out of a tag."""
        del tag
        self.found += [value for name, value in attrs if name in {"href", "src"} and value]


def test_the_page_loads_only_what_is_served_beside_it(api: Api) -> None:
    page = api.ask("GET", "/docs", token=None)
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    links = Links()
    links.feed(page.text)
    loaded = [link for link in links.found if not link.startswith("data:")]
    assert len(loaded) == 4
    for link in loaded:
        assert api.ask("GET", f"/{link}", token=None).status_code == 200, link
    assert "onload" not in page.text


@pytest.mark.parametrize("name", ["swagger-ui.css", "swagger-ui-bundle.js", "start.js"])
def test_files_have_their_type_and_are_kept(api: Api, name: str) -> None:
    answer = api.ask("GET", f"/docs/{name}", token=None)
    kind = "text/css" if name.endswith(".css") else "text/javascript"
    assert (answer.headers["content-type"], answer.headers["cache-control"]) == (f"{kind}; charset=utf-8", "no-cache")
    again = api.ask("GET", f"/docs/{name}", token=None, headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("name", ["index.html", "LICENSE", "..%2fswagger-ui.css", "%00", "swagger-ui.css.map"])
def test_nothing_else_is_served(api: Api, name: str) -> None:
    assert api.ask("GET", f"/docs/{name}", token=None).status_code == 404


def test_the_policy_lets_nothing_in_or_out(api: Api) -> None:
    policy = api.ask("GET", "/docs", token=None).headers["content-security-policy"]
    parts = {part.split()[0]: part.split()[1:] for part in policy.split(";")}
    assert parts["default-src"] == ["'none'"]
    assert parts["script-src"] == parts["connect-src"] == ["'self'"]
    assert not re.search(r"https?:|\*", policy)
    assert "unsafe-eval" not in policy


def test_styles_load_nothing_from_elsewhere_and_the_licences_are_kept() -> None:
    folder = files("server").joinpath("web", "swagger-ui")
    style = folder.joinpath("swagger-ui.css").read_text(encoding="utf-8")
    assert all(part.lstrip("\"'").startswith("data:") for part in re.findall(r"url\(([^)]*)", style))
    assert "@import" not in style
    assert "Apache License" in folder.joinpath("LICENSE").read_text(encoding="utf-8")
    for name in ("NOTICE", "swagger-ui-bundle.js.LICENSE.txt"):
        assert folder.joinpath(name).is_file()


def test_the_page_asks_for_this_servers_document_and_for_no_validator() -> None:
    start = files("server").joinpath("web", "docs", "start.js").read_text(encoding="utf-8")
    assert 'url: "openapi.json"' in start
    assert "validatorUrl: null" in start
    assert "http" not in start
