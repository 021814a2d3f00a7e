"""What operators ask."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.server.conftest import Api


def test_the_process_is_up(api: Api) -> None:
    for method in ("GET", "HEAD"):
        assert api.ask(method, "/healthz?x=1", token=None).status_code == 200
    assert api.ask("GET", "/healthz", token="calo_wrong").json() == {"status": "ok"}  # noqa: S106 - wrong on purpose


def test_a_sound_store_is_ready_and_the_probe_leaves_nothing(api: Api) -> None:
    for token in (None, "calo_wrong", api.reader, api.admin):
        answer = api.ask("GET", "/readyz", token=token)
        assert (answer.status_code, answer.json()) == (200, {"status": "ready", "reasons": []})
    assert api.staged() == []


def test_a_store_that_cannot_be_written_is_not_ready(api: Api) -> None:
    uploads = api.store.engine.paths.root / "uploads"
    for path in uploads.iterdir():
        path.unlink()
    uploads.rmdir()
    uploads.write_bytes(b"a file where a folder belongs")
    closed = api.ask("GET", "/readyz", token=None)
    assert (closed.status_code, closed.json()["status"]) == (503, "unavailable")
    assert "uploads" not in closed.text
    assert "uploads" in api.ask("GET", "/readyz", token=api.admin).text
    assert api.ask("GET", "/healthz", token=None).status_code == 200


def test_a_full_store_still_answers_but_is_degraded(open_api: Callable[..., Api]) -> None:
    api = open_api(MIN_FREE_BYTES="1 EiB")
    answer = api.ask("GET", "/readyz", token=None)
    assert (answer.status_code, answer.json()) == (200, {"status": "degraded", "reasons": [{"reason": "full"}]})
    assert "CALOTYPE_MIN_FREE_BYTES" in api.ask("GET", "/readyz", token=api.admin).text


def test_statistics_are_an_admins(api: Api, png: bytes) -> None:
    api.upload(png)
    api.upload(png, token=api.bob)
    stats = api.ask("GET", "/api/stats", token=api.admin).json()
    assert (stats["payloads"], stats["payloadBytes"], stats["recordedBytes"]) == (1, len(png), 2 * len(png))
    assert (stats["records"]["asset"], stats["records"]["user"]) == (2, 3)
    assert stats["storeId"] == api.store.folder.store_id
    assert api.ask("GET", "/api/stats").status_code == 403
    assert api.ask("GET", "/api/stats", token=None).status_code == 401


def test_compaction_is_an_admins_and_may_be_tried_first(api: Api) -> None:
    log = api.store.engine.paths.root / "binaries/index.jsonl"
    url = f"/api/assets/{api.upload()['id']}"
    for number in range(5):
        api.ask("PATCH", url, json={"meta": {"n": number}})
    before = log.stat().st_size
    tried = api.ask("POST", "/api/admin/compact", json={"dryRun": True}, token=api.admin)
    assert (tried.json()["dryRun"], log.stat().st_size) == (True, before)
    done = api.ask("POST", "/api/admin/compact", json={}, token=api.admin).json()
    assert done["dryRun"] is False
    assert done["bytesSaved"] >= before - log.stat().st_size > 0
    assert api.ask("GET", url).json()["meta"] == {"n": 4}
    assert api.ask("POST", "/api/admin/compact", json={}).status_code == 403


@pytest.mark.parametrize("body", [{"dryRun": 1}, {"dryrun": True}])
def test_a_mistyped_dry_run_compacts_nothing(api: Api, body: dict[str, object]) -> None:
    assert api.ask("POST", "/api/admin/compact", json=body, token=api.admin).status_code == 422
