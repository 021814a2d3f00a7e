"""Access tokens: shown once, kept as a hash, refused when they should be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from metadata.errors import FullError, InvalidError
from metadata.repositories.access_tokens import AccessTokensRepository, hash_of

if TYPE_CHECKING:
    from types import ModuleType

    from metadata.documents.memory import MemoryDocuments


@pytest.fixture
def tokens(documents: MemoryDocuments, clock: Any) -> AccessTokensRepository:
    return AccessTokensRepository(documents, clock=clock)


def test_a_token_lets_its_holder_in_and_is_kept_nowhere(
    tokens: AccessTokensRepository, documents: MemoryDocuments, make: ModuleType
) -> None:
    token, secret = tokens.issue(make.USER, "laptop", "write")
    assert secret.startswith("calo_")
    assert len(secret) == 48
    found = tokens.authenticate(secret)
    assert found is not None
    assert (found.id, found.scope) == (token.id, "write")
    (stored,) = documents.scan("accessToken")
    assert secret not in repr(stored.body)
    assert stored.body["tokenHash"] == hash_of(secret)


@pytest.mark.parametrize("text", ["", "calo_", "calo_" + "A" * 43, "Bearer", "calo_\udcff", "calo_é"])
def test_what_is_no_token_lets_nobody_in(tokens: AccessTokensRepository, make: ModuleType, text: str) -> None:
    _, secret = tokens.issue(make.USER, "laptop", "write")
    assert tokens.authenticate(text) is None
    assert tokens.authenticate(secret.upper()) is None
    assert tokens.authenticate(secret + " ") is None
    assert tokens.authenticate(secret[5:]) is None


def test_an_expired_and_a_revoked_one_let_nobody_in(
    tokens: AccessTokensRepository, make: ModuleType, clock: Any
) -> None:
    token, secret = tokens.issue(make.USER, "a", "read")
    clock_end = clock.now()
    clock.go(hours=-1)
    _, short = tokens.issue(make.USER, "b", "read", expires_at=clock_end)
    assert tokens.authenticate(short) is not None
    clock.go(hours=1)
    assert tokens.authenticate(short) is None
    assert tokens.authenticate(secret) is not None
    assert tokens.revoke(token.id, owner=make.OTHER) is False
    assert tokens.revoke(token.id) is True
    assert tokens.authenticate(secret) is None
    assert tokens.revoke(token.id) is False


def test_the_last_use_is_noted_once_an_hour(tokens: AccessTokensRepository, make: ModuleType, clock: Any) -> None:
    token, secret = tokens.issue(make.USER, "a", "read")
    noted = []
    for minutes in (0, 30, 31, 59, 60):
        clock.go(minutes=minutes)
        tokens.authenticate(secret)
        noted.append(tokens.get(token.id).last_used_at)
    assert noted[0] == noted[1]
    assert noted[1] != noted[2] == noted[3]
    assert noted[4] != noted[3]


def test_who_cannot_be_noted_gets_in_all_the_same(
    tokens: AccessTokensRepository, make: ModuleType, documents: MemoryDocuments, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, secret = tokens.issue(make.USER, "a", "read")

    def full(*_: object) -> None:
        raise FullError("No room.")

    monkeypatch.setattr(documents, "apply", full)
    assert tokens.authenticate(secret) is not None


def test_a_scope_that_there_is_not(tokens: AccessTokensRepository, make: ModuleType) -> None:
    with pytest.raises(InvalidError):
        tokens.issue(make.USER, "a", "root")
