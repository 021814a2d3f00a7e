"""One record and a page of records as answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.server.conftest import Api


def test_one_record_has_a_strong_tag_and_answers_304_to_whoever_has_it(api: Api) -> None:
    asset = api.upload()
    answer = api.ask("GET", f"/api/assets/{asset['id']}")
    version, dot, derived = answer.headers["etag"].strip('"').partition(".")
    assert (len(version), dot, len(derived)) == (32, ".", 8)
    assert answer.headers["cache-control"] == "private, no-cache"
    again = api.ask("GET", f"/api/assets/{asset['id']}", headers={"If-None-Match": f'"x", {answer.headers["etag"]}'})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", answer.headers["etag"])


def test_some_members_have_no_tag(api: Api) -> None:
    asset = api.upload()
    answer = api.ask("GET", f"/api/assets/{asset['id']}?fields=url,%20size")
    assert answer.json() == {"id": asset["id"], "url": asset["url"], "size": asset["size"]}
    assert "etag" not in answer.headers
    listed = api.ask("GET", "/api/assets?fields=filename").json()["items"]
    assert listed == [{"id": asset["id"], "filename": "file"}]


@pytest.mark.parametrize("path", ["/api/assets", "/api/tokens"])
def test_an_unknown_member_is_refused(api: Api, path: str) -> None:
    answer = api.ask("GET", f"{path}?fields=id,tokenHash")
    assert (answer.status_code, answer.json()["field"]) == (422, "fields")


def test_a_page_tells_where_the_next_one_begins(api: Api, png: bytes) -> None:
    made = [api.upload(png + bytes([number]))["id"] for number in range(5)]
    seen, cursor, pages = [], "", 0
    while True:
        page = api.ask("GET", "/api/assets", params={"limit": "2"} | ({"cursor": cursor} if cursor else {})).json()
        seen += [item["id"] for item in page["items"]]
        pages += 1
        assert page["total"] == 5
        assert {"totalCapped", "unreadable"}.isdisjoint(page)
        cursor = page["nextCursor"]
        if cursor is None:
            break
    assert (seen, pages) == (made, 3)


@pytest.mark.parametrize("limit", ["0", "501", "-1", "x", "1e3"])
def test_a_limit_out_of_bounds_is_refused(api: Api, limit: str) -> None:
    answer = api.ask("GET", f"/api/assets?limit={limit}")
    assert (answer.status_code, answer.json()["field"]) == (422, "limit")


def test_a_cursor_that_no_list_gave_is_refused(api: Api) -> None:
    for cursor in ("x", "W10", "bnVsbA", "A" * 5000):
        assert api.ask("GET", f"/api/assets?cursor={cursor}").status_code == 422
