"""Signing in: who knows the password gets a session, nobody learns anything else, and old hashes are upgraded."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import bcrypt
import pytest
from argon2 import PasswordHasher

from metadata.documents.memory import MemoryDocuments
from metadata.errors import DeniedError, FullError, InvalidError, NotFoundError, ThrottledError, UnauthenticatedError
from metadata.passwords import Passwords
from metadata.repositories.sessions import SessionsRepository
from metadata.repositories.users import UsersRepository
from server.signin import SESSION, SignIn
from server.throttle import FREE_PER_ACCOUNT, Throttle

if TYPE_CHECKING:
    from collections.abc import Callable

    from metadata.schemas.users import User

GOOD, OTHER = "correct horse battery staple", "another good password"
HERE, THERE = "203.0.113.7", "198.51.100.9"
ADA = "ada@example.org"


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.moment = datetime(2026, 1, 31, 12, tzinfo=UTC)

    def now(self) -> datetime:
        return self.moment

    def monotonic(self) -> float:
        return self.moment.timestamp()


class Door:
    """A store in memory with one user, and the way in."""

    def __init__(self) -> None:
        self.clock = Clock()
        documents = MemoryDocuments(self.clock)
        self.users = UsersRepository(documents, clock=self.clock)
        self.users.ensure_first()
        self.sessions = SessionsRepository(documents, clock=self.clock)
        self.passwords = Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
        self.sign_in = SignIn(self.users, self.sessions, self.passwords, Throttle(self.clock), self.clock)
        self.ada = self.users.create(email=ADA, password_hash=self.passwords.hash(GOOD))

    def hash(self) -> str | None:
        return self.users.get(self.ada.id).password_hash


@pytest.fixture
def door() -> Door:
    return Door()


def test_the_right_password_begins_a_session_that_ends(door: Door) -> None:
    signed = door.sign_in.login(ADA, GOOD, HERE)
    assert signed.user.id == door.ada.id
    found = door.sign_in.session_of(signed.token)
    assert found is not None
    assert (found[0].id, found[1].id) == (signed.session.id, door.ada.id)
    door.clock.moment += SESSION
    assert door.sign_in.session_of(signed.token) is None


def test_logging_out_ends_that_session_alone(door: Door) -> None:
    one, two = (door.sign_in.login(ADA, GOOD, HERE) for _ in range(2))
    assert door.sign_in.logout(one.token)
    assert not door.sign_in.logout(one.token)
    assert door.sign_in.session_of(one.token) is None
    assert door.sign_in.session_of(two.token) is not None


@pytest.mark.parametrize(
    ("email", "password"),
    [
        (ADA, OTHER),
        (ADA, ""),
        ("nobody@example.org", GOOD),
        ("", ""),
        ("admin@localhost", ""),
        ("admin@localhost", GOOD),
    ],
)
def test_everything_wrong_is_the_same_answer(door: Door, email: str, password: str) -> None:
    with pytest.raises(UnauthenticatedError) as caught:
        door.sign_in.login(email, password, HERE)
    assert (caught.value.message, caught.value.details) == ("No user has this address and password.", {})
    assert door.sessions.list().total == 0


def test_an_address_is_found_in_capitals(door: Door) -> None:
    assert door.sign_in.login(ADA.upper(), GOOD, HERE).user.id == door.ada.id


def test_guessing_is_slowed_down_here_and_not_elsewhere(door: Door) -> None:
    for _ in range(FREE_PER_ACCOUNT):
        with pytest.raises(UnauthenticatedError):
            door.sign_in.login(ADA, OTHER, HERE)
    for password in (OTHER, GOOD):
        with pytest.raises(ThrottledError):
            door.sign_in.login(ADA, password, HERE)
    door.sign_in.login(ADA, GOOD, THERE)
    door.clock.moment += timedelta(seconds=1)
    door.sign_in.login(ADA, GOOD, HERE)


def test_the_hash_of_the_original_is_replaced_at_the_first_sign_in(door: Door) -> None:
    old = bcrypt.hashpw(GOOD.encode(), bcrypt.gensalt(4)).decode()
    door.users.edit(door.ada.id, lambda user: user.replaced(password_hash=old))
    with pytest.raises(UnauthenticatedError):
        door.sign_in.login(ADA, OTHER, HERE)
    assert door.hash() == old
    door.sign_in.login(ADA, GOOD, HERE)
    assert str(door.hash()).startswith("$argon2id$")
    door.sign_in.login(ADA, GOOD, HERE)


def test_an_upgrade_that_cannot_be_written_shuts_nobody_out(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    old = bcrypt.hashpw(GOOD.encode(), bcrypt.gensalt(4)).decode()
    door.users.edit(door.ada.id, lambda user: user.replaced(password_hash=old))

    def full(record_id: str, change: Callable[[User], User]) -> User:
        del record_id, change
        raise FullError("no room")

    monkeypatch.setattr(door.users, "edit", full)
    assert door.sign_in.login(ADA, GOOD, HERE).user.id == door.ada.id


def test_an_upgrade_never_undoes_a_change(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    old = bcrypt.hashpw(GOOD.encode(), bcrypt.gensalt(4)).decode()
    door.users.edit(door.ada.id, lambda user: user.replaced(password_hash=old))
    check, changed = door.passwords.check, door.passwords.hash(OTHER)

    def check_slowly(stored: str | None, password: str) -> object:
        found = check(stored, password)
        door.users.edit(door.ada.id, lambda user: user.replaced(password_hash=changed))
        return found

    monkeypatch.setattr(door.passwords, "check", check_slowly)
    door.sign_in.login(ADA, GOOD, HERE)
    assert door.hash() == changed


def test_who_has_a_second_factor_does_not_come_in_without_it(door: Door) -> None:
    envelope = {"ciphertext": "AA==", "iv": "AA==", "authTag": "AA==", "enabled": True}
    door.users.edit(door.ada.id, lambda user: user.replaced(totp=envelope))
    with pytest.raises(DeniedError):
        door.sign_in.login(ADA, GOOD, HERE)
    with pytest.raises(UnauthenticatedError):
        door.sign_in.login(ADA, OTHER, HERE)
    door.users.edit(door.ada.id, lambda user: user.replaced(totp={**envelope, "enabled": False}))
    door.sign_in.login(ADA, GOOD, HERE)


def test_changing_a_password_ends_the_other_sessions(door: Door) -> None:
    mine, stolen = (door.sign_in.login(ADA, GOOD, HERE) for _ in range(2))
    with pytest.raises(UnauthenticatedError):
        door.sign_in.change_password(door.ada.id, OTHER, OTHER, HERE, keep=mine.session.id)
    with pytest.raises(InvalidError):
        door.sign_in.change_password(door.ada.id, GOOD, "short", HERE, keep=mine.session.id)
    assert door.sign_in.session_of(stolen.token) is not None
    door.sign_in.change_password(door.ada.id, GOOD, OTHER, HERE, keep=mine.session.id)
    assert door.sign_in.session_of(mine.token) is not None
    assert door.sign_in.session_of(stolen.token) is None
    with pytest.raises(UnauthenticatedError):
        door.sign_in.login(ADA, GOOD, HERE)
    door.sign_in.login(ADA, OTHER, HERE)


def test_guessing_the_current_password_is_slowed_down_too(door: Door) -> None:
    for _ in range(FREE_PER_ACCOUNT):
        with pytest.raises(UnauthenticatedError):
            door.sign_in.change_password(door.ada.id, OTHER, OTHER, HERE)
    with pytest.raises(ThrottledError):
        door.sign_in.change_password(door.ada.id, GOOD, OTHER, HERE)


def test_a_user_without_a_password_gets_a_first_one(door: Door) -> None:
    first = door.users.first()
    assert first is not None
    door.sign_in.change_password(first.id, "", GOOD, HERE)
    assert door.sign_in.login("admin@localhost", GOOD, HERE).user.id == first.id
    with pytest.raises(NotFoundError):
        door.sign_in.set_password("11111111-1111-4111-8111-111111111111", GOOD)


def test_a_session_of_a_removed_user_is_none(door: Door) -> None:
    signed = door.sign_in.login(ADA, GOOD, HERE)
    door.users.delete(door.ada.id, force=True)
    assert door.sign_in.session_of(signed.token) is None


def test_no_token_and_no_hash_is_shown(door: Door) -> None:
    signed = door.sign_in.login(ADA, GOOD, HERE)
    assert signed.token not in repr(signed)
    assert "argon2" not in repr(signed)
