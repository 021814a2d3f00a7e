"""The picture of a character, a persona or a user over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    import httpx2

    from tests.server.conftest import Api

ONE = "11111111-1111-4111-8111-111111111111"
GIF = b"GIF89a\x01\x00\x01\x00\x00\x00\x00;"
TEXTS = {"name": "Alice", "description": "d", "personality": "p", "scenario": "s", "firstMessage": "hello"}
BODIES = {"characters": TEXTS, "personas": {"name": "Me", "description": "d"}}
KINDS = ("characters", "personas", "users")


def someone(api: Api, collection: str) -> str:
    """Return the address of somebody of alice's; as a user it is alice."""
    if collection == "users":
        return f"/api/users/{api.users['alice']}"
    return str(api.ask("POST", f"/api/{collection}", json=BODIES[collection]).headers["location"])


def give(api: Api, url: str, content: bytes, **more: Any) -> httpx2.Response:
    return api.ask("PUT", f"{url}/avatar", content=content, **more)


def assets(api: Api) -> list[str]:
    return [item["sha256"] for item in api.ask("GET", "/api/assets").json()["items"]]


@pytest.mark.parametrize("collection", KINDS)
def test_a_picture_is_given_shown_changed_and_taken_away(api: Api, png: bytes, collection: str) -> None:
    url = someone(api, collection)
    assert api.ask("GET", f"{url}/avatar").status_code == 404
    given = give(api, url, png, headers={"Content-Type": "image/png"})
    avatar = given.json()["avatar"]
    assert (given.status_code, avatar["width"], given.headers["etag"]) == (200, 1, api.ask("GET", url).headers["etag"])
    shown = api.ask("GET", f"{url}/avatar?anything=1")
    assert (shown.content, shown.headers["content-type"]) == (png, "image/png")
    assert (shown.headers["etag"], shown.headers["cache-control"]) == (f'"{avatar["sha256"]}"', "private, no-cache")
    kept = api.ask("GET", f"{url}/avatar", headers={"If-None-Match": shown.headers["etag"]})
    assert (kept.status_code, kept.content) == (304, b"")
    assert api.ask("HEAD", f"{url}/avatar").headers["content-length"] == str(len(png))
    moved = api.ask("GET", f"{url}/avatar?redirect=1")
    assert (moved.status_code, moved.headers["location"]) == (307, avatar["url"])
    assert len(assets(api)) == 1
    changed = give(api, url, GIF).json()["avatar"]
    assert assets(api) == [changed["sha256"]]
    assert api.ask("DELETE", f"{url}/avatar").status_code == 204
    assert (assets(api), api.ask("GET", url).json()["avatar"]) == ([], None)
    assert api.ask("DELETE", f"{url}/avatar").status_code == 204


@pytest.mark.parametrize("collection", KINDS)
def test_a_picture_that_is_stored_is_named(api: Api, collection: str) -> None:
    url, asset = someone(api, collection), api.upload()
    for body in ({"sha256": asset["sha256"]}, {"assetId": asset["id"]}):
        answer = api.ask("PUT", f"{url}/avatar", json=body)
        assert (answer.status_code, answer.json()["avatar"]["sha256"]) == (200, asset["sha256"])
    assert api.ask("DELETE", f"{url}/avatar").status_code == 204
    assert assets(api) == [asset["sha256"]], "a record that the route did not make stays"


@pytest.mark.parametrize(
    "body",
    [{"sha256": "0" * 64}, {"assetId": ONE}, {"sha256": "x"}, {"assetId": 5}, {}, {"sha256": "a", "assetId": "b"}],
)
def test_an_unknown_picture_is_refused(api: Api, body: dict[str, Any]) -> None:
    url = someone(api, "characters")
    assert api.ask("PUT", f"{url}/avatar", json=body).status_code == 422
    assert api.ask("GET", url).json()["avatar"] is None


def test_what_is_anothers_is_neither_shown_nor_used(api: Api, png: bytes) -> None:
    url, theirs = someone(api, "characters"), api.upload(token=api.bob)
    for body in ({"sha256": theirs["sha256"]}, {"assetId": theirs["id"]}):
        assert api.ask("PUT", f"{url}/avatar", json=body).status_code == 422
    give(api, url, png)
    for method in ("GET", "PUT", "DELETE"):
        assert api.ask(method, f"{url}/avatar", token=api.bob).status_code == 404
    assert api.ask("PUT", f"{url}/avatar", token=api.reader, content=png).status_code == 403


def test_a_record_that_is_used_elsewhere_stays(api: Api, png: bytes) -> None:
    one, two = someone(api, "characters"), someone(api, "personas")
    avatar = give(api, one, png).json()["avatar"]
    assert api.ask("PUT", f"{two}/avatar", json={"assetId": avatar["assetId"]}).status_code == 200
    assert api.ask("DELETE", f"{one}/avatar").status_code == 204
    assert api.ask("GET", f"{two}/avatar").content == png
    assert api.ask("DELETE", f"{two}/avatar").status_code == 204
    assert assets(api) == []


def test_the_same_picture_again_keeps_its_record(api: Api, png: bytes) -> None:
    url = someone(api, "characters")
    first = give(api, url, png).json()["avatar"]
    assert give(api, url, png).json()["avatar"] == first
    assert api.ask("GET", f"{url}/avatar").content == png


def test_a_stale_version_or_a_wrong_digest_leaves_nothing_behind(api: Api, png: bytes) -> None:
    url = someone(api, "characters")
    assert give(api, url, png, headers={"If-Match": '"00"'}).status_code == 412
    assert give(api, url, png, headers={"X-SHA-256": "0" * 64}).status_code == 409
    assert give(api, url, b"").status_code == 422
    assert api.ask("DELETE", f"{url}/avatar", headers={"If-Match": '"00"'}).status_code == 412
    assert (assets(api), api.staged(), api.payloads()) == ([], [], [])
    tag = api.ask("GET", url).headers["etag"]
    assert give(api, url, png, headers={"If-Match": tag}).status_code == 200


def test_a_character_may_look_different_in_one_chat(api: Api, png: bytes) -> None:
    url = someone(api, "characters")
    profile = {"name": "main", "provider": "OPENAI", "modelName": "m"}
    connection = api.ask("POST", "/api/connection-profiles", json=profile).json()["id"]
    body = {"title": "t", "characterId": url.rpartition("/")[2], "connectionProfileId": connection}
    chat = api.ask("POST", "/api/chats", json=body).json()["id"]
    give(api, url, png)
    assert api.ask("GET", f"{url}/avatar?chatId={chat}").content == png
    assert api.ask("PUT", f"{url}/avatar?chatId={chat}", content=GIF).status_code == 200
    assert api.ask("GET", f"{url}/avatar?chatId={chat}").content == GIF
    assert api.ask("GET", f"{url}/avatar").content == png
    (who,) = api.ask("GET", f"/api/chats/{chat}").json()["participants"]
    assert who["avatar"]["url"].endswith(".gif")
    assert api.ask("DELETE", f"{url}/avatar?chatId={chat}").status_code == 204
    assert api.ask("GET", f"{url}/avatar?chatId={chat}").content == png
    assert len(assets(api)) == 1
    assert api.ask("PUT", f"{url}/avatar?chatId={ONE}", content=GIF).status_code == 422
    assert api.ask("PUT", f"{url}/avatar?chatId=nonsense", content=GIF).status_code == 422
    assert len(assets(api)) == 1
    assert api.ask("PUT", f"{someone(api, 'personas')}/avatar?chatId={chat}", content=GIF).status_code == 422
