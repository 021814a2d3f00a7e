"""Payloads by their hash."""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.server.conftest import Api

UNKNOWN = "0" * 64


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def test_bytes_come_back_with_everything_a_cache_needs(api: Api, png: bytes) -> None:
    api.upload(png, filename="a.png")
    answer = api.ask("GET", f"/blobs/{sha(png)}", token=None)
    assert (answer.status_code, answer.content) == (200, png)
    fields = {
        "content-type": "image/png",
        "content-length": str(len(png)),
        "etag": f'"{sha(png)}"',
        "cache-control": "public, max-age=31536000, immutable",
        "repr-digest": f"sha-256=:{base64.b64encode(hashlib.sha256(png).digest()).decode()}:",
        "accept-ranges": "bytes",
        "content-security-policy": "default-src 'none'; sandbox; frame-ancestors 'none'",
        "cross-origin-resource-policy": "cross-origin",
        "content-disposition": 'inline; filename="a.png"',
        "x-content-type-options": "nosniff",
        "access-control-allow-origin": "*",
    }
    assert {name: answer.headers[name] for name in fields} == fields


@pytest.mark.parametrize("ending", [".png", ".exe", ".JPEG", "?download=0", "?v=17"])
def test_the_extension_and_foreign_parameters_are_decoration(api: Api, png: bytes, ending: str) -> None:
    api.upload(png)
    answer = api.ask("GET", f"/blobs/{sha(png)}{ending}", token=None)
    assert (answer.content, answer.headers["content-type"]) == (png, "image/png")
    assert answer.headers["content-disposition"].startswith("inline")


def test_what_is_no_raster_picture_is_a_download(api: Api, png: bytes) -> None:
    for data in (b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"<!doctype html><p>hi", b"\x00\x01\x02", b"words"):
        asset = api.upload(data, filename="x.png")
        answer = api.ask("GET", asset["url"], token=None)
        assert answer.headers["content-disposition"] == 'attachment; filename="x.png"'
    api.upload(png, filename="a\u202e \u00e9.png")
    answer = api.ask("GET", f"/blobs/{sha(png)}?download=1", token=None)
    assert answer.headers["content-disposition"] == "attachment; filename=\"a e_.png\"; filename*=UTF-8''a%20%C3%A9.png"


def test_head_is_get_without_the_bytes(api: Api, png: bytes) -> None:
    api.upload(png)
    head = api.ask("HEAD", f"/blobs/{sha(png)}", token=None)
    assert (head.content, head.headers["content-length"]) == (b"", str(len(png)))
    assert api.ask("HEAD", f"/blobs/{UNKNOWN}", token=None).status_code == 404


def test_ranges_and_conditions(api: Api) -> None:
    data = bytes(range(256)) * 4
    url = api.upload(data)["url"]
    tag = f'"{sha(data)}"'

    def ask(**headers: str) -> tuple[int, bytes]:
        answer = api.ask("GET", url, token=None, headers={name.replace("_", "-"): v for name, v in headers.items()})
        return answer.status_code, answer.content

    assert ask(Range="bytes=0-99") == (206, data[:100])
    assert ask(Range="bytes=-5") == (206, data[-5:])
    assert ask(Range="bytes=0-9", If_Range=tag) == (206, data[:10])
    assert ask(Range="bytes=0-9", If_Range='"other"') == (200, data)
    assert ask(Range="lines=1") == (200, data)
    assert ask(If_None_Match=tag) == (304, b"")
    assert ask(Range="bytes=5000-")[0] == 416
    status, several = ask(Range="bytes=0-9,900-909")
    assert (status, data[:10] in several, data[900:910] in several) == (206, True, True)


@pytest.mark.parametrize(
    "name",
    [
        UNKNOWN,
        f"{UNKNOWN}.png",
        UNKNOWN[1:],
        f"{UNKNOWN}0",
        "x" * 64,
        "..%2f..%2fsettings%2fgeneral.json",
        "%2e%2e",
        f"{UNKNOWN}.",
        f"{UNKNOWN}.p.g",
        f"{UNKNOWN}%00",
        f"{UNKNOWN}.{'x' * 17}",
        f"{UNKNOWN}/",
        f"{UNKNOWN}/512x",
    ],
)
def test_what_is_not_there_or_no_hash_is_404(api: Api, name: str) -> None:
    answer = api.ask("GET", f"/blobs/{name}", token=None)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["cache-control"] == "no-store"


def test_upper_case_is_not_canonical(api: Api, png: bytes) -> None:
    api.upload(png)
    assert api.ask("GET", f"/blobs/{sha(png).upper()}", token=None).status_code == 404


def test_a_recorded_payload_that_is_missing_is_404_counted_and_degraded(api: Api, png: bytes) -> None:
    asset = api.upload(png)
    raw = api.store.engine.paths.root / asset["relativePath"]
    raw.unlink()
    for _ in range(2):
        assert api.ask("GET", asset["url"], token=None).status_code == 404
    ready = api.ask("GET", "/readyz", token=None)
    assert (ready.status_code, ready.json()["status"]) == (200, "degraded")
    assert [(reason["reason"], reason["count"]) for reason in ready.json()["reasons"]] == [("missing-payloads", 1)]
    assert api.upload(png)["duplicate"] is True
    assert api.ask("GET", asset["url"], token=None).content == png
    assert api.ask("GET", "/readyz", token=None).json()["status"] == "ready"


def test_a_payload_cut_short_is_not_served_as_the_whole(api: Api, png: bytes) -> None:
    asset = api.upload(png)
    (api.store.engine.paths.root / asset["relativePath"]).write_bytes(png[:-1])
    assert api.ask("GET", asset["url"], token=None).status_code == 404
    assert api.ask("GET", "/readyz", token=None).json()["status"] == "degraded"
    api.upload(png)  # the bytes come again, and heal it
    assert api.ask("GET", asset["url"], token=None).content == png


def test_a_deleted_records_payload_is_404_at_once(api: Api, png: bytes) -> None:
    asset = api.upload(png)
    assert api.ask("DELETE", f"/api/assets/{asset['id']}").status_code == 204
    assert api.ask("GET", asset["url"], token=None).status_code == 404
    assert api.payloads() == [asset["sha256"]]


def test_private_bytes_are_for_their_owner(open_api: Callable[..., Api], png: bytes) -> None:
    api = open_api(BLOB_ACCESS="private")
    url = api.upload(png, token=api.bob, filename="bobs secret.png")["url"]
    unknown = f"/blobs/{UNKNOWN}"
    for address in (url, unknown, "/blobs/nonsense"):
        answer = api.ask("GET", address, token=None)
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"].startswith("Bearer")
    foreign, absent = (api.ask("GET", address, token=api.alice) for address in (url, unknown))
    assert foreign.status_code == absent.status_code == 404
    assert foreign.json() == {
        name: value.replace(UNKNOWN, sha(png)) if isinstance(value, str) else value
        for name, value in absent.json().items()
    }
    mine = api.ask("GET", url, token=api.bob)
    assert (mine.content, mine.headers["cross-origin-resource-policy"]) == (png, "same-origin")
    assert mine.headers["cache-control"] == "private, max-age=31536000, immutable"
    assert "access-control-allow-origin" not in mine.headers
    assert api.ask("GET", url, token=api.admin).content == png
    api.upload(png, token=api.alice, filename="mine.png")
    assert api.ask("GET", url, token=api.alice).headers["content-disposition"] == 'inline; filename="mine.png"'


def test_private_bytes_that_a_record_of_mine_mentions_are_mine_to_see(open_api: Callable[..., Api], png: bytes) -> None:
    api = open_api(BLOB_ACCESS="private")
    url = api.upload(png, token=api.bob)["url"]
    api.character(avatarUrl=f"/blobs/{sha(png)}")
    answer = api.ask("GET", url, token=api.alice)
    assert (answer.content, answer.headers["content-disposition"]) == (png, f'inline; filename="{sha(png)}"')


def test_put_stores_what_hashes_to_the_address(api: Api, png: bytes) -> None:
    url = f"/blobs/{sha(png)}"
    first = api.ask("PUT", url, content=png, params={"filename": "a.png", "tags": "x"})
    assert first.status_code == 201
    assert first.headers["location"] == f"/api/assets/{first.json()['id']}"
    again = api.ask("PUT", f"{url}.png", content=png)
    assert (again.status_code, again.json()["id"], again.json()["duplicate"]) == (200, first.json()["id"], True)
    other = api.ask("PUT", url, content=png, token=api.bob)
    assert (other.status_code, other.json()["duplicate"]) == (201, False)


def test_put_of_other_bytes_is_409_and_leaves_nothing(api: Api, png: bytes) -> None:
    answer = api.ask("PUT", f"/blobs/{UNKNOWN}", content=png)
    assert (answer.status_code, answer.json()["expected"], answer.json()["actual"]) == (409, UNKNOWN, sha(png))
    contradicting = api.ask("PUT", f"/blobs/{sha(png)}", content=png, headers={"X-SHA-256": UNKNOWN})
    assert contradicting.status_code == 409
    assert (api.payloads(), api.staged()) == ([], [])


@pytest.mark.parametrize("name", [UNKNOWN.replace("0", "A"), "short", "%2e%2e"])
def test_put_to_what_is_no_hash_is_404(api: Api, name: str) -> None:
    assert api.ask("PUT", f"/blobs/{name}", content=b"x").status_code == 404


def test_put_needs_write_scope(api: Api, png: bytes) -> None:
    assert api.ask("PUT", f"/blobs/{sha(png)}", content=png, token=None).status_code == 401
    assert api.ask("PUT", f"/blobs/{sha(png)}", content=png, token=api.reader).status_code == 403
    assert api.ask("PUT", f"/blobs/{sha(png)}?nmae=x", content=png).status_code == 422
    assert api.payloads() == []
