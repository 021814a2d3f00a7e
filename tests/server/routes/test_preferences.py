"""The caller's own settings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.server.conftest import Api

URL = "/api/settings"


def test_settings_are_read_and_changed(api: Api) -> None:
    read = api.ask("GET", URL, token=api.reader)
    found = read.json()
    assert (found["user"]["email"], found["chatSettings"]["avatarDisplayMode"]) == ("alice@example.org", "ALWAYS")
    assert api.ask("GET", URL, headers={"If-None-Match": read.headers["etag"]}).status_code == 304
    body = {"user": {"name": "A"}, "chatSettings": {"avatarDisplayMode": "NEVER"}}
    stale = api.ask("PATCH", URL, json=body, headers={"If-Match": '"00"'})
    assert stale.status_code == 412
    changed = api.ask("PATCH", URL, json=body, headers={"If-Match": read.headers["etag"]})
    assert (changed.status_code, changed.json()["user"]["name"]) == (200, "A")
    assert changed.json()["chatSettings"]["avatarDisplayMode"] == "NEVER"
    again = api.ask("GET", URL)
    assert (again.json(), again.headers["etag"]) == (changed.json(), changed.headers["etag"])
    assert api.ask("GET", URL, token=api.bob).json()["chatSettings"]["avatarDisplayMode"] == "ALWAYS"
    assert api.ask("PATCH", URL, json=found).json()["user"]["name"] is None
    assert api.ask("PATCH", URL, json={}, token=api.reader).status_code == 403


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"x": 1}, "x"),
        ({"user": 5}, "user"),
        ({"chatSettings": {"avatarDisplayMode": "SOMETIMES"}}, "avatarDisplayMode"),
        ({"user": {"name": "B"}, "chatSettings": {"nonsense": 1}}, "nonsense"),
        ({"user": {"passwordHash": "x"}}, "passwordHash"),
    ],
)
def test_what_is_wrong_changes_nothing(api: Api, body: dict[str, Any], field: str) -> None:
    before = api.ask("GET", URL).json()
    answer = api.ask("PATCH", URL, json=body)
    assert (answer.status_code, answer.json()["field"]) == (422, field)
    assert api.ask("GET", URL).json() == before


def test_nobody_makes_themselves_an_administrator(api: Api) -> None:
    assert api.ask("PATCH", URL, json={"user": {"role": "admin"}}).status_code == 403
    assert api.ask("GET", URL).json()["user"]["role"] is None
