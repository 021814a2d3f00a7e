"""`POST /api/admin/verify`, and what `/readyz` says of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.server.conftest import Api


def verified(api: Api, **body: Any) -> Any:
    answer = api.ask("POST", "/api/admin/verify", token=api.admin, json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_damage_shows_in_the_report_and_in_readyz(api: Api) -> None:
    digest = api.upload()["sha256"]
    assert verified(api, mode="full", part="1/1", rateBytesPerS=10**9)["sound"]
    assert api.ask("GET", "/readyz").json()["status"] == "ready"
    raw = api.store.engine.paths.resolve(f"binaries/{digest}/raw")
    raw.write_bytes(raw.read_bytes()[:-1] + b"?")
    assert not verified(api, mode="full", dryRun=True)["sound"]
    assert api.ask("GET", "/readyz").json()["status"] == "ready", "a dry run writes nothing down"
    report = verified(api, mode="full")
    assert [(found["kind"], found["object"]) for found in report["findings"]] == [("payload-rotten", digest)]
    (reason,) = api.ask("GET", "/readyz").json()["reasons"]
    assert (reason["reason"], reason["count"]) == ("damage", 1)
    assert "findings" not in reason
    assert api.ask("GET", "/readyz", token=api.admin).json()["reasons"][0]["findings"] == [{"payload-rotten": 1}]
    api.upload()
    assert verified(api, mode="full")["sound"]
    assert api.ask("GET", "/readyz").json()["status"] == "ready"


def test_edited_lines_are_taken_over(api: Api) -> None:
    api.upload(filename="a.png")
    log = api.store.engine.paths.resolve("binaries/index.jsonl")
    log.write_bytes(log.read_bytes().replace(b"a.png", b"b.png"))
    assert not verified(api, accept=True, dryRun=True)["sound"]
    assert verified(api, accept=True)["sound"]
    assert b"b.png" in log.read_bytes()


@pytest.mark.parametrize("body", [{"mode": "slow"}, {"part": "3/2"}, {"rateBytesPerS": 1000}, {"olderThanS": -1}])
def test_wishes_that_make_no_sense(body: dict[str, Any], api: Api) -> None:
    assert api.ask("POST", "/api/admin/verify", token=api.admin, json=body).status_code == 422


def test_only_for_administrators(api: Api) -> None:
    assert api.ask("POST", "/api/admin/verify", json={}).status_code == 403
