"""Accounts, sessions and tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from metadata.errors import InvalidError
from metadata.schemas.enums import Scope
from metadata.schemas.signin import AccessToken, Account, Session, VerificationToken

if TYPE_CHECKING:
    from types import ModuleType


def test_an_account_keeps_oauth_s_own_names(original: ModuleType) -> None:
    account = Account.from_record(original.account())
    assert account.expires_at == 1763805600
    assert account.provider_account_id == original.account()["providerAccountId"]
    assert account.replaced(scope="email").to_record() == original.account() | {"scope": "email"}
    assert {"refresh_token", "id_token", "session_state", "token_type"} <= {name for _, name in Account.members()}


def test_sessions_read_with_a_plain_or_a_hashed_token(original: ModuleType) -> None:
    for token in (original.session()["sessionToken"], "sha256:" + "0" * 64):
        session = Session.from_record(original.session() | {"sessionToken": token})
        assert session.session_token == token
        assert token not in repr(session)


def test_a_verification_token_has_no_id(original: ModuleType) -> None:
    token = VerificationToken.from_record(original.verification_token())
    assert token.to_record() == original.verification_token()
    assert token.token not in repr(token)


def test_an_access_token_has_a_scope_and_hides_its_hash(records: dict[str, list[dict[str, Any]]]) -> None:
    record = records["accessToken"][0]
    token = AccessToken.from_record(record)
    assert token.scope is Scope.WRITE
    assert token.token_hash not in repr(token)
    with pytest.raises(InvalidError) as caught:
        AccessToken.from_record(record | {"scope": "everything"})
    assert caught.value.details["field"] == "scope"
