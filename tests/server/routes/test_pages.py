"""The page at `/`: its files, its policy, and that it works wherever it is put. What it does: `tests/browser`."""

from __future__ import annotations

import re
from importlib.resources import files
from typing import TYPE_CHECKING

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

import calotype

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.server.conftest import Api, Server


FOLDER = files("server").joinpath("web", "page")
MOST_LINES = 351
NAMES = sorted(file.name for file in FOLDER.iterdir())


def test_every_file_of_the_folder_is_served_with_its_type(api: Api) -> None:
    types = {"js": "text/javascript", "css": "text/css", "html": "text/html"}
    assert "index.html" in NAMES
    for name in NAMES:
        answer = api.ask("GET", "/" if name == "index.html" else f"/page/{name}", token=None)
        assert answer.headers["content-type"].startswith(types[name.rpartition(".")[2]]), name
        assert answer.content == FOLDER.joinpath(name).read_bytes()


@pytest.mark.parametrize("name", ["index.html", "..%2fapi.js", "start.js", "%00"])
def test_nothing_else_is_served(api: Api, name: str) -> None:
    assert api.ask("GET", f"/page/{name}", token=None).status_code == 404


def test_the_policy_allows_nothing_inline_and_nobody_else(api: Api) -> None:
    policy = api.ask("GET", "/", token=None).headers["content-security-policy"]
    parts = {part.split()[0]: part.split()[1:] for part in policy.split(";")}
    assert parts["default-src"] == parts["frame-ancestors"] == parts["form-action"] == ["'none'"]
    assert parts["script-src"] == parts["style-src"] == parts["connect-src"] == ["'self'"]
    assert "unsafe" not in policy
    assert not re.search(r"https?:|\*", policy)


def test_the_page_names_nothing_by_an_absolute_address() -> None:
    for name in NAMES:
        text = FOLDER.joinpath(name).read_text(encoding="utf-8")
        assert not re.search(r"""(?:https?:|["'`(=])//|(?:href|src)="/|["'`]/(?:api|page)""", text), name


def test_it_stays_small() -> None:
    lines = {name: FOLDER.joinpath(name).read_text(encoding="utf-8").count("\n") for name in NAMES}
    assert sum(lines.values()) <= MOST_LINES, lines


def test_it_is_there_where_an_application_mounts_it(tmp_path: Path, serve: Callable[..., Server]) -> None:
    with calotype.open(tmp_path / "data") as store:
        running = serve(Starlette(routes=[Mount("/media", calotype.asgi(store))]))
        url = f"http://127.0.0.1:{running.port}/media/"
        text = httpx2.get(url, trust_env=False).text
        links = re.findall(r'(?:href|src)="([^":]+)"', text)
        assert len(links) >= 3
        for link in links:
            assert httpx2.get(url + link, trust_env=False).status_code == 200, link
