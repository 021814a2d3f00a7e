"""Signing in and out over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from argon2 import PasswordHasher

from metadata.passwords import Passwords
from server import calls

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx2

    from tests.server.conftest import Api

OLD, NEW = "correct horse", "battery staple"


@pytest.fixture
def quick(open_api: Callable[..., Api], monkeypatch: pytest.MonkeyPatch) -> Api:
    """An application whose passwords are cheap to check; alice has one."""
    cheap = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(calls, "Passwords", lambda: Passwords(cheap))
    api = open_api()
    answer = set_password(api, api.admin, password=OLD, userId=api.users["alice"])
    assert answer.status_code == 204
    return api


def set_password(api: Api, token: str, **body: Any) -> httpx2.Response:
    return api.ask("POST", "/api/auth/password", json=body, token=token)


def login(api: Api, password: str = OLD, email: str = "alice@example.org") -> httpx2.Response:
    return api.ask("POST", "/api/auth/login", json={"email": email, "password": password}, token=None)


def test_who_signs_in_gets_a_token_that_works_until_they_sign_out(quick: Api) -> None:
    answer = login(quick)
    body = answer.json()
    assert (answer.status_code, body["scope"], body["user"]["id"]) == (200, "write", quick.users["alice"])
    assert (answer.headers["cache-control"], "passwordHash" in answer.text) == ("no-store", False)
    token = body["token"]
    assert quick.ask("GET", "/api/me", token=token).json()["user"]["email"] == "alice@example.org"
    assert quick.ask("GET", "/api/users", token=token).status_code == 403
    assert quick.ask("POST", "/api/auth/logout", token=token).status_code == 204
    assert quick.ask("GET", "/api/me", token=token).status_code == 401
    assert quick.ask("POST", "/api/auth/logout", token=token).status_code == 401


@pytest.mark.parametrize(
    ("email", "password"),
    [("alice@example.org", NEW), ("bob@example.org", OLD), ("nobody@example.org", OLD), ("alice@example.org", "")],
)
def test_wrong_credentials_have_one_answer(quick: Api, email: str, password: str) -> None:
    answer = login(quick, password, email)
    expected = login(quick, "x", "y")
    assert (answer.status_code, answer.json()) == (401, expected.json())
    assert "www-authenticate" in answer.headers


def test_who_guesses_has_to_wait(quick: Api) -> None:
    statuses = [login(quick, f"guess {n}").status_code for n in range(7)]
    assert (statuses[0], statuses[-1]) == (401, 429)
    answer = login(quick)
    assert (answer.status_code, int(answer.headers["retry-after"]) > 0) == (429, True)


def test_a_changed_password_ends_the_other_sessions(quick: Api) -> None:
    here, there = login(quick).json()["token"], login(quick).json()["token"]
    assert set_password(quick, here, current=NEW, password=NEW).status_code == 401
    assert set_password(quick, here, current=OLD, password="short").status_code == 422  # noqa: S106 - the point
    assert set_password(quick, here, current=OLD, password=NEW).status_code == 204
    assert quick.ask("GET", "/api/me", token=here).status_code == 200
    assert quick.ask("GET", "/api/me", token=there).status_code == 401
    assert (login(quick).status_code, login(quick, NEW).status_code) == (401, 200)


def test_only_administrators_set_anothers_password(quick: Api) -> None:
    bob = quick.users["bob"]
    assert set_password(quick, quick.alice, password=NEW, userId=bob).status_code == 403
    assert set_password(quick, quick.admin, password=NEW, userId="x").status_code == 422
    assert set_password(quick, quick.admin, password=NEW, userId=bob).status_code == 204
    assert login(quick, NEW, "bob@example.org").status_code == 200


def test_a_first_password_needs_all_that_it_will_allow(quick: Api) -> None:
    owner = quick.store.owner
    weak = quick.store.records.access_tokens.issue(owner.id, "weak", "write")[1]
    assert set_password(quick, weak, password=NEW).status_code == 403
    assert set_password(quick, quick.admin, password=NEW).status_code == 204
    assert login(quick, NEW, owner.email).json()["scope"] == "admin"


def test_an_access_token_has_no_session_to_end(quick: Api) -> None:
    assert quick.ask("POST", "/api/auth/logout").status_code == 422
    assert quick.ask("POST", "/api/auth/logout", token=None).status_code == 401


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("login", {"email": "a"}, "password"),
        ("login", {"email": 5, "password": "x"}, "email"),
        ("login", {"email": "a", "password": "x", "y": 1}, "y"),
        ("password", {"password": NEW}, "current"),
        ("password", {"password": NEW, "current": OLD, "z": 1}, "z"),
    ],
)
def test_what_is_wrong_is_refused_by_name(quick: Api, path: str, body: dict[str, Any], field: str) -> None:
    answer = quick.ask("POST", f"/api/auth/{path}", json=body)
    assert (answer.status_code, answer.json()["field"]) == (422, field)


def test_where_nobody_is_asked_there_is_nothing_to_end(open_api: Callable[..., Api]) -> None:
    api = open_api(AUTH="off")
    assert api.ask("POST", "/api/auth/logout", token=None).status_code == 204
