"""What answers of collections add: pictures, and as many questions for a page as for one record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from server.routes.collections import COLLECTIONS

if TYPE_CHECKING:
    import pytest

    from tests.server.conftest import Api

TEXTS = {"name": "Alice", "description": "d", "personality": "p", "scenario": "s", "firstMessage": "hello"}
PERSONA = {"name": "Me", "description": "d"}
PROFILE = {"name": "main", "provider": "OPENAI", "modelName": "m"}


def make(api: Api, collection: str, **body: Any) -> dict[str, Any]:
    answer = api.ask("POST", f"/api/{collection}", json=body)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_characters_personas_and_users_show_their_picture_in_lists_too(api: Api) -> None:
    asset = api.upload()
    named, hashed = {"defaultImageId": asset["id"]}, {"avatarUrl": asset["url"]}
    expected = {name: asset[name] for name in ("sha256", "url", "width", "height", "placeholder")}
    expected["thumbUrl"] = f"/blobs/{asset['sha256']}/avatar.webp"
    for collection, texts in (("characters", TEXTS), ("personas", PERSONA)):
        one, two = make(api, collection, **texts, **named), make(api, collection, **texts, **hashed)
        assert one["avatar"] == {"assetId": asset["id"], **expected}
        assert two["avatar"] == {"assetId": None, **expected}
        items = api.ask("GET", f"/api/{collection}").json()["items"]
        assert [item["avatar"] for item in items] == [one["avatar"], two["avatar"]]
    user = api.ask("PATCH", f"/api/users/{api.users['alice']}", json={"image": asset["url"]}).json()
    assert user["avatar"] == {"assetId": None, **expected}


def test_those_in_a_chat_show_their_picture_there(api: Api) -> None:
    asset, other = api.upload(), api.upload(b"GIF89a\x01\x00\x01\x00\x00\x00\x00;")
    character = make(api, "characters", **TEXTS, defaultImageId=asset["id"])
    persona = make(api, "personas", **PERSONA, avatarUrl=other["url"])
    connection = make(api, "connection-profiles", **PROFILE)
    chat = make(
        api,
        "chats",
        title="t",
        characterId=character["id"],
        personaId=persona["id"],
        connectionProfileId=connection["id"],
    )
    shown = [who["avatar"]["sha256"] for who in chat["participants"]]
    assert shown == [asset["sha256"], other["sha256"]]
    override = {"avatarOverrides": [{"chatId": chat["id"], "imageId": other["id"]}]}
    assert api.ask("PATCH", f"/api/characters/{character['id']}", json=override).status_code == 200
    (item,) = api.ask("GET", "/api/chats").json()["items"]
    assert [who["avatar"]["sha256"] for who in item["participants"]] == [other["sha256"]] * 2


def test_a_page_costs_no_more_questions_than_one_record(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    asset = api.upload()
    documents, asked = api.store.documents, list[str]()
    for name in ("get", "many", "find", "lookup"):
        before = getattr(type(documents), name)

        def counted(self: object, kind: str, *more: Any, before: Any = before) -> Any:
            asked.append(kind)
            return before(self, kind, *more)

        monkeypatch.setattr(type(documents), name, counted)
    counts = []
    for _ in range(3):
        make(api, "characters", **TEXTS, defaultImageId=asset["id"])
        make(api, "characters", **TEXTS, avatarUrl=asset["url"])
        asked.clear()
        assert api.ask("GET", "/api/characters").json()["items"][0]["avatar"]["sha256"] == asset["sha256"]
        counts.append(len(asked))
    assert counts[0] == counts[2]


def test_lists_leave_large_members_out() -> None:
    large = {"description", "personality", "scenario", "firstMessage", "exampleDialogues", "systemPrompt"}
    assert COLLECTIONS["characters"].large == large | {"sillyTavernData", "meta"}
    assert COLLECTIONS["chats"].large == {"contextSummary", "sillyTavernMetadata", "meta"}
    assert COLLECTIONS["connection-profiles"].large == {"parameters", "meta"}


def test_every_collection_has_its_repository(api: Api) -> None:
    for collection in COLLECTIONS.values():
        assert collection.repository(api.store.records).kind is collection.members.kind
