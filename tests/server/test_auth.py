"""Who is calling, and what they may do."""

from __future__ import annotations

import pytest

from metadata.errors import DeniedError, UnauthenticatedError
from metadata.schemas.enums import Scope
from metadata.schemas.signin import AccessToken, Session
from metadata.schemas.users import User
from server.auth import Authenticator, Caller, includes

DATES = {"createdAt": "2026-01-01T00:00:00.000Z", "updatedAt": "2026-01-01T00:00:00.000Z"}
FIRST = "11111111-1111-4111-8111-111111111111"
SECOND = "22222222-2222-4222-8222-222222222222"
GONE = "33333333-3333-4333-8333-333333333333"


def user(user_id: str, **more: str) -> User:
    return User.from_record({"id": user_id, "email": f"{user_id}@example.org", **DATES, **more})


class Tokens:
    """Tokens whose text is `<user>/<scope>`."""

    def authenticate(self, secret: str) -> AccessToken | None:
        """Read the text."""
        owner, _, scope = secret.partition("/")
        if not scope:
            return None
        record = {"id": FIRST, "userId": owner, "name": "", "scope": scope, "tokenHash": "", **DATES}
        return AccessToken.from_record(record)


class Users:
    """The first, without a role, and another of a role."""

    def __init__(self, **second: str) -> None:
        self.second = second

    def find_by_id(self, record_id: str) -> User | None:
        """Return one of the two."""
        return {FIRST: user(FIRST), SECOND: user(SECOND, **self.second)}.get(record_id)


class Sessions:
    """Sessions whose token is `session:` and their user."""

    def __init__(self, users: Users) -> None:
        self.users = users

    def session_of(self, token: str) -> tuple[Session, User] | None:
        """Read the text."""
        found = self.users.find_by_id(token.removeprefix("session:"))
        record = {"id": FIRST, "sessionToken": "x", "userId": SECOND, "expires": DATES["createdAt"]}
        return None if found is None else (Session.from_record(record), found)


def caller(header: str | None, role: dict[str, str] | None = None, *, required: bool = True) -> Caller | None:
    users = Users(**(role or {}))
    return Authenticator(Tokens(), users, Sessions(users), user(FIRST), required=required).caller(header)


def known(header: str, **role: str) -> Caller:
    found = caller(header, role)
    assert found is not None
    return found


def test_a_token_gives_its_user_and_its_scope() -> None:
    found = known(f"Bearer {SECOND}/read")
    assert (found.user_id, found.scope, found.owner, found.admin) == (SECOND, Scope.READ, SECOND, False)
    assert found.token is not None


def test_a_session_gives_its_user_and_all_that_the_role_allows() -> None:
    found = known(f"Bearer session:{SECOND}")
    assert (found.user_id, found.scope, found.token, found.session is None) == (SECOND, Scope.WRITE, None, False)
    assert known(f"Bearer session:{SECOND}", _role="admin").admin
    with pytest.raises(UnauthenticatedError):
        known(f"Bearer session:{GONE}")


@pytest.mark.parametrize("header", [f"bearer {FIRST}/admin", f"  BEARER   {FIRST}/admin "])
def test_the_scheme_is_read_in_any_case(header: str) -> None:
    assert known(header).admin


def test_an_admin_sees_everybodys_records() -> None:
    assert known(f"Bearer {FIRST}/admin").owner is None


def test_a_token_never_exceeds_its_user() -> None:
    assert known(f"Bearer {SECOND}/admin").scope is Scope.WRITE
    assert known(f"Bearer {SECOND}/admin", _role="user").scope is Scope.WRITE
    assert known(f"Bearer {SECOND}/admin", _role="admin").scope is Scope.ADMIN
    assert known(f"Bearer {SECOND}/read", _role="admin").scope is Scope.READ


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer ", f"Basic {FIRST}/admin", "Bearer nonsense", f"Bearer {GONE}/admin", "Bearer é/read"],
)
def test_wrong_credentials_are_refused(header: str) -> None:
    with pytest.raises(UnauthenticatedError):
        caller(header)


def test_no_credentials_are_nobody() -> None:
    assert caller(None) is None


@pytest.mark.parametrize("header", [None, "Bearer nonsense"])
def test_where_nobody_is_asked_everybody_is_the_first_user(header: str | None) -> None:
    found = caller(header, required=False)
    assert found is not None
    assert (found.user_id, found.admin, found.token) == (FIRST, True, None)


def test_scopes_include_the_smaller_ones() -> None:
    order = [Scope.READ, Scope.WRITE, Scope.ADMIN]
    for mine in order:
        for needed in order:
            assert includes(mine, needed) is (order.index(mine) >= order.index(needed))
    Caller(FIRST, Scope.WRITE).require(Scope.WRITE)
    with pytest.raises(DeniedError, match="scope admin; yours is write"):
        Caller(FIRST, Scope.WRITE).require(Scope.ADMIN)
