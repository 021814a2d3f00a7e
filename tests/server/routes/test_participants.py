"""Who is in a chat, one by one over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.server.conftest import Api

ONE = "11111111-1111-4111-8111-111111111111"
TEXTS = {"description": "d", "personality": "p", "scenario": "s", "firstMessage": "hello"}


def make(api: Api, collection: str, /, **body: Any) -> dict[str, Any]:
    answer = api.ask("POST", f"/api/{collection}", json=body)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


@pytest.fixture
def talk(api: Api) -> dict[str, Any]:
    """A chat of the first shape, with Alice."""
    who = make(api, "characters", name="Alice", **TEXTS)["id"]
    connection = make(api, "connection-profiles", name="main", provider="OPENAI", modelName="m")["id"]
    return make(api, "chats", title="t", characterId=who, connectionProfileId=connection)


@pytest.fixture
def bob(api: Api) -> str:
    """Somebody who may join."""
    return str(make(api, "characters", name="Bob", **TEXTS)["id"])


def test_somebody_joins_changes_and_leaves(api: Api, talk: dict[str, Any], bob: str) -> None:
    url = f"/api/chats/{talk['id']}/participants"
    (alice,) = api.ask("GET", url).json()["items"]
    assert (alice["id"], alice["characterId"], alice["avatar"]) == (talk["characterId"], talk["characterId"], None)
    answer = api.ask("POST", url, json={"type": "CHARACTER", "characterId": bob})
    made = answer.json()
    assert (answer.status_code, answer.headers["location"]) == (201, f"{url}/{made['id']}")
    assert (made["characterId"], made["displayOrder"], made["isActive"]) == (bob, 1, True)
    assert api.ask("GET", url).json() == {"items": [alice, made], "total": 2}
    chat = api.ask("GET", f"/api/chats/{talk['id']}").json()
    assert (chat["characterId"], [who["id"] for who in chat["participants"]]) == (None, [alice["id"], made["id"]])

    one = f"{url}/{made['id']}"
    etag = api.ask("GET", one).headers["etag"]
    assert etag == answer.headers["etag"]
    assert api.ask("GET", one, headers={"If-None-Match": etag}).status_code == 304
    quiet = api.ask("PATCH", one, json={"isActive": False, "displayOrder": -1, "systemPromptOverride": "Be brief."})
    assert quiet.json() == made | {"isActive": False, "displayOrder": -1, "systemPromptOverride": "Be brief."}
    assert [who["id"] for who in api.ask("GET", url).json()["items"]] == [made["id"], alice["id"]]
    assert api.ask("PATCH", one, json={"systemPromptOverride": None, "displayOrder": None}).json() == made | {
        "isActive": False,
        "displayOrder": 0,
    }
    assert api.ask("PATCH", one, json=made).json() == made, "what was answered may be sent back"
    assert api.ask("DELETE", one).status_code == 204
    assert api.ask("DELETE", one).status_code == 404
    assert api.ask("DELETE", f"{url}/{alice['id']}").status_code == 409


def test_a_chats_own_picture_is_the_participants(api: Api, talk: dict[str, Any], png: bytes) -> None:
    asset = api.upload(png)
    url = f"/api/characters/{talk['characterId']}/avatar?chatId={talk['id']}"
    assert api.ask("PUT", url, json={"assetId": asset["id"]}).status_code == 200
    (alice,) = api.ask("GET", f"/api/chats/{talk['id']}/participants").json()["items"]
    assert alice["avatar"]["sha256"] == asset["sha256"]


def test_what_the_original_left_in_a_participant_stays_and_may_be_changed(api: Api, bob: str) -> None:
    who = {"id": ONE, "type": "CHARACTER", "characterId": bob, "mood": "calm"}
    chat = api.put_record("chat", {"participants": [who], "title": "t", "tags": [], "messageCount": 0})
    one = f"/api/chats/{chat}/participants/{ONE}"
    assert api.ask("PATCH", one, json={"isActive": False}).json()["mood"] == "calm"
    assert api.ask("PATCH", one, json={"mood": "wild"}).json()["mood"] == "wild"
    assert api.ask("PATCH", one, json={"mode": "wild"}).json()["field"] == "mode"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "type"),
        ({"type": "BANANA"}, "type"),
        ({"type": "CHARACTER", "characterId": ONE}, "characterId"),
        ({"type": "CHARACTER", "characterId": "nobody"}, "characterId"),
        ({"type": "CHARACTER", "owner": "x"}, "owner"),
        ({"type": "CHARACTER", "if_match": "x"}, "if_match"),
        ({"type": "CHARACTER", "character_id": ONE}, "character_id"),
        ({"type": "CHARACTER", "displayOrder": "first"}, "displayOrder"),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(
    api: Api, talk: dict[str, Any], body: dict[str, Any], field: str
) -> None:
    url = f"/api/chats/{talk['id']}/participants"
    answer = api.ask("POST", url, json=body)
    assert (answer.status_code, answer.json()["field"]) == (422, field)
    if body:
        answer = api.ask("PATCH", f"{url}/{talk['characterId']}", json=body)
        assert (answer.status_code, answer.json()["field"]) == (422, field)
    assert api.ask("GET", url).json()["total"] == 1


def test_versions_and_other_users(api: Api, talk: dict[str, Any], bob: str) -> None:
    url = f"/api/chats/{talk['id']}/participants"
    one, joining = f"{url}/{talk['characterId']}", {"type": "CHARACTER", "characterId": bob}
    for method, path, body in (("POST", url, joining), ("PATCH", one, {"isActive": False}), ("DELETE", one, None)):
        sent: dict[str, Any] = {} if body is None else {"json": body}
        assert api.ask(method, path, headers={"If-Match": '"00"'}, **sent).status_code == 412
        assert api.ask(method, path, token=api.bob, **sent).status_code == 404
        assert api.ask(method, path, token=api.reader, **sent).status_code == 403
    assert api.ask("GET", url, token=api.bob).status_code == 404
    assert api.ask("GET", f"{url}/{ONE}").status_code == 404
    assert api.ask("PATCH", f"{url}/{ONE}", json={"isActive": False}).status_code == 404
    etag = api.ask("GET", f"/api/chats/{talk['id']}").headers["etag"]
    assert api.ask("POST", url, json=joining, headers={"If-Match": etag}).status_code == 201
    theirs = api.ask("POST", "/api/characters", json={"name": "X", **TEXTS}, token=api.bob).json()["id"]
    answer = api.ask("POST", url, json={"type": "CHARACTER", "characterId": theirs})
    assert (answer.status_code, answer.json()["field"]) == (422, "characterId")
