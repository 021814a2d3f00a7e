"""Which pages elsewhere may read answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx2

    Ask = Callable[..., httpx2.Response]


def preflight(ask: Ask, url: str, method: str, **environ: str) -> httpx2.Response:
    return ask("OPTIONS", url, environ=environ, origin="https://app.example", access_control_request_method=method)


def test_api_has_no_cors_by_default(ask: Ask) -> None:
    answer = ask(origin="https://app.example")
    assert "access-control-allow-origin" not in answer.headers
    assert "vary" not in answer.headers


def test_listed_origins_are_answered_by_name_errors_included(ask: Ask) -> None:
    environ = {"CORS_ORIGINS": "https://app.example"}
    for url in ("http://localhost/api/x", "http://localhost/locked"):
        answer = ask(url=url, origin="https://app.example", environ=environ)
        assert answer.headers["access-control-allow-origin"] == "https://app.example"
        assert (
            answer.headers["access-control-expose-headers"]
            == "ETag, Location, Content-Range, Repr-Digest, X-Request-Id"
        )
        assert answer.headers["vary"] == "Origin"
    other = ask(origin="https://other.example", environ=environ)
    assert "access-control-allow-origin" not in other.headers
    assert other.headers["vary"] == "Origin"
    assert ask(environ=environ).headers["vary"] == "Origin"
    refused = ask(host="evil.example", origin="https://app.example", environ=environ | {"AUTH": "off"})
    assert (refused.status_code, refused.headers["access-control-allow-origin"]) == (400, "https://app.example")


def test_public_bytes_are_for_everybody_to_read(ask: Ask) -> None:
    url = "http://localhost/blobs/00"
    assert ask(url=url, origin="https://x.example").headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-origin" not in ask("PUT", url=url, authorization="Bearer x").headers
    private = ask(url=url, origin="https://x.example", environ={"BLOB_ACCESS": "private"})
    assert "access-control-allow-origin" not in private.headers
    below = ask(url="http://localhost/sub/blobs/00", environ={"ROOT_PATH": "/sub"})
    assert below.headers["access-control-allow-origin"] == "*"


def test_preflights(ask: Ask) -> None:
    answer = preflight(ask, "http://localhost/api/x", "PATCH", CORS_ORIGINS="https://app.example")
    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == "https://app.example"
    assert answer.headers["access-control-allow-methods"] == "GET, HEAD, POST, PUT, PATCH, DELETE"
    assert answer.headers["access-control-allow-headers"] == (
        "Authorization, Content-Type, If-Match, If-None-Match, Range, Repr-Digest, X-SHA-256"
    )
    assert answer.headers["access-control-max-age"] == "86400"
    assert "access-control-allow-credentials" not in answer.headers
    assert preflight(ask, "http://localhost/api/x", "GET").status_code == 403
    assert (
        preflight(ask, "http://localhost/api/x", "PUT", CORS_ORIGINS="*").headers["access-control-allow-origin"] == "*"
    )


def test_a_preflight_for_public_bytes_grants_reading_only(ask: Ask) -> None:
    answer = preflight(ask, "http://localhost/blobs/00", "GET")
    assert answer.headers["access-control-allow-methods"] == "GET, HEAD"
    assert preflight(ask, "http://localhost/blobs/00", "PUT").status_code == 403


def test_plain_options_reaches_the_routes(ask: Ask) -> None:
    assert ask("OPTIONS").status_code == 200


def test_an_origin_is_compared_whatever_its_case_and_answered_as_it_was_sent(ask: Ask) -> None:
    environ = {"CORS_ORIGINS": "https://App.example"}
    assert ask(origin="https://APP.example", environ=environ).headers["access-control-allow-origin"] == (
        "https://APP.example"
    )
    assert "access-control-allow-origin" not in ask(origin="http://app.example", environ=environ).headers
    assert "access-control-allow-origin" not in ask(origin="https://app.example.evil", environ=environ).headers
    assert "access-control-allow-origin" not in ask(origin="null", environ=environ).headers


@pytest.mark.parametrize("path", ["/blobsx/00", "/api/blobs/00", "/avatar", "/blobs"])
def test_only_the_folders_of_public_bytes_are_public(ask: Ask, path: str) -> None:
    answer = ask(url=f"http://localhost{path}", origin="https://x.example")
    assert "access-control-allow-origin" not in answer.headers


def test_cookies_are_never_allowed_across_origins(ask: Ask) -> None:
    for origins in ("https://app.example", "*"):
        answer = ask(origin="https://app.example", environ={"CORS_ORIGINS": origins})
        assert "access-control-allow-credentials" not in answer.headers
        assert "access-control-allow-origin" in answer.headers


def test_a_refused_preflight_says_which_setting_and_grants_nothing(ask: Ask) -> None:
    answer = preflight(ask, "http://localhost/api/x", "PUT", CORS_ORIGINS="https://other.example")
    assert answer.status_code == 403
    assert answer.json()["setting"] == "CALOTYPE_CORS_ORIGINS"
    assert not [name for name in answer.headers if name.startswith("access-control")]
    assert "Origin" in answer.headers["vary"]
