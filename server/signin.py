"""Signing in with an address and a password, and what belongs to it: sessions, and changing the password.

One answer for a wrong password, an unknown address and a user without a password, after the same time. Passwords, their
hashes and sessions' tokens are in no message and no `repr`.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from metadata.errors import CalotypeError, DeniedError, UnauthenticatedError

if TYPE_CHECKING:
    from metadata.clock import Clock
    from metadata.passwords import Passwords
    from metadata.repositories.sessions import SessionsRepository
    from metadata.repositories.users import UsersRepository
    from metadata.schemas.signin import Session
    from metadata.schemas.users import User

    from .throttle import Throttle

SESSION = timedelta(days=30)
"""How long a session lasts."""


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Somebody who signed in.

    Attributes:
        user: who it is.
        session: the record of the session.
        token: the session's text, which is kept nowhere.
    """

    user: User
    session: Session
    token: str = field(repr=False)


class SignIn:
    """Signs users in and out. Every method may block for as long as a password's check takes.

    Args:
        users: where users are known.
        sessions: where sessions are kept.
        passwords: hashes and checks.
        throttle: slows down who guesses.
        clock: the time.
    """

    def __init__(
        self,
        users: UsersRepository,
        sessions: SessionsRepository,
        passwords: Passwords,
        throttle: Throttle,
        clock: Clock,
    ) -> None:
        self._users = users
        self._sessions = sessions
        self._passwords = passwords
        self._throttle = throttle
        self._clock = clock

    def login(self, email: str, password: str, address: str) -> SignedIn:
        """Begin a session.

        Args:
            email: the user's address.
            password: as it was typed.
            address: where the request comes from, for the throttle.

        Raises:
            UnauthenticatedError: no user has this address and password.
            ThrottledError: too many attempts failed from there.
            DeniedError: the user has a second factor, which cannot be checked here.
        """
        user = self._users.find_by_email(email) or self._users.find_by_email(email.lower())
        self._prove(user, email, password, address)
        if user is None:
            raise _wrong()
        if user.totp is not None and user.totp.enabled:
            # A password alone must not be enough where its owner asked for more.
            raise DeniedError("This user signs in with a second factor, which this release cannot check. Use a token.")
        session, token = self._sessions.open(user.id, self._clock.now() + SESSION)
        return SignedIn(user, session, token)

    def logout(self, token: str) -> bool:
        """End a session; False when there was none of this token."""
        return self._sessions.delete_by_token(token)

    def session_of(self, token: str) -> tuple[Session, User] | None:
        """Return a session and its user; None when the token is unknown, its time over or its user gone."""
        session = self._sessions.find_by_token(token)
        user = None if session is None else self._users.find_by_id(session.user_id)
        return None if session is None or user is None else (session, user)

    def change_password(self, user_id: str, current: str, new: str, address: str, *, keep: str | None = None) -> None:
        """Change a password whose owner knows it, and end the user's other sessions.

        Args:
            user_id: whose.
            current: the password so far; not looked at when there is none.
            new: the one from now on.
            address: where the request comes from, for the throttle.
            keep: the id of the session that stays.

        Raises:
            UnauthenticatedError: `current` is not the password.
            ThrottledError: too many attempts failed from there.
            InvalidError: `new` is too short or too long.
            NotFoundError: there is no such user.
        """
        user = self._users.get(user_id)
        if user.password_hash is not None:
            self._prove(user, user.email, current, address)
        self.set_password(user_id, new, keep=keep)

    def set_password(self, user_id: str, new: str, *, keep: str | None = None) -> None:
        """Set a password without asking for the old one, as administrators do, and end the user's other sessions.

        Raises:
            InvalidError: it is too short or too long.
            NotFoundError: there is no such user.
        """
        hashed = self._passwords.hash(new)
        self._users.edit(user_id, lambda user: user.replaced(password_hash=hashed))
        for session in self._sessions.find_by_user_id(user_id):
            if session.id != keep:
                self._sessions.delete(session.id)

    def _prove(self, user: User | None, email: str, password: str, address: str) -> None:
        """Return when the password is the user's; otherwise raise, and remember that it was not."""
        self._throttle.admit(address, email)
        stored = None if user is None else user.password_hash
        checked = self._passwords.check(stored, password)
        if user is None or stored is None or not checked.ok:
            raise _wrong()
        self._throttle.succeeded(address, email)
        if checked.upgraded is not None:
            # A store that cannot be written can still be read: an upgrade that fails must not shut its user out.
            with suppress(CalotypeError):
                self._upgrade(user.id, stored, checked.upgraded)

    def _upgrade(self, user_id: str, stored: str, upgraded: str) -> None:
        def change(user: User) -> User:
            # Changed meanwhile, the password is another, and its hash stays.
            return user.replaced(password_hash=upgraded) if user.password_hash == stored else user

        self._users.edit(user_id, change)


def _wrong() -> UnauthenticatedError:
    return UnauthenticatedError("No user has this address and password.")
