"""`POST /api/admin/gc`, and what /readyz says of a timer that was stopped."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from metadata.errors import UnreadableError

if TYPE_CHECKING:
    from tests.server.conftest import Api

URL = "/api/admin/gc"


def garbage(api: Api) -> str:
    asset = api.upload()
    assert api.ask("DELETE", f"/api/assets/{asset['id']}").status_code == 204
    return str(asset["sha256"])


def test_a_dry_run_says_what_a_run_does(api: Api) -> None:
    sha256 = garbage(api)
    tried = api.ask("POST", URL, json={"dryRun": True, "graceS": 0}, token=api.admin).json()
    assert (tried["dryRun"], tried["done"]) == (True, None)
    assert [item["sha256"] for item in tried["plan"]["takes"]["items"]] == [sha256]
    assert api.payloads() == [sha256]
    done = api.ask("POST", URL, json={"graceS": 0}, token=api.admin).json()
    assert (done["dryRun"], done["done"]["taken"], api.payloads()) == (False, 1, [])
    assert api.ask("POST", URL, json={}, token=api.admin).json()["done"]["taken"] == 0


def test_it_is_an_admins(api: Api) -> None:
    assert api.ask("POST", URL, json={"dryRun": True}).status_code == 403
    assert api.ask("POST", URL, json={"dryRun": True}, token=None).status_code == 401


def test_the_share_has_to_be_insisted_on(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("assets.gc.planning.SHARE_FROM", 0)
    garbage(api)
    refused = api.ask("POST", URL, json={"graceS": 0}, token=api.admin)
    assert (refused.status_code, refused.json()["reason"]) == (409, "share")
    assert api.ask("POST", URL, json={"graceS": 0, "force": True}, token=api.admin).json()["done"]["taken"] == 1


def test_unreferenced_records_go_when_asked_for(api: Api) -> None:
    api.upload()
    body = {"unreferenced": True, "olderThanS": 0, "dryRun": True}
    assert api.ask("POST", URL, json=body, token=api.admin).json()["plan"]["records"]["records"] == 1
    plan = api.ask("POST", URL, json={"unreferenced": True, "dryRun": True}, token=api.admin).json()["plan"]
    assert (plan["olderThanS"], plan["records"]["records"]) == (30 * 86_400, 0)


@pytest.mark.parametrize("body", [{"graceS": -1}, {"graceS": "0"}, {"olderThanS": 5}, {"grace": 1}])
def test_wishes_that_make_no_sense(api: Api, body: dict[str, Any]) -> None:
    assert api.ask("POST", URL, json=body, token=api.admin).status_code == 422


def test_a_stopped_timer_shows_in_readyz(api: Api) -> None:
    path = api.store.engine.paths.root / f"characters/{api.character()}.json"
    sound = path.read_bytes()
    path.write_bytes(b"{")
    with pytest.raises(UnreadableError):
        api.store.gc.run_if_due(60)
    path.write_bytes(sound)
    answer = api.ask("GET", "/readyz", token=None).json()
    reasons = {reason["reason"]: reason["detail"] for reason in answer["reasons"]}
    assert answer["status"] == "degraded"
    assert "characters/" not in reasons["gc-blocked"]
    answer = api.ask("GET", "/readyz", token=api.admin).json()
    assert "characters/" in {reason["reason"]: reason["detail"] for reason in answer["reasons"]}["gc-blocked"]
    assert "calotype_gc_blocked 1.0" in api.ask("GET", "/metrics", token=api.admin).text
    api.ask("POST", URL, json={}, token=api.admin)
    assert api.ask("GET", "/readyz", token=None).json()["status"] == "ready"
    assert "calotype_gc_blocked 0.0" in api.ask("GET", "/metrics", token=api.admin).text


def test_a_deleted_asset_is_restored_from_the_trash(api: Api, png: bytes) -> None:
    asset = api.upload()
    api.ask("DELETE", f"/api/assets/{asset['id']}")
    api.ask("POST", URL, json={"graceS": 0}, token=api.admin)
    assert api.ask("GET", asset["url"], token=None).status_code == 404
    assert api.ask("POST", f"/api/assets/{asset['id']}/restore").status_code == 200
    assert api.ask("GET", asset["url"], token=None).content == png
