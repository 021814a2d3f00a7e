"""Links between records over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from server.routes.relations import TAGGED

if TYPE_CHECKING:
    from tests.server.conftest import Api

ONE = "11111111-1111-4111-8111-111111111111"
TEXTS = {"name": "Alice", "description": "d", "personality": "p", "scenario": "s", "firstMessage": "hello"}
PERSONA = {"name": "Me", "description": "d"}
PROFILE = {"name": "main", "provider": "OPENAI", "modelName": "m"}


def make(api: Api, collection: str, /, **body: Any) -> dict[str, Any]:
    answer = api.ask("POST", f"/api/{collection}", json=body)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def one_of(api: Api, collection: str) -> str:
    bodies: dict[str, dict[str, Any]] = {"characters": TEXTS, "personas": PERSONA}
    if collection == "chats":
        who = make(api, "characters", **TEXTS)["id"]
        connection = make(api, "connection-profiles", **PROFILE)["id"]
        return str(make(api, "chats", title="t", characterId=who, connectionProfileId=connection)["id"])
    return str(make(api, collection, **bodies.get(collection, PROFILE))["id"])


@pytest.mark.parametrize("collection", TAGGED)
def test_a_tag_is_put_on_and_taken_off(api: Api, collection: str) -> None:
    key, tag = one_of(api, collection), make(api, "tags", name="x")["id"]
    url = f"/api/{collection}/{key}/tags/{tag}"
    for _ in range(2):
        answer = api.ask("PUT", url)
        assert (answer.status_code, answer.json()["tags"]) == (200, [tag])
    assert answer.headers["etag"] == api.ask("GET", f"/api/{collection}/{key}").headers["etag"]
    assert [item["id"] for item in api.ask("GET", f"/api/{collection}?tags=X").json()["items"]] == [key]
    assert api.ask("GET", f"/api/tags/{tag}/references").json()["items"][0]["id"] == key
    for method in ("PUT", "DELETE"):
        assert api.ask(method, url, headers={"If-Match": '"00"'}).status_code == 412
        assert api.ask(method, url, token=api.bob).status_code == 404
    for _ in range(2):
        assert api.ask("DELETE", url).status_code == 204
    assert api.ask("GET", f"/api/{collection}/{key}").json()["tags"] == []
    assert api.ask("PUT", f"/api/{collection}/{key}/tags/{ONE}").status_code == 422
    assert api.ask("PUT", f"/api/{collection}/{ONE}/tags/{tag}").status_code == 404


def test_a_character_and_a_persona_know_of_each_other(api: Api) -> None:
    character, persona = one_of(api, "characters"), one_of(api, "personas")
    url = f"/api/characters/{character}/personas/{persona}"
    linked = api.ask("PUT", f"{url}?isDefault=1").json()
    assert linked["personaLinks"] == [{"personaId": persona, "isDefault": True}]
    assert api.ask("GET", f"/api/personas/{persona}").json()["characterLinks"] == [character]
    assert api.ask("DELETE", url).status_code == 204
    assert api.ask("GET", f"/api/personas/{persona}").json()["characterLinks"] == []
    other = f"/api/personas/{persona}/characters/{character}"
    assert api.ask("PUT", other).json()["characterLinks"] == [character]
    assert api.ask("GET", f"/api/characters/{character}").json()["personaLinks"][0]["personaId"] == persona
    assert api.ask("DELETE", other).status_code == 204
    assert api.ask("GET", f"/api/characters/{character}").json()["personaLinks"] == []
    assert api.ask("PUT", f"/api/characters/{character}/personas/{ONE}").status_code == 422


def test_a_favourite(api: Api) -> None:
    url = f"/api/characters/{one_of(api, 'characters')}"
    assert api.ask("PUT", f"{url}/favorite").json()["isFavorite"] is True
    assert api.ask("DELETE", f"{url}/favorite").status_code == 204
    assert api.ask("GET", url).json()["isFavorite"] is False


def test_two_tags_become_one(api: Api) -> None:
    gone, kept = make(api, "tags", name="a")["id"], make(api, "tags", name="b")["id"]
    character = make(api, "characters", **TEXTS, tags=[gone])["id"]
    url = f"/api/tags/{gone}/merge"
    bodies: list[dict[str, Any]] = [{}, {"into": 5}, {"into": kept, "x": 1}, {"into": ONE}, {"into": gone}]
    for body in bodies:
        answer = api.ask("POST", url, json=body)
        assert (answer.status_code, answer.json()["field"]) == (422, "into")
    assert api.ask("POST", url, json={"into": kept}, token=api.bob).status_code == 404
    assert api.ask("POST", url, json={"into": kept}).json()["id"] == kept
    assert api.ask("GET", f"/api/characters/{character}").json()["tags"] == [kept]
    assert api.ask("GET", f"/api/tags/{gone}").status_code == 404


def test_a_deleted_tag_is_gone_from_everything(api: Api) -> None:
    tag = make(api, "tags", name="a")["id"]
    character = make(api, "characters", **TEXTS, tags=[tag])["id"]
    assert api.ask("DELETE", f"/api/tags/{tag}").status_code == 204
    assert api.ask("GET", f"/api/characters/{character}").json()["tags"] == []
