"""The application as a whole: every error is a problem, every answer has the common fields."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import pytest

from metadata.documents.json_files import JsonFiles
from metadata.errors import BusyError, CalotypeError, InternalError, UnreadableError

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.server.conftest import Api


@pytest.mark.parametrize(
    ("method", "url", "status"),
    [
        ("GET", "/nothing", 404),
        ("GET", "/api", 404),
        ("GET", "/api/assets/", 404),
        ("GET", "//api/assets", 404),
        ("GET", "/api/assets/../../etc/passwd", 404),
        ("GET", "/%2e%2e/%2e%2e/etc/passwd", 404),
        ("GET", "/\u202e", 404),
        ("DELETE", "/api/assets", 405),
        ("BREW", "/healthz", 405),
        ("POST", "/api/tokens", 422),
        ("GET", "/api/assets?nonsense=1", 422),
    ],
)
def test_errors_are_problems(api: Api, method: str, url: str, status: int) -> None:
    answer = api.ask(method, url)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.json()["status"] == status
    assert answer.json()["detail"]


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (ValueError("secret inside"), 500),
        (InternalError("secret inside"), 500),
        (UnreadableError("secret inside", path="secret inside"), 500),
        (BusyError("secret inside", path="secret inside"), 503),
        (OSError(5, "secret inside"), 500),
    ],
)
def test_what_happens_inside_stays_inside(
    api: Api, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, error: Exception, status: int
) -> None:
    def fail(*_: Any) -> None:
        raise error

    monkeypatch.setattr(JsonFiles, "find", fail)
    with caplog.at_level(logging.ERROR, "calotype"):
        answer = api.ask("GET", "/api/assets")
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert "secret" not in answer.text
    assert answer.json()["requestId"] == answer.headers["x-request-id"]
    assert answer.headers["x-request-id"] in caplog.text
    assert "secret inside" in caplog.text
    if isinstance(error, UnreadableError | BusyError):
        assert "secret inside" in api.ask("GET", "/api/assets", token=api.admin).text
    assert isinstance(error, CalotypeError) or "Traceback" in caplog.text


def test_without_sign_in_the_host_has_to_be_known_and_pages_elsewhere_do_nothing(open_api: Callable[..., Api]) -> None:
    api = open_api(AUTH="off")
    assert api.ask("GET", "/api/assets", token=None).status_code == 200
    assert api.ask("GET", "/api/assets", token=None, headers={"Host": "evil.example"}).status_code == 400
    foreign = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
    assert api.ask("POST", "/api/assets", token=None, content=b"x", headers=foreign).status_code == 403
    assert api.payloads() == []


def test_under_a_prefix_addresses_carry_it(open_api: Callable[..., Api], png: bytes) -> None:
    api = open_api(ROOT_PATH="/pictures")
    asset = api.upload(png)
    assert asset["url"] == f"/pictures/blobs/{asset['sha256']}.png"
    for url in (asset["url"], asset["url"].removeprefix("/pictures")):
        assert api.ask("GET", url, token=None).content == png
    assert api.ask("GET", "/pictures/healthz", token=None).status_code == 200


def test_a_prefix_without_its_slash_leads_to_the_page(open_api: Callable[..., Api]) -> None:
    api = open_api(ROOT_PATH="/pictures")
    answer = api.ask("GET", "/pictures", token=None)
    assert (answer.status_code, answer.headers["location"]) == (308, "/pictures/")
    assert "x-request-id" in answer.headers
    for page in (answer.headers["location"], "/"):
        assert "<title>Calotype</title>" in api.ask("GET", page, token=None).text
    assert open_api().ask("GET", "", token=None).status_code == 200


def test_with_a_public_address_addresses_are_whole(open_api: Callable[..., Api]) -> None:
    api = open_api(PUBLIC_URL="https://pictures.example.org/x/")
    answer = api.ask("POST", "/api/assets", content=b"1")
    assert answer.json()["url"].startswith("https://pictures.example.org/x/blobs/")
    assert answer.headers["location"].startswith("https://pictures.example.org/x/api/assets/")


def test_a_page_elsewhere_may_read_errors_if_it_is_allowed(open_api: Callable[..., Api]) -> None:
    api = open_api(CORS_ORIGINS="https://app.example")
    answer = api.ask("GET", "/api/assets", token=None, headers={"Origin": "https://app.example"})
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (401, "https://app.example")


def test_each_visit_is_logged_without_its_query(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "calotype.access"):
        answer = api.ask("GET", "/api/assets?filename=secret")
    assert answer.headers["x-request-id"] in caplog.text
    assert "/api/assets" in caplog.text
    assert "secret" not in caplog.text
