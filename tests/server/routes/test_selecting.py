"""Lists of collections: filters, order, pages, search, and what items hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from metadata.schemas.catalog import CATALOG

if TYPE_CHECKING:
    from tests.server.conftest import Api

TEXTS = {"name": "Alice", "description": "long " * 1000, "personality": "p", "scenario": "s", "firstMessage": "hello"}
PROFILE = {"name": "main", "provider": "OPENAI", "modelName": "m"}


def make(api: Api, collection: str, /, **body: Any) -> dict[str, Any]:
    answer = api.ask("POST", f"/api/{collection}", json=body)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def names(api: Api, url: str, token: str = "") -> list[str]:
    answer = api.ask("GET", url, token=token)
    assert answer.status_code == 200, answer.text
    return [item["name"] for item in answer.json()["items"]]


@pytest.fixture
def people(api: Api) -> Api:
    """An application with three characters of alice's and one of bob's."""
    tag = make(api, "tags", name="Fantasy")["id"]
    make(api, "characters", **{**TEXTS, "name": "Ann", "title": "queen", "isFavorite": True, "tags": [tag]})
    make(api, "characters", **{**TEXTS, "name": "Ben", "title": "king", "scenario": "a Zürich café"})
    make(api, "characters", **{**TEXTS, "name": "Cid", "tags": [tag]})
    assert api.ask("POST", "/api/characters", json={**TEXTS, "name": "Bob's"}, token=api.bob).status_code == 201
    return api


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["Ann", "Ben", "Cid"]),
        ("?sort=-name", ["Cid", "Ben", "Ann"]),
        ("?sort=title", ["Cid", "Ben", "Ann"]),
        ("?name=Ben", ["Ben"]),
        ("?isFavorite=1", ["Ann"]),
        ("?isFavorite=false", ["Ben", "Cid"]),
        ("?tags=fantasy", ["Ann", "Cid"]),
        ("?tags=fantasy&isFavorite=true", ["Ann"]),
        ("?tags=nobody", []),
        ("?q=zurich", ["Ben"]),
        ("?q=quee", ["Ann"]),
        ("?q=", ["Ann", "Ben", "Cid"]),
    ],
)
def test_lists_are_narrowed_and_ordered(people: Api, query: str, expected: list[str]) -> None:
    assert names(people, f"/api/characters{query}") == expected


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("meta.colour=red", ["A", "B"]),
        ("meta.colour=red&meta.n=1", ["A"]),
        ("meta.n=1.5", ["B"]),
        ("meta.on=true", ["A"]),
        ("meta.on=1", []),
        ("meta.none=null", ["B"]),
        ("meta.a.b=dots", ["C"]),
        ("meta.%22=quote", ["C"]),
        ("meta.colour=red&name=B", ["B"]),
        ("meta.colour=blue", []),
        ("meta.*=x", []),
    ],
)
def test_records_are_found_by_the_applications_own_members(api: Api, query: str, expected: list[str]) -> None:
    for name, meta in (
        ("A", {"colour": "red", "n": 1, "on": True}),
        ("B", {"colour": "red", "n": 1.5, "none": None}),
        ("C", {"colour": "green", "a.b": "dots", '"': "quote"}),
        ("D", None),
    ):
        make(api, "tags", name=name, **({} if meta is None else {"meta": meta}))
    assert names(api, f"/api/tags?{query}") == expected
    assert names(api, f"/api/tags?{query}", api.bob) == []


def test_assets_are_found_by_them_too(api: Api) -> None:
    asset = api.upload()
    api.upload(b"other")
    assert api.ask("PATCH", f"/api/assets/{asset['id']}", json={"meta": {"a": "b"}}).status_code == 200
    assert [item["id"] for item in api.ask("GET", "/api/assets?meta.a=b").json()["items"]] == [asset["id"]]
    for query in ("meta.=x", "meta=x", "meta.a=b&meta.a=c"):
        assert api.ask("GET", f"/api/assets?{query}").status_code == 422


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("nonsense=1", "nonsense"),
        ("sort=nonsense", "sort"),
        ("sort=_meta", "sort"),
        ("sort=seq", "sort"),
        ("limit=0", "limit"),
        ("limit=501", "limit"),
        ("limit=x", "limit"),
        ("cursor=x", "cursor"),
        ("isFavorite=banana", "isFavorite"),
        ("fields=name,passwordHash", "fields"),
        ("name=a&name=b", "name"),
    ],
)
def test_what_is_wrong_is_refused_by_name(people: Api, query: str, field: str) -> None:
    answer = people.ask("GET", f"/api/characters?{query}")
    assert (answer.status_code, answer.json()["field"]) == (422, field)


def test_administrators_see_everybodys_and_may_ask_for_one_users(people: Api) -> None:
    assert sorted(names(people, "/api/characters", people.admin)) == ["Ann", "Ben", "Bob's", "Cid"]
    assert names(people, f"/api/characters?userId={people.users['bob']}", people.admin) == ["Bob's"]
    assert len(names(people, f"/api/characters?userId={people.users['alice']}")) == 3
    assert people.ask("GET", f"/api/characters?userId={people.users['bob']}").status_code == 403


def test_pages_have_everything_once(people: Api) -> None:
    found, url = [], "/api/characters?limit=2&sort=name"
    while url:
        page = people.ask("GET", url).json()
        found += [item["name"] for item in page["items"]]
        make(people, "characters", **{**TEXTS, "name": f"A{len(found)}"})
        cursor = page["nextCursor"]
        url = f"/api/characters?limit=2&sort=name&cursor={cursor}" if cursor else ""
    assert found == ["Ann", "Ben", "Cid"]


def test_items_are_small_and_fields_picks_more(people: Api) -> None:
    answer = people.ask("GET", "/api/characters")
    assert len(answer.content) < 5000
    item = answer.json()["items"][0]
    assert {"id", "name", "title", "isFavorite", "tags", "avatar", "createdAt"} <= item.keys()
    assert {"description", "sillyTavernData"}.isdisjoint(item)
    picked = people.ask("GET", "/api/characters?fields=description,name").json()["items"][0]
    assert picked.keys() == {"id", "description", "name"}


def test_profiles_and_chats_are_found_by_what_they_refer_to(api: Api) -> None:
    key = make(api, "api-keys", label="k", provider="OPENAI", key="sk-1")
    profile = make(api, "connection-profiles", **PROFILE, apiKeyId=key["id"])
    make(api, "connection-profiles", **{**PROFILE, "name": "other"})
    character = make(api, "characters", **TEXTS)
    chat = make(api, "chats", title="t", characterId=character["id"], connectionProfileId=profile["id"])
    for url, one in (
        (f"/api/connection-profiles?apiKeyId={key['id']}", profile),
        (f"/api/chats?characterId={character['id']}", chat),
        (f"/api/chats?connectionProfileId={profile['id']}&title=t", chat),
        ("/api/chats?messageCount=0", chat),
        (f"/api/connection-profiles?q=mai&isDefault=0&apiKeyId={key['id']}", profile),
    ):
        assert [item["id"] for item in api.ask("GET", url).json()["items"]] == [one["id"]], url
    assert api.ask("GET", "/api/chats?messageCount=1").json()["items"] == []


def test_snippets_show_where_the_words_are(api: Api) -> None:
    api.character(name="Łucja <b>", description="A dragon & a queen.", personality="none")
    api.character(name="Zed", scenario="dragons")
    (first, second) = api.ask("GET", "/api/characters?q=dragon&highlight=1").json()["items"]
    assert first["highlights"] == {"description": "A <mark>dragon</mark> &amp; a queen."}
    assert second["highlights"] == {"scenario": "<mark>dragon</mark>s"}
    assert "description" not in first
    (found,) = api.ask("GET", "/api/characters?q=lucja&highlight=1&fields=id&sort=name").json()["items"]
    assert (found.keys(), found["highlights"]) == ({"id", "highlights"}, {"name": "<mark>Łucja</mark> &lt;b&gt;"})
    (without,) = api.ask("GET", "/api/characters?q=lucja&highlight=0").json()["items"]
    assert "highlights" not in without
    assert api.ask("GET", "/api/characters?highlight=1").status_code == 422


def test_nothing_that_is_hidden_or_sealed_is_searched() -> None:
    for kind in CATALOG.values():
        hidden = {*kind.hidden, *(sealed.member for sealed in kind.sealed)}
        assert not hidden & {name for name, _ in kind.searched}, kind.name
