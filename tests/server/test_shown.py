"""Assets as answers, with what was seen of their pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from server.shown import Shown, glimpses
from server.wire import Glimpse

if TYPE_CHECKING:
    from tests.server.conftest import Api


@pytest.mark.parametrize(
    ("fact", "expected"),
    [
        ({"placeholder": "data:x"}, Glimpse("data:x", decodes=True)),
        ({"unseen": True}, Glimpse(None, decodes=True)),
        ({"width": 3}, Glimpse(None, decodes=False)),
        ({"placeholder": 5}, Glimpse(None, decodes=False)),
    ],
)
def test_what_facts_say(fact: dict[str, Any], expected: Glimpse) -> None:
    assert Glimpse.of(fact) == expected


def test_placeholders_come_everywhere_once_somebody_looked(api: Api, png: bytes) -> None:
    asset = api.upload(png)
    assert (asset["placeholder"], asset["thumbUrl"]) == (None, f"/blobs/{asset['sha256']}/thumb.webp")
    before = api.ask("GET", f"/api/assets/{asset['id']}")
    assert api.store.prints.glances.work_off() == 1
    after = api.ask("GET", f"/api/assets/{asset['id']}", headers={"If-None-Match": before.headers["etag"]})
    assert after.status_code == 200
    placeholder = after.json()["placeholder"]
    assert placeholder.startswith("data:image/")
    character = api.character(defaultImageId=asset["id"])
    pages = [api.ask("GET", "/api/assets").json()["items"], [api.upload(png)]]
    assert [item["placeholder"] for page in pages for item in page] == [placeholder, placeholder]
    answers = [api.ask("GET", f"/api/characters/{character}").json(), api.ask("GET", "/api/characters").json()]
    assert [answer["avatar"]["placeholder"] for answer in (answers[0], *answers[1]["items"])] == [placeholder] * 2


def test_a_damaged_picture_has_no_thumbnail_once_somebody_looked(api: Api, png: bytes) -> None:
    api.upload(png[:40])
    api.store.prints.glances.work_off()
    shown = Shown(api.store.documents, "")
    (asset,) = api.store.assets.images.list().items
    assert (shown.one(asset)["thumbUrl"], shown.one(asset)["placeholder"]) == (None, None)
    assert shown.many([asset]) == [shown.one(asset)]
    assert glimpses(api.store.documents, ["0" * 64]) == {}
