"""The events of chats over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.server.conftest import Api

ONE = "11111111-1111-4111-8111-111111111111"
TEXTS = {"name": "Alice", "description": "d", "personality": "p", "scenario": "s", "firstMessage": "hello"}
PROFILE = {"name": "main", "provider": "OPENAI", "modelName": "m"}


def new_chat(api: Api) -> str:
    """Make a chat of alice's and return its address."""
    who = api.ask("POST", "/api/characters", json=TEXTS).json()["id"]
    connection = api.ask("POST", "/api/connection-profiles", json=PROFILE).json()["id"]
    body = {"title": "t", "characterId": who, "connectionProfileId": connection}
    return str(api.ask("POST", "/api/chats", json=body).headers["location"])


@pytest.fixture
def chat(api: Api) -> str:
    """The address of a chat."""
    return new_chat(api)


def say(api: Api, chat: str, content: str = "hello", **more: Any) -> dict[str, Any]:
    answer = api.ask("POST", f"{chat}/messages", json={"role": "USER", "content": content, **more})
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def contents(page: dict[str, Any]) -> list[str]:
    return [item["content"] for item in page["items"]]


CHANGES: list[tuple[str, dict[str, Any]]] = [("PATCH", {"json": {"content": "x"}}), ("DELETE", {})]


def test_an_event_is_appended_read_changed_and_deleted(api: Api, chat: str) -> None:
    made = api.ask("POST", f"{chat}/messages", json={"role": "USER", "content": "hi", "meta": {"a": 1}})
    url = made.headers["location"]
    assert url == f"{chat}/messages/{made.json()['id']}"
    read = api.ask("GET", url)
    assert (read.json(), read.headers["etag"]) == (made.json(), made.headers["etag"])
    assert api.ask("GET", url, headers={"If-None-Match": read.headers["etag"]}).status_code == 304
    shown = api.ask("GET", chat).json()
    assert (shown["messageCount"], shown["lastMessageAt"]) == (1, made.json()["createdAt"])
    for method, more in CHANGES:
        assert api.ask(method, url, headers={"If-Match": '"00"'}, **more).status_code == 412
        assert api.ask(method, url, token=api.bob, **more).status_code == 404
    changed = api.ask("PATCH", url, json={"content": "ho", "tokenCount": 3}, headers={"If-Match": read.headers["etag"]})
    assert (changed.json()["content"], changed.json()["tokenCount"]) == ("ho", 3)
    assert api.ask("GET", f"{url}/references").json() == {"items": [], "total": 0}
    assert api.ask("DELETE", url).status_code == 204
    for method, more in [*CHANGES, ("GET", {})]:
        assert api.ask(method, url, **more).status_code == 404
    assert api.ask("GET", chat).json()["messageCount"] == 0


def test_pages_go_both_ways(api: Api, chat: str) -> None:
    answer = api.ask("POST", f"{chat}/messages", json=[{"role": "USER", "content": str(n)} for n in range(5)])
    assert [item["status"] for item in answer.json()["items"]] == [201] * 5
    first = api.ask("GET", f"{chat}/messages?limit=2").json()
    assert (contents(first), first["total"]) == (["4", "3"], 5)
    say(api, chat, "5")
    second = api.ask("GET", f"{chat}/messages?limit=2&cursor={first['nextCursor']}").json()
    assert contents(second) == ["2", "1"]
    old = api.ask("GET", f"{chat}/messages?order=oldest&limit=4").json()
    rest = api.ask("GET", f"{chat}/messages?order=oldest&limit=4&cursor={old['nextCursor']}").json()
    assert contents(old) + contents(rest) == ["0", "1", "2", "3", "4", "5"]
    assert rest["nextCursor"] is None
    assert api.ask("GET", f"{chat}/messages?fields=content").json()["items"][0].keys() == {"id", "content"}
    for query in ("order=up", "cursor=x", "limit=0", "nonsense=1"):
        assert api.ask("GET", f"{chat}/messages?{query}").status_code == 422
    assert api.ask("GET", f"{chat}/messages", token=api.bob).status_code == 404


def test_each_of_an_array_is_judged_for_itself(api: Api, chat: str) -> None:
    bodies: list[object] = [{"role": "USER", "content": "a"}, {"role": "NOBODY", "content": "b"}, 5, {"type": "odd"}]
    answer = api.ask("POST", f"{chat}/messages", json=[*bodies, {"type": "context-summary", "context": "c"}])
    assert [item["status"] for item in answer.json()["items"]] == [201, 422, 422, 422, 201]
    assert api.ask("POST", f"{chat}/messages", json=bodies[1:]).status_code == 422
    assert api.ask("POST", f"{chat}/messages", json=[]).json() == {"items": []}
    assert api.ask("POST", f"{chat}/messages", json=[{}] * 1001).status_code == 413
    assert api.ask("GET", chat).json()["messageCount"] == 1


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"content": "x"}, "role"),
        ({"role": "USER"}, "content"),
        ({"role": "USER", "content": "x", "nonsense": 1}, "nonsense"),
        ({"role": "USER", "content": "x", "tokenCount": -1}, "tokenCount"),
        ({"role": "USER", "content": "x", "attachments": [ONE]}, "attachments"),
        ({"type": "odd"}, "type"),
    ],
)
def test_what_is_wrong_is_refused_by_name(api: Api, chat: str, body: dict[str, Any], field: str) -> None:
    answer = api.ask("POST", f"{chat}/messages", json=body)
    assert (answer.status_code, answer.json()["field"]) == (422, field)
    assert api.ask("GET", f"{chat}/messages").json()["total"] == 0


def test_what_is_anothers_cannot_be_attached(api: Api, chat: str) -> None:
    mine, theirs = api.upload(b"1"), api.upload(b"2", token=api.bob)
    made = say(api, chat, attachments=[mine["id"]])
    url = f"{chat}/messages/{made['id']}"
    for body in ({"attachments": [theirs["id"]]}, {"attachments": [ONE]}):
        assert api.ask("PATCH", url, json=body).status_code == 422
        assert api.ask("POST", f"{chat}/messages", json={"role": "USER", "content": "x", **body}).status_code == 422
        assert api.ask("POST", f"{url}/swipes", json={"content": "x", **body}).status_code == 422
    used = api.ask("GET", f"/api/assets/{mine['id']}/references").json()
    assert [(item["kind"], item["id"]) for item in used["items"]] == [("message", made["id"])]


def test_who_mentions_a_picture_is_told_to_its_owner_alone(api: Api, chat: str, png: bytes) -> None:
    mine, theirs = api.upload(png), api.upload(png, token=api.bob)
    said = say(api, chat, f"look: /blobs/{mine['sha256']}.png")
    api.ask("PATCH", f"/api/users/{api.users['alice']}", json={"image": mine["url"]})
    used = api.ask("GET", f"/api/assets/{mine['id']}/references").json()
    assert {(item["kind"], item["id"], item["field"]) for item in used["items"]} == {
        ("message", said["id"], "mention"),
        ("user", api.users["alice"], "mention"),
    }
    title = api.ask("GET", chat).json()["title"]
    assert {item["kind"]: item["name"] for item in used["items"]}["message"] == title
    assert api.ask("GET", f"/api/assets/{theirs['id']}/references", token=api.bob).json()["total"] == 0


def test_alternatives_are_added_and_chosen(api: Api, chat: str) -> None:
    first = say(api, chat, "one")
    url = f"{chat}/messages/{first['id']}/swipes"
    alone = api.ask("GET", url).json()
    assert (alone["total"], alone["chosen"]) == (1, first["id"])
    second = api.ask("POST", url, json={"content": "two"})
    assert (second.status_code, second.json()["swipeIndex"]) == (201, 1)
    both = api.ask("GET", url).json()
    assert (contents(both), both["chosen"]) == (["one", "two"], second.json()["id"])
    assert api.ask("PUT", f"{url}/{first['id']}").json()["id"] == first["id"]
    assert api.ask("GET", url).json()["chosen"] == first["id"]
    assert api.ask("POST", url, json={"content": "three", "type": False}).json()["field"] == "type"
    assert api.ask("PUT", f"{url}/{ONE}").status_code == 404
    assert api.ask("GET", f"{chat}/messages/{ONE}/swipes").status_code == 404
    other = new_chat(api)
    assert api.ask("GET", f"{other}/messages/{first['id']}/swipes").status_code == 404


def test_a_message_of_the_size_of_a_book_is_taken_and_a_larger_one_is_not(api: Api, chat: str) -> None:
    assert say(api, chat, "x" * 5_000_000)["role"] == "USER"
    answer = api.ask("POST", f"{chat}/messages", json={"role": "USER", "content": "x" * 11_000_000})
    assert (answer.status_code, answer.json()["setting"]) == (413, "CALOTYPE_MAX_JSON_BYTES")


def test_the_words_of_a_chat_are_found_in_its_own_order(api: Api, chat: str) -> None:
    for text in ("a dragon", "a queen", "Dragons & queens"):
        say(api, chat, text)
    say(api, new_chat(api), "another dragon")
    page = api.ask("GET", f"{chat}/messages?q=dragon&highlight=1").json()
    assert (contents(page), page["total"]) == (["Dragons & queens", "a dragon"], 2)
    assert page["items"][0]["highlights"] == {"content": "<mark>Dragon</mark>s &amp; queens"}
    first = api.ask("GET", f"{chat}/messages?q=dragon&order=oldest&limit=1").json()
    rest = api.ask("GET", f"{chat}/messages?q=dragon&order=oldest&cursor={first['nextCursor']}").json()
    assert contents(first) + contents(rest) == ["a dragon", "Dragons & queens"]
