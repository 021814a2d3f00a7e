"""What a refused delete tells of others' records."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from metadata.documents.contract import put
from metadata.errors import ConflictError
from server.refusals import narrowed

if TYPE_CHECKING:
    from tests.server.conftest import Api


def theirs(api: Api, **more: object) -> str:
    """Store a character of bob's, as an importer or the original would: not asked whose it refers to."""
    texts = dict.fromkeys(["name", "description", "personality", "scenario", "firstMessage"], "x")
    dates = dict.fromkeys(["createdAt", "updatedAt"], "2026-01-01T00:00:00.000Z")
    record: dict[str, Any] = {
        "id": "11111111-1111-4111-8111-111111111111",
        "userId": api.users["bob"],
        **texts,
        **dates,
    }
    api.store.documents.apply([put("character", record | more, trusting=True)])
    return str(record["id"])


def test_others_are_counted_and_not_named(api: Api) -> None:
    asset = api.upload()
    url, mine = f"/api/assets/{asset['id']}", api.character(defaultImageId=asset["id"])
    other = theirs(api, defaultImageId=asset["id"])
    refused = api.ask("DELETE", url)
    problem = refused.json()
    assert (refused.status_code, problem["count"], problem["others"]) == (409, 2, 1)
    assert problem["referrers"] == [{"kind": "character", "id": mine, "field": "defaultImageId"}]
    assert "1 of these places cannot be shown to you" in problem["detail"]
    assert other not in refused.text
    whole = api.ask("DELETE", url, token=api.admin).json()
    assert ({by["id"] for by in whole["referrers"]}, "others" in whole) == ({mine, other}, False)


def test_ones_own_are_all_named(api: Api) -> None:
    asset = api.upload()
    api.character(defaultImageId=asset["id"], avatarUrl=asset["url"])
    problem = api.ask("DELETE", f"/api/assets/{asset['id']}").json()
    assert (problem["count"], len(problem["referrers"]), "others" in problem) == (2, 2, False)


def test_a_record_that_cannot_be_read_is_counted(api: Api) -> None:
    who = api.character()
    (api.store.settings.data_dir / "characters" / f"{who}.json").write_text("{nonsense")
    referrers = [{"kind": "character", "id": who, "field": "defaultImageId"}]
    error = narrowed(ConflictError("Used.", referrers=referrers, count=1), api.store.documents, api.users["alice"])
    assert (error.details["referrers"], error.details["others"]) == ([], 1)


def test_messages_and_what_is_not_there_any_more(api: Api) -> None:
    referrers = [{"kind": "message", "id": "gone/gone", "field": "mention"}]
    error = narrowed(ConflictError("Used.", referrers=referrers, count=300), api.store.documents, api.users["alice"])
    assert (error.details["referrers"], error.details["others"]) == ([], 300)
    plain = ConflictError("Taken.")
    assert narrowed(plain, api.store.documents, api.users["alice"]) is plain
