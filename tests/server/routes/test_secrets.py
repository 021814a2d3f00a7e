"""What is handed out once, or to administrators alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.server.conftest import Api

ONE = "11111111-1111-4111-8111-111111111111"
KEY = {"label": "mine", "provider": "OPENAI", "key": "sk-very-secret"}
TOKEN = {"identifier": "a@example.org", "token": "t"}


def test_a_key_is_revealed_to_an_administrator(api: Api) -> None:
    url = api.ask("POST", "/api/api-keys", json=KEY).headers["location"]
    answer = api.ask("POST", f"{url}/reveal", token=api.admin)
    assert (answer.json(), answer.headers["cache-control"]) == ({"key": "sk-very-secret"}, "no-store")
    assert api.ask("POST", f"{url}/reveal").status_code == 403
    assert api.ask("POST", f"/api/api-keys/{ONE}/reveal", token=api.admin).status_code == 404


def test_a_key_that_cannot_be_opened_hinders_nothing_and_says_so(api: Api) -> None:
    made = api.ask("POST", "/api/api-keys", json=KEY).json()
    api.ask("POST", "/api/api-keys", json=KEY)
    broken = {"ciphertext": "AAAA", "iv": "AAAA"}
    api.store.records.api_keys.edit(made["id"], lambda key: key.replaced(**broken))
    answer = api.ask("POST", f"/api/api-keys/{made['id']}/reveal", token=api.admin)
    assert (answer.status_code, "sk-very" in answer.text) == (409, False)
    items = api.ask("GET", "/api/api-keys").json()["items"]
    assert [item["needsReentry"] is None for item in items] == [False, True]
    after = api.ask("PATCH", f"/api/api-keys/{made['id']}", json={"key": "sk-again"}).json()
    assert after["needsReentry"] is None
    assert api.ask("POST", f"/api/api-keys/{made['id']}/reveal", token=api.admin).json() == {"key": "sk-again"}


def test_a_verification_token_works_once(api: Api) -> None:
    body = {**TOKEN, "expires": "2999-01-01T00:00:00.000Z"}
    assert api.ask("POST", "/api/verification-tokens", json=body, token=api.admin).status_code == 201
    assert api.ask("POST", "/api/verification-tokens/consume", json=TOKEN).status_code == 403
    other = {**TOKEN, "token": "u"}
    assert api.ask("POST", "/api/verification-tokens/consume", json=other, token=api.admin).status_code == 404
    used = api.ask("POST", "/api/verification-tokens/consume", json=TOKEN, token=api.admin)
    assert (used.status_code, used.json()["identifier"], "token" in used.json()) == (200, "a@example.org", False)
    assert api.ask("POST", "/api/verification-tokens/consume", json=TOKEN, token=api.admin).status_code == 404


def test_one_whose_time_is_over_does_not_work(api: Api) -> None:
    body = {**TOKEN, "expires": "2001-01-01T00:00:00.000Z"}
    assert api.ask("POST", "/api/verification-tokens", json=body, token=api.admin).status_code == 201
    assert api.ask("POST", "/api/verification-tokens/consume", json=TOKEN, token=api.admin).status_code == 404


@pytest.mark.parametrize(
    ("body", "field"), [({}, "identifier"), ({**TOKEN, "token": 5}, "token"), ({**TOKEN, "x": 1}, "x")]
)
def test_what_is_wrong_is_refused_by_name(api: Api, body: dict[str, Any], field: str) -> None:
    answer = api.ask("POST", "/api/verification-tokens/consume", json=body, token=api.admin)
    assert (answer.status_code, answer.json()["field"]) == (422, field)
