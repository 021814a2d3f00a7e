"""Signed addresses: they open one payload for a time, for whoever has them, and only its owner can make them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.server.conftest import Api

HOUR = {"expiresIn": 3600}


@pytest.fixture
def private(open_api: Callable[..., Api]) -> Api:
    return open_api(BLOB_ACCESS="private")


def sign(api: Api, asset: dict[str, Any], body: object = None, **more: Any) -> Any:
    return api.ask("POST", f"/api/assets/{asset['id']}/sign", json=HOUR if body is None else body, **more)


def test_a_signed_address_opens_without_credentials(private: Api, png: bytes) -> None:
    asset = private.upload(png, filename="secret name.png")
    assert private.ask("GET", asset["url"], token=None).status_code == 401
    answer = sign(private, asset)
    assert answer.status_code == 200
    assert answer.json()["expiresAt"].endswith("Z")
    url = answer.json()["url"]
    assert url.startswith(asset["url"] + "?expires=")
    found = private.ask("GET", url, token=None)
    assert (found.status_code, found.content) == (200, png)
    assert found.headers["cache-control"].startswith("private")
    assert "secret" not in found.headers["content-disposition"]
    assert private.ask("HEAD", url, token=None).status_code == 200


def test_it_opens_nothing_else(private: Api, png: bytes) -> None:
    url = sign(private, private.upload(png)).json()["url"]
    other = private.upload(png + b"x")["url"]
    path, _, query = url.partition("?")
    for address in (
        f"{other}?{query}",
        path.removesuffix(".png") + f"?{query}",
        url[:-1],
        url.replace("expires=", "expires=1"),
        f"{path}?signature=x",
        f"{path}?expires=1&signature=",
        f"/api/assets?{query}",
    ):
        assert private.ask("GET", address, token=None).status_code == 401, address
    assert private.ask("PUT", url, token=None, content=png).status_code == 401
    wrong = {"Authorization": "Bearer calo_wrong"}
    answer = private.ask("GET", url, token=None, headers=wrong)
    assert answer.status_code == 401, "credentials that are shown have to be right"


def test_behind_a_prefix_the_prefix_is_not_signed(open_api: Callable[..., Api], png: bytes) -> None:
    api = open_api(BLOB_ACCESS="private", ROOT_PATH="/pictures")
    url = sign(api, api.upload(png)).json()["url"]
    assert url.startswith("/pictures/blobs/")
    for address in (url, url.removeprefix("/pictures")):
        assert api.ask("GET", address, token=None).content == png


def test_only_who_may_write_can_sign_what_is_theirs(private: Api, png: bytes) -> None:
    asset = private.upload(png)
    assert sign(private, asset, token=private.bob).status_code == 404
    assert sign(private, asset, token=private.reader).status_code == 403
    assert sign(private, asset, token=None).status_code == 401
    assert sign(private, asset, token=private.admin).status_code == 200


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "expiresIn"),
        ({"expiresIn": 0}, "expiresIn"),
        ({"expiresIn": -5}, "expiresIn"),
        ({"expiresIn": 30 * 86_400 + 1}, "expiresIn"),
        ({"expiresIn": 10**15}, "expiresIn"),
        ({"expiresIn": True}, "expiresIn"),
        ({"expiresIn": "1h"}, "expiresIn"),
        ({**HOUR, "variant": 5}, "variant"),
        ({**HOUR, "variant": ""}, "variant"),
        ({**HOUR, "variant": "../../api"}, "variant"),
        ({**HOUR, "path": "/api"}, "path"),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(private: Api, body: dict[str, object], field: str) -> None:
    answer = sign(private, private.upload(), body)
    assert (answer.status_code, answer.json()["field"]) == (422, field)


def test_a_variant_is_signed_by_its_own_address(private: Api) -> None:
    asset = private.upload()
    url = sign(private, asset, {**HOUR, "variant": "thumb.webp"}).json()["url"]
    assert url.startswith(f"/blobs/{asset['sha256']}/thumb.webp?")


def test_where_bytes_are_public_a_signature_changes_nothing(api: Api, png: bytes) -> None:
    asset = api.upload(png)
    url = sign(api, asset).json()["url"]
    assert api.ask("GET", url, token=None).content == api.ask("GET", url[:-1], token=None).content == png
