"""Assets: read, change, delete, restore, who uses them, and which payloads are missing."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    import httpx2

    from tests.server.conftest import Api

ONE = "11111111-1111-4111-8111-111111111111"


def patch(api: Api, asset: dict[str, Any], body: object, **headers: str) -> httpx2.Response:
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    return api.ask("PATCH", f"/api/assets/{asset['id']}", json=body, headers=fields)


def test_a_patch_changes_what_it_names(api: Api) -> None:
    asset = api.upload()
    answer = patch(api, asset, {"filename": "b.png", "meta": {"a": 1}, "tags": ["Fantasy", "fantasy", "dark"]})
    changed = answer.json()
    assert (answer.status_code, changed["filename"], changed["meta"]) == (200, "b.png", {"a": 1})
    assert [api.store.records.tags.get(tag).name for tag in changed["tags"]] == ["Fantasy", "dark"]
    assert changed["updatedAt"] > asset["updatedAt"]
    read = api.ask("GET", f"/api/assets/{asset['id']}")
    assert (read.json(), read.headers["etag"]) == (changed, answer.headers["etag"])


def test_a_merge_patch_has_a_media_type_of_its_own(api: Api) -> None:
    url = f"/api/assets/{api.upload()['id']}"
    for media, status in (("application/merge-patch+json", 200), ("application/json", 200), ("text/plain", 415)):
        assert api.ask("PATCH", url, content=b"{}", headers={"Content-Type": media}).status_code == status
    put = api.ask("PUT", url, content=b"{}", headers={"Content-Type": "application/merge-patch+json"})
    assert put.status_code == 415


def test_sending_back_what_was_read_changes_nothing(api: Api) -> None:
    asset = api.upload(tags="x")
    read = api.ask("GET", f"/api/assets/{asset['id']}")
    for method in ("PATCH", "PUT"):
        again = api.ask(method, f"/api/assets/{asset['id']}", json=read.json())
        assert (again.status_code, again.headers["etag"]) == (200, read.headers["etag"])


def test_a_stale_version_is_412_and_a_current_one_is_not(api: Api) -> None:
    asset = api.upload()
    url = f"/api/assets/{asset['id']}"
    tag = api.ask("GET", url).headers["etag"]
    bare = f'"{tag.strip(chr(34)).partition(".")[0]}"'
    assert patch(api, asset, {"filename": "b"}, If_Match='"old"').status_code == 412
    assert patch(api, asset, {"filename": "b"}, If_Match=f"W/{tag}").status_code == 412
    assert patch(api, asset, {"filename": "b"}, If_Match="no tag").status_code == 422
    assert patch(api, asset, {"filename": "b"}, If_Match=f'"old", {bare}').status_code == 200
    for method, body in (("PATCH", {"filename": "c"}), ("PUT", {"filename": "c", "type": "image"}), ("DELETE", None)):
        assert api.ask(method, url, json=body, headers={"If-Match": tag}).status_code == 412
    assert patch(api, asset, {"filename": "d"}, If_Match="*").status_code == 200
    current = api.ask("GET", url).headers["etag"]
    assert api.ask("DELETE", url, headers={"If-Match": current}).status_code == 204


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"nonsense": 1}, "nonsense"),
        ({"sha256": "0" * 64}, "sha256"),
        ({"size": 1}, "size"),
        ({"mimeType": "text/html"}, "mimeType"),
        ({"filename": None}, "filename"),
        ({"type": "banana"}, "type"),
        ({"characterId": ONE}, "characterId"),
        ({"imageProfileId": ONE}, "imageProfileId"),
        ({"tags": [ONE]}, "tags"),
        ({"tags": ["made up"], "nonsense": 1}, "nonsense"),
        ({"tags": ["made up"], "characterId": ONE}, "characterId"),
        ({"tags": ["made up", ONE]}, "tags"),
    ],
)
def test_what_cannot_be_patched_is_refused_by_name_and_makes_no_tags(
    api: Api, body: dict[str, Any], field: str
) -> None:
    answer = patch(api, api.upload(), body)
    assert (answer.status_code, answer.json()["field"]) == (422, field)
    assert list(api.store.records.tags.find_all()) == []


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"null", b"{", b'{"meta":{"a":NaN}}', b'{"meta":1,"meta":2}', b'{"filename":"\\ud800"}', b"[" * 9999],
)
def test_what_is_no_strict_json_is_422(api: Api, body: bytes) -> None:
    url = f"/api/assets/{api.upload()['id']}"
    answer = api.ask("PATCH", url, content=body, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")


def test_a_json_body_over_the_limit_is_413(api: Api) -> None:
    answer = patch(api, api.upload(), {"meta": {"a": "x" * (11 * 1024 * 1024)}})
    assert (answer.status_code, answer.json()["setting"]) == (413, "CALOTYPE_MAX_JSON_BYTES")


def test_put_replaces(api: Api) -> None:
    asset = api.upload(generationPrompt="a cat", tags="x")
    answer = api.ask("PUT", f"/api/assets/{asset['id']}", json={"type": "avatar", "filename": "z"})
    body = answer.json()
    assert (body["type"], body["filename"], body["generationPrompt"], body["tags"]) == ("avatar", "z", None, [])
    assert (body["sha256"], body["userId"], body["createdAt"]) == (asset["sha256"], asset["userId"], asset["createdAt"])
    assert api.ask("PUT", f"/api/assets/{asset['id']}", json={"type": "image"}).json()["field"] == "filename"
    assert api.ask("PUT", f"/api/assets/{ONE}", json={"type": "image", "filename": "a"}).status_code == 404


def test_only_an_admin_gives_a_record_away(api: Api) -> None:
    asset = api.upload()
    assert patch(api, asset, {"userId": api.users["bob"]}).status_code == 403
    url = f"/api/assets/{asset['id']}"
    assert api.ask("PATCH", url, json={"userId": api.users["bob"]}, token=api.admin).status_code == 200
    assert api.ask("GET", url).status_code == 404
    assert api.ask("GET", url, token=api.bob).status_code == 200


@pytest.mark.parametrize("key", [ONE, "have", "..", "%00", "x" * 500, "\u202e"])
def test_what_is_not_there_is_404(api: Api, key: str) -> None:
    assert api.ask("GET", f"/api/assets/{key}").status_code == 404


def test_what_is_another_users_is_as_if_it_were_not_there(api: Api) -> None:
    url = f"/api/assets/{api.upload(token=api.bob)['id']}"
    absent = api.ask("GET", f"/api/assets/{ONE}").json()
    requests: list[tuple[str, str, dict[str, Any]]] = [
        ("GET", url, {}),
        ("PATCH", url, {"json": {}}),
        ("PUT", url, {"json": {"type": "image", "filename": "a"}}),
        ("DELETE", url, {}),
        ("DELETE", f"{url}?force=1&purge=1", {}),
        ("GET", f"{url}/references", {}),
        ("PUT", f"{url}/tags/{ONE}", {}),
        ("DELETE", f"{url}/tags/{ONE}", {}),
        ("POST", f"{url}/restore", {}),
    ]
    for method, address, more in requests:
        answer = api.ask(method, address, **more)
        assert answer.status_code == 404, (method, address)
        assert answer.json()["type"] == absent["type"]
    assert api.ask("GET", url, token=api.bob).status_code == 200
    assert api.ask("DELETE", url, token=api.admin).status_code == 204
    assert api.ask("POST", f"{url}/restore").status_code == 404


def test_what_is_used_is_not_deleted_unless_forced(api: Api) -> None:
    asset = api.upload()
    url = f"/api/assets/{asset['id']}"
    character = api.character(defaultImageId=asset["id"], description=f"looks like /blobs/{asset['sha256']}")
    used = api.ask("GET", f"{url}/references").json()
    where = {(item["kind"], item["id"], item["field"]) for item in used["items"]}
    assert where == {("character", character, "defaultImageId"), ("character", character, "mention")}
    refused = api.ask("DELETE", url)
    assert refused.status_code == 409
    assert {(item["kind"], item["id"], item["field"]) for item in refused.json()["referrers"]} == where
    assert api.ask("DELETE", f"{url}?force=1").status_code == 204
    kept = api.store.documents.get("character", character)
    assert kept is not None
    assert "defaultImageId" not in kept.body
    assert api.ask("GET", asset["url"], token=None).status_code == 200  # still mentioned


def test_another_users_mention_is_nobodys_business(api: Api) -> None:
    asset = api.upload(token=api.bob)
    api.character(avatarUrl=asset["url"])
    assert api.ask("GET", f"/api/assets/{asset['id']}/references", token=api.bob).json() == {"items": [], "total": 0}
    assert api.ask("DELETE", f"/api/assets/{asset['id']}", token=api.bob).status_code == 204


def test_delete_restore_and_purge(api: Api, png: bytes) -> None:
    asset = api.upload(filename="a.png")
    url = f"/api/assets/{asset['id']}"
    assert api.ask("POST", f"{url}/restore").status_code == 409
    assert api.ask("DELETE", url).status_code == 204
    assert [api.ask("DELETE", url).status_code, api.ask("GET", url).status_code] == [404, 404]
    restored = api.ask("POST", f"{url}/restore")
    assert (restored.status_code, restored.json()["filename"]) == (200, "a.png")
    assert api.ask("GET", asset["url"], token=None).content == png
    other = api.upload(token=api.bob)
    assert api.ask("DELETE", f"{url}?purge=1").status_code == 204
    assert api.payloads() == [asset["sha256"]]
    assert api.ask("DELETE", f"/api/assets/{other['id']}?purge", token=api.bob).status_code == 204
    assert api.payloads() == []
    assert api.ask("GET", "/api/stats", token=api.admin).json()["payloads"] == 0
    assert api.ask("POST", f"{url}/restore").status_code == 404


@pytest.mark.parametrize("query", ["force=maybe", "farce=1", "force=1&force=1"])
def test_a_mistyped_flag_deletes_nothing(api: Api, query: str) -> None:
    url = f"/api/assets/{api.upload()['id']}"
    assert api.ask("DELETE", f"{url}?{query}").status_code == 422
    assert api.ask("GET", url).status_code == 200


def test_have_tells_what_is_missing_of_ones_own(api: Api, png: bytes) -> None:
    mine, theirs, nobodys = (hashlib.sha256(data).hexdigest() for data in (png, b"theirs", b"nobody's"))
    api.upload(png)
    api.upload(b"theirs", token=api.bob)
    ask = {"sha256": [nobodys, mine, theirs, nobodys]}
    for token, missing in ((api.alice, [nobodys, theirs]), (api.reader, [nobodys, theirs]), (api.bob, [nobodys, mine])):
        assert api.ask("POST", "/api/assets/have", json=ask, token=token).json() == {"missing": missing}
    assert api.ask("POST", "/api/assets/have", json=ask, token=api.admin).json()["missing"] == [nobodys, mine, theirs]


def test_a_payload_whose_bytes_are_gone_is_missing(api: Api) -> None:
    asset = api.upload()
    (api.store.engine.paths.root / asset["relativePath"]).unlink()
    answer = api.ask("POST", "/api/assets/have", json={"sha256": [asset["sha256"]]})
    assert answer.json() == {"missing": [asset["sha256"]]}


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"sha256": ["0" * 64] * 1001}, 413),
        ({"sha256": ["A" * 64]}, 422),
        ({"sha256": ["short"]}, 422),
        ({"sha256": "0" * 64}, 422),
        ({"sha256": [1]}, 422),
        ({}, 422),
        ({"sha256": [], "more": 1}, 422),
    ],
)
def test_have_takes_up_to_a_thousand_hashes_and_nothing_else(api: Api, body: dict[str, Any], status: int) -> None:
    assert api.ask("POST", "/api/assets/have", json=body).status_code == status
    assert api.ask("POST", "/api/assets/have", json={"sha256": ["0" * 64] * 1000}).json() == {"missing": ["0" * 64]}


def test_reading_scope_reads_and_no_more(api: Api) -> None:
    url = f"/api/assets/{api.upload()['id']}"
    assert api.ask("GET", url, token=api.reader).status_code == 200
    for method in ("PATCH", "PUT", "DELETE"):
        assert api.ask(method, url, token=api.reader, json={}).status_code == 403
        assert api.ask(method, url, token=None, json={}).status_code == 401


def test_head_answers_as_get_does(api: Api) -> None:
    url = f"/api/assets/{api.upload()['id']}"
    get, head = api.ask("GET", url), api.ask("HEAD", url)
    assert (head.status_code, head.headers["etag"]) == (200, get.headers["etag"])
    assert head.headers["content-length"] == get.headers["content-length"]
