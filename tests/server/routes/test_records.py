"""CRUD on every collection over HTTP."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from server.routes.records import MAX_ITEMS

if TYPE_CHECKING:
    import httpx2

    from tests.server.conftest import Api

ONE = "11111111-1111-4111-8111-111111111111"
CHARACTER = {"name": "Alice", "description": "d", "personality": "p", "scenario": "s", "firstMessage": "hello"}
PROFILE = {"name": "main", "provider": "OPENAI", "modelName": "m"}
BODIES: dict[str, dict[str, Any]] = {
    "characters": CHARACTER,
    "personas": {"name": "Me", "description": "d"},
    "tags": {"name": "Fantasy"},
    "image-profiles": PROFILE,
    "connection-profiles": PROFILE,
    "api-keys": {"label": "mine", "provider": "OPENAI", "key": "sk-very-secret"},
}
ADMINS: dict[str, dict[str, Any]] = {
    "users": {"email": "carol@example.org", "name": "Carol"},
    "accounts": {"type": "oauth", "provider": "x", "providerAccountId": "1", "access_token": "hush-hush"},
    "sessions": {"sessionToken": "hush-hush", "expires": "2999-01-01T00:00:00.000Z"},
}
ALL = [*((name, body, False) for name, body in BODIES.items()), *((name, body, True) for name, body in ADMINS.items())]


def make(api: Api, collection: str, /, body: Any = None, *, token: str = "", **more: Any) -> dict[str, Any]:
    whole = {**{**BODIES, **ADMINS}.get(collection, {}), **more} if body is None else body
    answer = api.ask("POST", f"/api/{collection}", json=whole, token=token)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def chat(api: Api, **more: Any) -> dict[str, Any]:
    character = make(api, "characters")["id"]
    connection = make(api, "connection-profiles")["id"]
    return make(api, "chats", {"title": "t", "characterId": character, "connectionProfileId": connection, **more})


def secret(answer: httpx2.Response) -> bool:
    return "hush-hush" in answer.text or "sk-very" in answer.text or "ciphertext" in answer.text


@pytest.mark.parametrize(("name", "body", "admin"), ALL)
def test_a_record_is_made_read_changed_replaced_and_deleted(
    api: Api,
    name: str,
    body: dict[str, Any],
    admin: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    token = api.admin if admin else api.alice
    made = api.ask("POST", f"/api/{name}", json=body, token=token)
    assert (made.status_code, secret(made)) == (201, False), made.text
    url = made.headers["location"]
    read = api.ask("GET", url, token=token)
    assert (read.json(), read.headers["etag"], secret(read)) == (made.json(), made.headers["etag"], False)
    assert {key: value for key, value in made.json().items() if key in body} == {
        key: value for key, value in body.items() if key in made.json()
    }
    again = api.ask("GET", url, token=token, headers={"If-None-Match": read.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    patched = api.ask("PATCH", url, token=token, json={"meta": {"a": 1}}, headers={"If-Match": read.headers["etag"]})
    assert (patched.status_code, patched.json()["meta"], secret(patched)) == (200, {"a": 1}, False)
    stale = {"If-Match": '"00"'}
    for method, more in (("PATCH", {"json": {}}), ("PUT", {"json": body}), ("DELETE", {})):
        assert api.ask(method, url, token=token, headers=stale, **more).status_code == 412
    replaced = api.ask("PUT", url, token=token, json=read.json())
    assert (replaced.status_code, replaced.json()["meta"]) == (200, None), replaced.text
    same = {key: value for key, value in read.json().items() if key != "updatedAt"}
    assert {key: value for key, value in replaced.json().items() if key != "updatedAt"} == same
    listed = api.ask("GET", f"/api/{name}", token=token)
    assert (listed.json()["total"] >= 1, secret(listed)) == (True, False)
    assert made.json()["id"] in [item["id"] for item in listed.json()["items"]]
    assert api.ask("GET", f"{url}/references", token=token).json() == {"items": [], "total": 0}
    assert api.ask("DELETE", url, token=token).status_code == 204
    for method, more in (("GET", {}), ("PATCH", {"json": {}}), ("PUT", {"json": body}), ("DELETE", {})):
        assert api.ask(method, url, token=token, **more).status_code == 404


@pytest.mark.parametrize("name", BODIES)
def test_what_is_anothers_is_not_there(api: Api, name: str) -> None:
    made = make(api, name)
    url = f"/api/{name}/{made['id']}"
    for method, more in (("GET", {}), ("PATCH", {"json": {}}), ("PUT", {"json": BODIES[name]}), ("DELETE", {})):
        assert api.ask(method, url, token=api.bob, **more).status_code == 404, method
    assert api.ask("GET", f"{url}/references", token=api.bob).status_code == 404
    assert api.ask("GET", f"/api/{name}", token=api.bob).json()["items"] == []
    assert api.ask("GET", f"/api/{name}?userId={api.users['alice']}", token=api.bob).status_code == 403
    assert api.ask("GET", url, token=api.admin).json() == made
    assert api.ask("POST", f"/api/{name}", json=BODIES[name], token=api.reader).status_code == 403
    assert api.ask("GET", url, token=None).status_code == 401


@pytest.mark.parametrize("name", ADMINS)
def test_some_collections_are_for_administrators(api: Api, name: str) -> None:
    assert api.ask("GET", f"/api/{name}").status_code == 403
    assert api.ask("POST", f"/api/{name}", json=ADMINS[name]).status_code == 403
    if name != "users":
        assert api.ask("GET", f"/api/{name}/{make(api, name, token=api.admin)['id']}").status_code == 403


def test_everybody_may_read_and_change_themselves_but_not_their_role(api: Api) -> None:
    url = f"/api/users/{api.users['alice']}"
    assert api.ask("GET", url).json()["email"] == "alice@example.org"
    assert api.ask("PATCH", url, json={"name": "A"}).json()["name"] == "A"
    for body in ({"role": "admin"}, {"emailVerified": "2026-01-01T00:00:00.000Z"}):
        assert api.ask("PATCH", url, json=body).status_code == 403
        assert api.ask("PUT", url, json={"email": "alice@example.org", **body}).status_code == 403
    assert api.ask("PATCH", url, json={"passwordHash": "x"}).json()["field"] == "passwordHash"
    assert api.ask("PATCH", url, json={"role": "admin"}, token=api.admin).json()["role"] == "admin"
    assert api.ask("PUT", url, json={"email": "a@example.org"}).json()["role"] == "admin"
    assert api.ask("DELETE", url).status_code == 403
    assert api.ask("GET", f"/api/users/{api.users['bob']}").status_code == 404


def test_a_sessions_token_is_kept_as_a_hash_and_given_once(api: Api) -> None:
    made = make(api, "sessions", token=api.admin)
    stored = api.store.documents.get("session", made["id"])
    assert stored is not None
    assert str(stored.body["sessionToken"]).startswith("sha256:")
    url = f"/api/sessions/{made['id']}"
    for method in ("PUT", "PATCH"):
        answer = api.ask(method, url, json=ADMINS["sessions"], token=api.admin)
        assert (answer.status_code, answer.json()["field"]) == (422, "sessionToken")
    assert api.ask("GET", "/api/me", token="hush-hush").json()["user"]["id"] == api.store.owner.id  # noqa: S106 - the test's


def test_a_user_is_deleted_with_what_it_owns_only_when_told_so(api: Api) -> None:
    made = make(api, "characters", token=api.bob)
    url = f"/api/users/{api.users['bob']}"
    refused = api.ask("DELETE", url, token=api.admin)
    assert (refused.status_code, refused.json()["referrers"][0]["id"]) == (409, made["id"])
    assert api.ask("DELETE", f"{url}?cascade=1", token=api.admin).status_code == 204
    assert api.ask("GET", f"/api/characters/{made['id']}", token=api.admin).status_code == 404
    assert api.ask("DELETE", f"/api/users/{api.store.owner.id}?cascade=1", token=api.admin).status_code == 409


def test_another_owner_is_refused_unless_an_administrator_says_so(api: Api) -> None:
    bob = api.users["bob"]
    refused = api.ask("POST", "/api/tags", json={"name": "x", "userId": bob})
    assert (refused.status_code, refused.json()["field"]) == (403, "userId")
    made = make(api, "tags", {"name": "x", "userId": bob}, token=api.admin)
    assert made["userId"] == bob
    mine = make(api, "tags", {"name": "x", "userId": api.users["alice"]})
    assert api.ask("PATCH", f"/api/tags/{mine['id']}", json={"userId": bob}).status_code == 403
    key = make(api, "api-keys")
    assert (key["userId"], key["needsReentry"]) == (api.users["alice"], None)


@pytest.mark.parametrize(
    ("name", "body", "field"),
    [
        ("characters", {**CHARACTER, "nonsense": 1}, "nonsense"),
        ("characters", {**CHARACTER, "name": 1}, "name"),
        ("characters", {**CHARACTER, "tags": [ONE]}, "tags"),
        ("characters", {**CHARACTER, "tags": ["x"]}, "tags.0"),
        ("characters", {**CHARACTER, "personaLinks": [{"personaId": ONE, "x": 1}]}, "personaLinks.x"),
        ("characters", {"name": "x"}, "description"),
        ("api-keys", {"label": "x", "provider": "x"}, "key"),
        ("api-keys", {"label": "x", "provider": "x", "key": "y", "ciphertext": "z"}, "ciphertext"),
        ("chats", {"title": "x", "participants": [{"type": "BANANA"}]}, "participants.0.type"),
        ("connection-profiles", {**PROFILE, "apiKeyId": ONE}, "apiKeyId"),
    ],
)
def test_what_is_wrong_is_refused_by_name(api: Api, name: str, body: dict[str, Any], field: str) -> None:
    answer = api.ask("POST", f"/api/{name}", json=body)
    assert (answer.status_code, answer.json()["field"]) == (422, field)
    assert api.ask("GET", f"/api/{name}").json()["total"] == 0


def test_what_the_store_sets_is_ignored_and_a_required_member_stays(api: Api) -> None:
    made = make(api, "characters", {**CHARACTER, "id": ONE, "createdAt": "x", "updatedAt": 5, "avatar": {"a": 1}})
    assert made["id"] != ONE
    url = f"/api/characters/{made['id']}"
    refused = api.ask("PATCH", url, json={"name": None})
    assert (refused.status_code, refused.json()["field"]) == (422, "name")
    after = api.ask("PATCH", url, json={"id": ONE, "title": "t", "tags": None, "sillyTavernData": {"a": {"b": 1}}})
    assert (after.json()["id"], after.json()["title"], after.json()["tags"]) == (made["id"], "t", [])
    merged = api.ask("PATCH", url, json={"title": None, "sillyTavernData": {"a": {"c": 2}}}).json()
    assert (merged["title"], merged["sillyTavernData"]) == (None, {"a": {"b": 1, "c": 2}})
    for body in (b"[]", b"null", b"{"):
        kind = {"Content-Type": "application/merge-patch+json"}
        assert api.ask("PATCH", url, content=body, headers=kind).status_code == 422


def test_members_that_no_schema_knows_stay_and_may_be_changed(api: Api) -> None:
    key = api.character(colour="red")
    url = f"/api/characters/{key}"
    read = api.ask("GET", url).json()
    assert read["colour"] == "red"
    assert api.ask("PUT", url, json=read).json()["colour"] == "red"
    assert api.ask("PATCH", url, json={"colour": "blue", "name": "n"}).json()["colour"] == "blue"
    assert "colour" not in api.ask("PATCH", url, json={"colour": None}).json()
    assert api.ask("PATCH", url, json={"colour": "red"}).status_code == 422


def test_many_are_made_each_for_itself(api: Api) -> None:
    bodies: list[object] = [{"name": "a"}, {"name": 1}, 5, {"name": "A"}, {"name": "b", "x": 1}, {"name": "c"}]
    answer = api.ask("POST", "/api/tags", json=bodies)
    items = answer.json()["items"]
    assert (answer.status_code, [item["status"] for item in items]) == (201, [201, 422, 422, 409, 422, 201])
    assert [item["tag"]["name"] for item in items if "tag" in item] == ["a", "c"]
    assert items[4]["problem"]["field"] == "x"
    assert api.ask("POST", "/api/tags", json=[{"name": "a"}, 5]).status_code == 409
    assert api.ask("POST", "/api/tags", json=[]).json() == {"items": []}
    assert api.ask("POST", "/api/tags", json=[{}] * (MAX_ITEMS + 1)).status_code == 413


def test_a_unique_name_is_taken_once(api: Api) -> None:
    make(api, "tags")
    answer = api.ask("POST", "/api/tags", json={"name": "FANTASY"})
    assert (answer.status_code, "existing" in answer.json()) == (409, True)
    assert api.ask("POST", "/api/tags", json={"name": "FANTASY"}, token=api.bob).status_code == 201


def test_a_renamed_tag_is_found_by_its_new_name(api: Api) -> None:
    made = make(api, "tags")
    after = api.ask("PATCH", f"/api/tags/{made['id']}", json={"name": "Magic", "nameLower": "zzz"}).json()
    assert (after["name"], after["nameLower"]) == ("Magic", "magic")


def test_who_refers_is_told_and_settled(api: Api) -> None:
    made = chat(api)
    url = f"/api/characters/{made['characterId']}"
    assert api.ask("GET", f"{url}/references").json()["items"] == [
        {"kind": "chat", "id": made["id"], "field": "characterId", "name": made["title"]}
    ]
    refused = api.ask("DELETE", url)
    assert (refused.status_code, refused.json()["referrers"][0]["id"]) == (409, made["id"])
    assert api.ask("DELETE", f"{url}?force=1").status_code == 204
    assert api.ask("GET", f"/api/chats/{made['id']}").status_code == 404


def test_a_key_is_sealed_changed_and_stays_when_it_is_not_named(api: Api) -> None:
    made = make(api, "api-keys")
    url, keys = f"/api/api-keys/{made['id']}", api.store.records.api_keys
    assert str(getattr(keys.reveal(made["id"]), "text", "")) == "sk-very-secret"
    assert api.ask("PUT", url, json={"label": "other", "provider": "GROK"}).json()["label"] == "other"
    assert str(getattr(keys.reveal(made["id"]), "text", "")) == "sk-very-secret"
    after = api.ask("PATCH", url, json={"label": "third", "key": "sk-very-new"})
    assert (after.json()["label"], secret(after)) == ("third", False)
    assert str(getattr(keys.reveal(made["id"]), "text", "")) == "sk-very-new"
    assert api.ask("PATCH", url, json={"key": 5}).status_code == 422
    assert api.ask("PATCH", url, json={"key": "x", "nonsense": 1}).status_code == 422
    assert str(getattr(keys.reveal(made["id"]), "text", "")) == "sk-very-new"


def test_a_chat_shows_who_is_in_it_whatever_its_shape(api: Api) -> None:
    made = chat(api)
    (present,) = made["participants"]
    assert (present["characterId"], present["type"], present["avatar"]) == (made["characterId"], "CHARACTER", None)
    url = f"/api/chats/{made['id']}"
    kept = api.ask("PUT", url, json=made).json()
    assert (kept["characterId"], kept["participants"]) == (made["characterId"], made["participants"])
    other = make(api, "characters", name="Other")["id"]
    body = {"participants": [present, {"type": "CHARACTER", "characterId": other}]}
    after = api.ask("PATCH", url, json=body).json()
    assert [who["characterId"] for who in after["participants"]] == [made["characterId"], other]
    assert (after["characterId"], bool(after["participants"][1]["id"])) == (None, True)


def test_a_file_that_cannot_be_read_hides_nothing_else(api: Api) -> None:
    one, two = make(api, "characters"), make(api, "characters", name="B")
    path = api.store.engine.paths.root / "characters" / f"{one['id']}.json"
    path.write_text("{nonsense")
    api.store.documents.sweep()
    answer = api.ask("GET", f"/api/characters/{one['id']}")
    assert (answer.status_code, answer.json()["type"]) == (500, "urn:calotype:problem:unreadable")
    assert api.ask("PATCH", f"/api/characters/{one['id']}", json={"name": "x"}).status_code == 500
    assert path.read_text() == "{nonsense"
    listed = api.ask("GET", "/api/characters").json()
    assert ([item["id"] for item in listed["items"]], listed["unreadable"]) == ([two["id"]], 1)


@pytest.mark.parametrize("name", ["\u0000", "\u200b", "😀" * 1000, "x" * 1_000_000, "\u202e"])
def test_odd_names_come_back_as_they_went(api: Api, name: str) -> None:
    made = make(api, "characters", name=name)
    assert (made["name"], api.ask("GET", f"/api/characters/{made['id']}").json()["name"]) == (name, name)
    assert api.ask("GET", "/api/characters").status_code == 200


def test_a_body_over_the_limit_or_with_a_member_twice_is_refused(api: Api) -> None:
    kind = {"Content-Type": "application/json"}
    for body, status in (
        (b'{"name":"a","name":"b"}', 422),
        (b'{"name":NaN}', 422),
        (b"[" * 100 + b"]" * 100, 422),
        (json.dumps({"name": "x" * 11_000_000}).encode(), 413),
    ):
        assert api.ask("POST", "/api/tags", content=body, headers=kind).status_code == status


def test_a_verification_token_has_no_address(api: Api) -> None:
    body = {"identifier": "a@example.org", "token": "hush-hush", "expires": "2999-01-01T00:00:00.000Z"}
    made = api.ask("POST", "/api/verification-tokens", json=body, token=api.admin)
    assert (made.status_code, secret(made), "location" in made.headers) == (201, False, False)
    assert (
        api.ask("GET", "/api/verification-tokens", token=api.admin).json()["items"][0]["identifier"] == "a@example.org"
    )
    assert api.ask("POST", "/api/verification-tokens", json=body, token=api.admin).status_code == 409
    assert api.ask("GET", f"/api/verification-tokens/{ONE}", token=api.admin).status_code in {404, 405}
