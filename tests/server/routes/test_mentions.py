"""A payload that a record names only by its hash, in whatever text: it is used, served, and who names it is told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.server.conftest import Api

    Place = Callable[[Api, dict[str, Any]], tuple[str, str, str]]

TEXTS = {"name": "Alice", "description": "d", "personality": "p", "scenario": "s", "firstMessage": "hello"}
CONNECTION = {"name": "main", "provider": "OPENAI", "modelName": "m"}


def made(api: Api, path: str, **body: Any) -> dict[str, Any]:
    answer = api.ask("POST", f"/api/{path}", json=body)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def a_chat(api: Api) -> str:
    who, connection = made(api, "characters", **TEXTS)["id"], made(api, "connection-profiles", **CONNECTION)["id"]
    return str(made(api, "chats", title="t", characterId=who, connectionProfileId=connection)["id"])


def avatar_url(api: Api, asset: dict[str, Any]) -> tuple[str, str, str]:
    key = made(api, "characters", **TEXTS, avatarUrl=f"/avatars/{asset['sha256']}?s=96")["id"]
    return "character", key, f"/api/characters/{key}"


def persona_url(api: Api, asset: dict[str, Any]) -> tuple[str, str, str]:
    key = made(api, "personas", name="Me", description="d", avatarUrl=asset["url"])["id"]
    return "persona", key, f"/api/personas/{key}"


def user_image(api: Api, asset: dict[str, Any]) -> tuple[str, str, str]:
    key = api.users["alice"]
    assert api.ask("PATCH", f"/api/users/{key}", json={"image": asset["url"]}).status_code == 200
    return "user", key, f"/api/users/{key}"


def message(api: Api, asset: dict[str, Any]) -> tuple[str, str, str]:
    chat = a_chat(api)
    content = f"look: ![a picture](http://elsewhere.example/blobs/{asset['sha256']}.png)"
    key = made(api, f"chats/{chat}/messages", role="USER", content=content)["id"]
    return "message", key, f"/api/chats/{chat}/messages/{key}"


def raw_response(api: Api, asset: dict[str, Any]) -> tuple[str, str, str]:
    chat, said = a_chat(api), {"parts": [{"image": asset["sha256"]}]}
    key = made(api, f"chats/{chat}/messages", role="ASSISTANT", content="x", rawResponse=said)["id"]
    return "message", key, f"/api/chats/{chat}/messages/{key}"


def silly_tavern_data(api: Api, asset: dict[str, Any]) -> tuple[str, str, str]:
    data = {"extensions": {"gallery": [{"file": f"sha256:{asset['sha256']}"}]}}
    key = made(api, "characters", **TEXTS, sillyTavernData=data)["id"]
    return "character", key, f"/api/characters/{key}"


def meta(api: Api, asset: dict[str, Any]) -> tuple[str, str, str]:
    key = made(api, "tags", name="t", meta={"icon": asset["sha256"]})["id"]
    return "tag", key, f"/api/tags/{key}"


WITHOUT = {
    "user": {"image": None},
    "message": {"content": "gone", "rawResponse": None},
    "character": {"avatarUrl": None, "sillyTavernData": None},
    "persona": {"avatarUrl": None},
    "tag": {"meta": None},
}


@pytest.mark.parametrize("place", [avatar_url, persona_url, user_image, message, raw_response, silly_tavern_data, meta])
def test_a_hash_in_any_text_is_a_reference_to_the_payload(api: Api, place: Place) -> None:
    asset = api.upload()
    kind, key, address = place(api, asset)
    url = f"/api/assets/{asset['id']}"
    (found,) = api.ask("GET", f"{url}/references").json()["items"]
    assert (found["kind"], found["id"], found["field"]) == (kind, key, "mention")
    refused = api.ask("DELETE", url)
    (named,) = refused.json()["referrers"]
    assert (refused.status_code, named["kind"], named["field"]) == (409, kind, "mention")
    assert named["id"].endswith(key)
    assert api.ask("DELETE", f"{url}?force=1").status_code == 204
    assert api.store.records.images.is_live(asset["sha256"])
    assert api.ask("GET", asset["url"], token=None).status_code == 200, "what is mentioned is served"
    assert api.ask("PATCH", address, json=WITHOUT[kind]).status_code == 200
    assert not api.store.records.images.is_live(asset["sha256"])
    assert api.ask("GET", asset["url"], token=None).status_code == 404


def test_a_mention_goes_with_the_record_that_holds_it(api: Api) -> None:
    asset = api.upload()
    _, _, address = message(api, asset)
    assert api.ask("DELETE", address).status_code == 204
    assert api.ask("GET", f"/api/assets/{asset['id']}/references").json()["total"] == 0
    assert api.ask("DELETE", f"/api/assets/{asset['id']}").status_code == 204


def test_the_door_tells_the_same(api: Api) -> None:
    asset = api.upload()
    for place in (avatar_url, user_image, message, silly_tavern_data):
        place(api, asset)
    found = {(by.kind, by.field) for by in api.store.records.images.referrers(asset["id"])}
    assert found == {("character", "mention"), ("user", "mention"), ("message", "mention")}


@pytest.mark.parametrize("place", [user_image, message, avatar_url])
def test_what_another_user_writes_keeps_nobody_from_deleting(api: Api, place: Place) -> None:
    asset = api.upload(token=api.bob)
    place(api, asset)
    url = f"/api/assets/{asset['id']}"
    assert api.ask("GET", f"{url}/references", token=api.bob).json()["total"] == 0
    assert api.ask("DELETE", url, token=api.bob).status_code == 204
