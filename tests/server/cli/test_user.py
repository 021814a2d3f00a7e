"""`calotype user`."""

from __future__ import annotations

import getpass
import io
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

import calotype
from metadata.passwords import Passwords
from metadata.repositories.sessions import SessionsRepository

if TYPE_CHECKING:
    from pathlib import Path

    from .conftest import Invoke

ADA = "ada@example.org"
GOOD = "correct horse battery staple"


@pytest.fixture
def store(calo: Invoke, folder: Path) -> Path:
    """A store with the first user and Ada; its folder."""
    assert calo("init").status == 0
    assert calo("user", "create", ADA, "--name", "Ada").status == 0
    return folder


def type_in(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(text))


def hash_of(folder: Path, email: str = ADA) -> str | None:
    with calotype.open(folder) as opened:
        user = opened.users.find_by_email(email)
        assert user is not None
        return user.password_hash


def test_a_user_is_made_and_listed_without_secrets(calo: Invoke, store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    type_in(monkeypatch, f"{GOOD}\n")
    assert calo("user", "passwd", ADA).status == 0
    items = calo("user", "ls", "--json").json()["items"]
    assert [(item["email"], item["role"], item["password"]) for item in items] == [
        ("admin@localhost", "admin", False),
        (ADA, "user", True),
    ]
    assert "Ada" in calo("user", "ls").out
    assert "argon2" not in calo("user", "ls", "--json").out + calo("user", "ls").out
    assert hash_of(store) is not None


@pytest.mark.parametrize("end", ["", "\n", "\r\n", "\nmore\n"])
def test_the_password_is_the_first_line_of_standard_input(
    calo: Invoke, store: Path, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    type_in(monkeypatch, GOOD + end)
    done = calo("user", "passwd", ADA)
    assert (done.status, GOOD in done.out + done.err) == (0, False)
    assert Passwords().check(hash_of(store), GOOD).ok


def test_a_new_password_ends_the_sessions(calo: Invoke, store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with calotype.open(store) as opened:
        ada = opened.users.find_by_email(ADA)
        assert ada is not None
        _, token = SessionsRepository(opened.documents).open(ada.id, datetime.now(UTC) + timedelta(days=1))
    type_in(monkeypatch, GOOD)
    assert calo("user", "passwd", ADA, "--json").json() == {"id": ada.id}
    with calotype.open(store) as opened:
        assert SessionsRepository(opened.documents).find_by_token(token) is None


class Terminal(io.StringIO):
    """Standard input that is a terminal."""

    def isatty(self) -> bool:
        return True


def test_at_a_terminal_it_is_asked_for_twice(calo: Invoke, store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", Terminal())
    answers = [GOOD, GOOD, GOOD, "something else"]
    monkeypatch.setattr(getpass, "getpass", lambda prompt: prompt and answers.pop(0))
    assert calo("user", "passwd", ADA).status == 0
    kept = hash_of(store)
    assert calo("user", "passwd", ADA).status == 2
    assert hash_of(store) == kept


def test_what_cannot_be_is_refused(calo: Invoke, store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert calo("user", "create", ADA).status == 4
    assert calo("user", "create", "no address").status == 2
    type_in(monkeypatch, "short\n")
    assert calo("user", "passwd", ADA).status == 2
    assert calo("user", "passwd", "nobody@example.org").status == 3
    assert calo("user", "role", "nobody@example.org", "admin").status == 3
    assert hash_of(store) is None


def test_roles_change_and_the_first_user_stays_an_admin(calo: Invoke, store: Path) -> None:
    assert calo("user", "role", ADA, "admin", "--json").json()["role"] == "admin"
    assert calo("user", "role", ADA, "user").out == f"{ADA} is a user now.\n"
    assert calo("user", "role", "admin@localhost", "user").status == 4
    assert calo("user", "role", "admin@localhost", "admin").status == 0
    assert calo("user", "create", "eve@example.org", "--role", "admin", "--json").json()["role"] == "admin"
    assert store.is_dir()


def test_no_store_is_an_error(calo: Invoke, folder: Path) -> None:
    for command in (["create", ADA], ["passwd", ADA], ["ls"], ["role", ADA, "admin"]):
        assert calo("user", *command).status == 3
    assert not folder.exists()
