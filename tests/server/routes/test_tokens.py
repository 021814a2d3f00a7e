"""Who the caller is, and access tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    import httpx2

    from tests.server.conftest import Api

ONE = "11111111-1111-4111-8111-111111111111"


def make(api: Api, token: str = "", **body: Any) -> httpx2.Response:
    return api.ask("POST", "/api/tokens", json=body, token=token)


def test_who_i_am(api: Api) -> None:
    me = api.ask("GET", "/api/me", token=api.reader).json()
    assert (me["user"]["email"], me["scope"], me["token"]["scope"]) == ("alice@example.org", "read", "read")
    hidden = {"passwordHash", "totp", "backupCodes", "tokenHash"}
    assert hidden.isdisjoint(me["user"])
    assert hidden.isdisjoint(me["token"])


def test_a_token_is_shown_once_works_and_is_revoked(api: Api) -> None:
    made = make(api, name="mine", scope="read", expiresAt="2999-01-01T00:00:00.000Z")
    body = made.json()
    secret = body.pop("token")
    assert (made.status_code, secret[:5], len(secret)) == (201, "calo_", 48)
    assert made.headers["cache-control"] == "no-store"
    assert made.headers["location"] == f"/api/tokens/{body['id']}"
    assert (body["name"], body["scope"], body["userId"]) == ("mine", "read", api.users["alice"])
    assert api.ask("GET", "/api/me", token=secret).json()["token"]["id"] == body["id"]
    read = api.ask("GET", f"/api/tokens/{body['id']}")
    assert secret not in read.text
    assert "tokenHash" not in read.text
    assert api.ask("DELETE", f"/api/tokens/{body['id']}", headers={"If-Match": '"old"'}).status_code == 412
    assert api.ask("DELETE", f"/api/tokens/{body['id']}").status_code == 204
    assert api.ask("GET", "/api/me", token=secret).status_code == 401
    assert api.ask("DELETE", f"/api/tokens/{body['id']}").status_code == 404


def test_everybody_sees_and_revokes_their_own(api: Api) -> None:
    mine = {item["userId"] for item in api.ask("GET", "/api/tokens").json()["items"]}
    assert mine == {api.users["alice"]}
    everybodys = api.ask("GET", "/api/tokens", token=api.admin).json()
    assert {item["userId"] for item in everybodys["items"]} == {*api.users.values(), api.store.owner.id}
    foreign = next(item["id"] for item in everybodys["items"] if item["userId"] == api.users["bob"])
    for method in ("GET", "DELETE"):
        assert api.ask(method, f"/api/tokens/{foreign}").status_code == 404
    assert api.ask("DELETE", f"/api/tokens/{foreign}", token=api.admin).status_code == 204
    assert api.ask("GET", "/api/me", token=api.bob).status_code == 401


def test_nobody_makes_a_token_that_may_more_than_they_may(api: Api) -> None:
    assert make(api, api.reader, scope="read").status_code == 403
    assert make(api, scope="admin").status_code == 403
    assert make(api, scope="write", userId=api.users["bob"]).status_code == 403
    assert make(api, api.admin, scope="admin", userId=api.users["bob"]).status_code == 403
    made = make(api, api.admin, scope="write", userId=api.users["bob"])
    assert (made.status_code, made.json()["userId"]) == (201, api.users["bob"])


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "scope"),
        ({"scope": "banana"}, "scope"),
        ({"scope": 1}, "scope"),
        ({"scope": "read", "name": 1}, "name"),
        ({"scope": "read", "name": "x" * 201}, "name"),
        ({"scope": "read", "expiresAt": "2020-01-01T00:00:00Z"}, "expiresAt"),
        ({"scope": "read", "expiresAt": "tomorrow"}, "expiresAt"),
        ({"scope": "read", "expiresAt": 5}, "expiresAt"),
        ({"scope": "read", "userId": ONE}, "userId"),
        ({"scope": "read", "tokenHash": "0" * 64}, "tokenHash"),
    ],
)
def test_what_is_wrong_is_refused_by_name(api: Api, body: dict[str, Any], field: str) -> None:
    answer = make(api, api.admin, **body)
    assert (answer.status_code, answer.json()["field"]) == (422, field)


def test_an_expired_token_is_no_token(api: Api) -> None:
    made = make(api, scope="read", expiresAt="2999-01-01T00:00:00.000Z").json()
    api.store.records.access_tokens.edit(
        made["id"], lambda token: token.replaced(expires_at="2020-01-01T00:00:00.000Z")
    )
    answer = api.ask("GET", "/api/me", token=made["token"])
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, 'Bearer realm="calotype"')
