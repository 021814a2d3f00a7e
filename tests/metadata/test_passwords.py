"""Passwords: new ones are Argon2id, the original's bcrypt is taken once, and nobody learns who exists."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Literal

import bcrypt
import pytest
from argon2 import PasswordHasher
from hypothesis import given
from hypothesis import strategies as st

from metadata.errors import InvalidError
from metadata.passwords import LONGEST_BYTES, SHORTEST, Checked, Passwords

if TYPE_CHECKING:
    from types import ModuleType

GOOD = "correct horse battery staple"
CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


@pytest.fixture(scope="module")
def passwords() -> Passwords:
    return Passwords(CHEAP)


class Counting(PasswordHasher):
    """Counts its checks and how many ran at once."""

    def __init__(self) -> None:
        super().__init__(time_cost=1, memory_cost=8, parallelism=1)
        self.checks = 0
        self.running = 0
        self.most = 0

    def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:  # noqa: A002 - the library's name
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            self.checks += 1
            return super().verify(hash, password)
        finally:
            self.running -= 1


@given(password=st.text(st.characters(exclude_categories=()), min_size=SHORTEST, max_size=100))
def test_a_password_fits_its_own_hash_and_no_other(passwords: Passwords, password: str) -> None:
    stored = passwords.hash(password)
    assert stored.startswith("$argon2id$")
    assert passwords.check(stored, password) == Checked(ok=True)
    assert passwords.check(stored, password + "x") == Checked(ok=False)
    assert passwords.hash(password) != stored


@pytest.mark.parametrize("password", ["", "short", "x" * (LONGEST_BYTES + 1), "é" * (LONGEST_BYTES // 2 + 1)])
def test_too_short_or_too_long_is_refused_and_not_shown(passwords: Passwords, password: str) -> None:
    with pytest.raises(InvalidError) as caught:
        passwords.hash(password)
    assert not password or password not in str(caught.value)
    assert not passwords.check(passwords.hash(GOOD), password).ok


@pytest.mark.parametrize("prefix", ["2a", "2b", "2y"])
def test_the_hash_of_the_original_is_taken_and_upgraded(passwords: Passwords, prefix: str) -> None:
    stored = bcrypt.hashpw(GOOD.encode(), bcrypt.gensalt(4)).decode().replace("$2b$", f"${prefix}$", 1)
    checked = passwords.check(stored, GOOD)
    assert checked.ok
    assert checked.upgraded is not None
    assert passwords.check(checked.upgraded, GOOD) == Checked(ok=True)
    assert passwords.check(stored, "another password") == Checked(ok=False)


def test_what_bcrypt_never_looked_at_is_not_made_a_part_of_the_password(passwords: Passwords) -> None:
    long = "p" * 80
    stored = bcrypt.hashpw(long.encode()[:72], bcrypt.gensalt(4)).decode()
    assert passwords.check(stored, long) == Checked(ok=True)
    assert passwords.check(stored, long[:72] + "other") == Checked(ok=True)
    assert not passwords.check(stored, "p" * 71).ok


def test_a_hash_of_lesser_cost_is_upgraded() -> None:
    stored = Passwords(CHEAP).hash(GOOD)
    checked = Passwords(PasswordHasher(time_cost=2, memory_cost=16, parallelism=1)).check(stored, GOOD)
    assert checked.ok
    assert checked.upgraded is not None
    assert "m=16,t=2" in checked.upgraded


def test_nobody_costs_a_check_too() -> None:
    hasher = Counting()
    passwords = Passwords(hasher)
    for stored in (None, "", "plain", "$argon2id$nonsense", "$argon2id$v=19$m=99999999,t=1,p=1$c2FsdHNhbHQ$aGFzaA"):
        before = hasher.checks
        assert passwords.check(stored, GOOD) == Checked(ok=False)
        assert hasher.checks == before + 1


@pytest.mark.parametrize(
    "stored",
    [
        "$2b$31$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy",  # would take weeks
        "$2b$00$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy",
        "$argon2id$v=19$m=4294967295,t=3,p=4$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA",  # 4 TiB
        "$argon2id$v=19$m=8,t=4294967295,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA",
    ],
)
def test_a_hash_that_costs_too_much_is_not_tried(passwords: Passwords, stored: str) -> None:
    assert passwords.check(stored, GOOD) == Checked(ok=False)


@given(stored=st.text(st.characters(exclude_categories=()), max_size=80), password=st.text())
def test_no_stored_text_is_an_error(passwords: Passwords, stored: str, password: str) -> None:
    assert not passwords.check(stored, password).ok


def test_another_password_does_not_fit_the_hash_of_the_original_folder(
    passwords: Passwords, original: ModuleType
) -> None:
    assert not passwords.check(original.user()["passwordHash"], GOOD).ok


def test_only_so_many_run_at_once() -> None:
    hasher = Counting()
    passwords = Passwords(hasher, at_once=2)
    stored = passwords.hash(GOOD)
    threads = [threading.Thread(target=passwords.check, args=(stored, GOOD)) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert hasher.checks == 16
    assert hasher.most <= 2


def test_no_hash_is_shown(passwords: Passwords) -> None:
    stored = bcrypt.hashpw(GOOD.encode(), bcrypt.gensalt(4)).decode()
    assert "argon2" not in repr(passwords.check(stored, GOOD))
