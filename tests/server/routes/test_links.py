"""Links between assets and other records."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.server.conftest import Api

ONE = "11111111-1111-4111-8111-111111111111"


def profile(api: Api, name: str = "p", **more: object) -> str:
    body = {
        "name": name,
        "provider": "OPENAI",
        "modelName": "m",
        "parameters": {},
        "isDefault": False,
        "tags": [],
        **more,
    }
    return api.put_record("imageProfile", body)


def images_of(api: Api, key: str) -> object:
    stored = api.store.documents.get("imageProfile", key)
    assert stored is not None
    return stored.body.get("_imageIds", [])


def read(api: Api, asset: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = api.ask("GET", f"/api/assets/{asset['id']}").json()
    return found


def test_a_tag_is_put_on_and_taken_off(api: Api) -> None:
    asset = api.upload()
    tag = api.store.records.tags.ensure(api.users["alice"], ["x"])[0]
    url = f"/api/assets/{asset['id']}/tags/{tag}"
    for _ in range(2):
        answer = api.ask("PUT", url)
        assert (answer.status_code, answer.json()["tags"], answer.json()["tagTypes"]) == (200, [tag], None)
    for _ in range(2):
        assert api.ask("DELETE", url).status_code == 204
    assert read(api, asset)["tags"] == []


def test_a_tag_may_be_a_character(api: Api) -> None:
    asset, character = api.upload(), api.character()
    url = f"/api/assets/{asset['id']}/tags/{character}"
    assert api.ask("PUT", f"{url}?tagType=CHARACTER").json()["tagTypes"] == {character: "CHARACTER"}
    assert api.ask("DELETE", url).status_code == 204
    assert read(api, asset)["tagTypes"] is None


@pytest.mark.parametrize(("key", "query", "status"), [(ONE, "", 422), ("name", "", 404), (ONE, "?tagType=BANANA", 422)])
def test_a_tag_that_is_not_there_is_refused(api: Api, key: str, query: str, status: int) -> None:
    asset = api.upload()
    assert api.ask("PUT", f"/api/assets/{asset['id']}/tags/{key}{query}").status_code == status
    assert read(api, asset)["tags"] == []


def test_a_stale_version_takes_no_tag(api: Api) -> None:
    asset = api.upload(tags="x")
    url = f"/api/assets/{asset['id']}/tags/{asset['tags'][0]}"
    for method in ("PUT", "DELETE"):
        assert api.ask(method, url, headers={"If-Match": '"old"'}).status_code == 412
    assert read(api, asset)["tags"] == asset["tags"]


def test_an_asset_and_an_image_profile_know_of_each_other(api: Api) -> None:
    asset, key, other = api.upload(), profile(api), profile(api, "q")
    for _ in range(2):
        answer = api.ask("PUT", f"/api/image-profiles/{key}/assets/{asset['id']}")
        assert (answer.status_code, answer.json()["imageProfileId"]) == (200, key)
    assert images_of(api, key) == [asset["id"]]
    assert [item["id"] for item in api.ask("GET", f"/api/image-profiles/{key}/assets").json()["items"]] == [asset["id"]]
    assert [item["id"] for item in api.ask("GET", f"/api/assets?imageProfileId={key}").json()["items"]] == [asset["id"]]
    moved = api.ask("PUT", f"/api/image-profiles/{other}/assets/{asset['id']}")
    assert (moved.json()["imageProfileId"], images_of(api, key), images_of(api, other)) == (other, [], [asset["id"]])
    for _ in range(2):
        assert api.ask("DELETE", f"/api/image-profiles/{other}/assets/{asset['id']}").status_code == 204
    assert (read(api, asset)["imageProfileId"], images_of(api, other)) == (None, [])


def test_a_link_needs_both_sides_to_be_ones_own(api: Api) -> None:
    mine, theirs, key = api.upload(b"1"), api.upload(b"2", token=api.bob), profile(api)
    for url, token in (
        (f"/api/image-profiles/{key}/assets/{theirs['id']}", api.alice),
        (f"/api/image-profiles/{key}/assets/{theirs['id']}", api.bob),
        (f"/api/image-profiles/{ONE}/assets/{mine['id']}", api.alice),
        (f"/api/image-profiles/{key}/assets/{ONE}", api.alice),
    ):
        for method in ("PUT", "DELETE"):
            assert api.ask(method, url, token=token).status_code == 404
    assert images_of(api, key) == []


def test_a_linked_asset_is_used(api: Api) -> None:
    asset, key = api.upload(), profile(api)
    api.ask("PUT", f"/api/image-profiles/{key}/assets/{asset['id']}")
    used = api.ask("GET", f"/api/assets/{asset['id']}/references").json()
    assert used["items"] == [{"kind": "imageProfile", "id": key, "field": "imageIds", "name": "p"}]
    assert api.ask("DELETE", f"/api/assets/{asset['id']}").status_code == 409
    assert api.ask("DELETE", f"/api/assets/{asset['id']}?force=1").status_code == 204
    assert images_of(api, key) == []


def test_a_deleted_image_profile_is_gone_from_its_assets(api: Api) -> None:
    one, two, key = api.upload(b"1"), api.upload(b"2"), profile(api)
    for asset in (one, two):
        api.ask("PUT", f"/api/image-profiles/{key}/assets/{asset['id']}")
    assert images_of(api, key) == [one["id"], two["id"]]
    assert api.ask("DELETE", f"/api/assets/{one['id']}").status_code == 409, "a sample picture is used"
    assert api.ask("DELETE", f"/api/image-profiles/{key}").status_code == 204
    for asset in (one, two):
        assert read(api, asset)["imageProfileId"] is None
        assert api.ask("GET", f"/api/assets/{asset['id']}/references").json()["total"] == 0
        assert api.ask("DELETE", f"/api/assets/{asset['id']}").status_code == 204


def test_the_assets_of_a_record(api: Api) -> None:
    character = api.character()
    texts = {"name": "n", "description": "d", "characterLinks": [], "tags": []}
    persona = api.put_record("persona", texts)
    who = {"id": ONE, "type": "CHARACTER", "characterId": character, "displayOrder": 0, "isActive": True}
    chat = api.put_record("chat", {"participants": [who], "title": "t", "tags": [], "messageCount": 0})
    mine = api.upload(b"1", characterId=character, chatId=chat, tags="x")
    api.ask("PUT", f"/api/assets/{mine['id']}/tags/{persona}?tagType=PERSONA")
    api.upload(b"2")
    for path in (f"characters/{character}", f"personas/{persona}", f"chats/{chat}", f"tags/{mine['tags'][0]}"):
        answer = api.ask("GET", f"/api/{path}/assets?fields=id")
        assert answer.json()["items"] == [{"id": mine["id"]}], path
        assert api.ask("GET", f"/api/{path}/assets", token=api.bob).status_code == 404
        assert api.ask("GET", f"/api/{path}/assets?nonsense=1").status_code == 422
    for collection in ("characters", "personas", "chats", "tags", "image-profiles"):
        assert api.ask("GET", f"/api/{collection}/{ONE}/assets").status_code == 404
        assert api.ask("GET", f"/api/{collection}/..%5c/assets").status_code == 404
