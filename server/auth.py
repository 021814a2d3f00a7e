"""Who is calling, and what they may do: access tokens, their scopes, and the owner whose records they see."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol

from metadata.errors import DeniedError, UnauthenticatedError
from metadata.schemas.enums import Scope, UserRole

if TYPE_CHECKING:
    from collections.abc import Mapping

    from metadata.schemas.signin import AccessToken, Session
    from metadata.schemas.users import User

_RANK: Mapping[str, int] = MappingProxyType({Scope.READ: 1, Scope.WRITE: 2, Scope.ADMIN: 3})
_ROLE_SCOPE: Mapping[str, Scope] = MappingProxyType({UserRole.ADMIN: Scope.ADMIN, UserRole.USER: Scope.WRITE})
_MAX_HEADER = 256


class Tokens(Protocol):
    """Where tokens are known."""

    def authenticate(self, secret: str) -> AccessToken | None:
        """Return the token's record; None when it is unknown, revoked or expired."""


class Sessions(Protocol):
    """Where sessions are known."""

    def session_of(self, token: str) -> tuple[Session, User] | None:
        """Return a session and its user; None when it is unknown or over."""


class Users(Protocol):
    """Where users are known."""

    def find_by_id(self, record_id: str, /) -> User | None:
        """Return a user; None when there is none."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody who may call.

    Attributes:
        user_id: in whose name new records are made.
        scope: what they may do.
        token: the access token they showed; None where they showed another thing, or nobody is asked.
        session: the session whose token they showed.
    """

    user_id: str
    scope: Scope
    token: AccessToken | None = None
    session: Session | None = None

    @property
    def admin(self) -> bool:
        """Whether everything is theirs."""
        return self.scope is Scope.ADMIN

    @property
    def owner(self) -> str | None:
        """The user whose records they see; None: everybody's."""
        return None if self.admin else self.user_id

    def may(self, scope: Scope) -> bool:
        """Tell whether their scope includes another."""
        return includes(self.scope, scope)

    def require(self, scope: Scope) -> None:
        """Return when they may do what needs this scope.

        Raises:
            DeniedError: they may not.
        """
        if not self.may(scope):
            raise DeniedError(
                f"This needs a token of scope {scope.value}; yours is {self.scope.value}."
                f" `calotype token create --scope {scope.value}` makes one on the server's machine.",
                scope=scope.value,
                actual=self.scope.value,
            )


class Authenticator:
    """Finds out who is calling from the Authorization header.

    Args:
        tokens: where tokens are known.
        users: where their users are known.
        sessions: where those are known who signed in.
        first: the first user; requests act as this one, as an administrator, where nobody is asked.
        required: whether callers are asked who they are.
    """

    def __init__(self, tokens: Tokens, users: Users, sessions: Sessions, first: User, *, required: bool) -> None:
        self._tokens = tokens
        self._users = users
        self._sessions = sessions
        self._first = first
        self._required = required

    def caller(self, authorization: str | None) -> Caller | None:
        """Return who is calling; None when no credentials were shown and some are needed. Blocking.

        Raises:
            UnauthenticatedError: the credentials are wrong, expired or revoked.
        """
        if not self._required:
            return Caller(self._first.id, Scope.ADMIN)
        if authorization is None:
            return None
        secret = _bearer(authorization)
        token = self._tokens.authenticate(secret)
        if token is None:
            return self._signed_in(secret)
        user = self._users.find_by_id(token.user_id)
        if user is None:
            raise UnauthenticatedError("This access token is unknown, expired or revoked.")
        return Caller(user.id, self.lesser(token.scope, self.most_of(user)), token)

    def _signed_in(self, secret: str) -> Caller:
        found = self._sessions.session_of(secret)
        if found is None:
            raise UnauthenticatedError("This access token or session is unknown, expired or ended.")
        session, user = found
        return Caller(user.id, self.most_of(user), session=session)

    def most_of(self, user: User) -> Scope:
        """Return the widest scope that a user's role allows; without a role the first user is an administrator."""
        role = user.role or (UserRole.ADMIN if user.id == self._first.id else UserRole.USER)
        return _ROLE_SCOPE[role]

    @staticmethod
    def lesser(one: Scope, other: Scope) -> Scope:
        """Return the narrower of two scopes."""
        return one if includes(other, one) else other


def includes(scope: Scope, needed: Scope) -> bool:
    """Tell whether a scope includes another."""
    return _RANK[scope] >= _RANK[needed]


def _bearer(authorization: str) -> str:
    scheme, _, secret = authorization.strip().partition(" ")
    if scheme.lower() != "bearer" or not secret or len(secret) > _MAX_HEADER or not secret.isascii():
        raise UnauthenticatedError("Send the access token as `Authorization: Bearer calo_…`.")
    return secret.strip()
