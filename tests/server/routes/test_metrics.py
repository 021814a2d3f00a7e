"""What Prometheus asks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client.parser import text_string_to_metric_families

if TYPE_CHECKING:
    from tests.server.conftest import Api


def samples(api: Api) -> dict[tuple[str, ...], float]:
    answer = api.ask("GET", "/metrics", token=api.admin)
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store"
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def test_only_an_admin_may_ask(api: Api) -> None:
    assert api.ask("GET", "/metrics").status_code == 403
    assert api.ask("GET", "/metrics", token=None).status_code == 401


def test_uploads_by_every_road_and_their_duplicates_are_counted(api: Api, png: bytes) -> None:
    asset = api.upload(png)
    api.upload(png)
    form = {"file": ("b.txt", b"four", "text/plain")}
    assert api.ask("POST", "/api/assets", files=form).status_code == 201
    assert api.ask("PUT", f"/blobs/{asset['sha256']}", content=png).status_code == 200
    character = api.character()
    assert api.ask("PUT", f"/api/characters/{character}/avatar", content=png).status_code in {200, 201}
    assert api.ask("PUT", f"/blobs/{'0' * 64}", content=png).status_code == 409
    found = samples(api)
    assert found["calotype_uploads_total", "created"] == 3
    assert found["calotype_uploads_total", "duplicate"] == 2
    assert found["calotype_uploaded_bytes_total", "created"] == 4 + 2 * len(png)
    assert (found["calotype_payloads",], found["calotype_assets",]) == (2, 3)
    assert found["calotype_payload_bytes",] == 4 + len(png)


def test_requests_are_counted_by_the_template_of_their_route(api: Api) -> None:
    for name in ("0" * 64, "1" * 64):
        assert api.ask("GET", f"/blobs/{name}").status_code == 404
    assert api.ask("GET", "/nothing/here").status_code == 404
    found = samples(api)
    assert found["calotype_requests_total", "GET", "/blobs/{name}", "404"] == 2
    assert found["calotype_requests_total", "GET", "none", "404"] == 1
    assert found["calotype_request_seconds_count", "/blobs/{name}"] == 2
