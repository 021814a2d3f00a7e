"""Sessions of signed-in browsers: kept by the hash of their token, for a time.

`sessionToken` on disk is `sha256:<hex>`. The original wrote tokens as they are: such a one is accepted, and written as
its hash when it is first shown here.
"""

from __future__ import annotations

import hashlib
import secrets
from contextlib import suppress
from typing import TYPE_CHECKING

from ..clock import parse_timestamp, timestamp
from ..documents.contract import Change, Record
from ..errors import CalotypeError
from ..schemas.signin import Session
from .base import Repository

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from ..documents.contract import Stored

_RULE = ("sessionToken",)
_HASHED = "sha256:"
_TOKEN_BYTES = 32


def kept_form(token: str) -> str:
    """Return what is kept of a session's token. It is random, so no slow hash is needed."""
    return _HASHED + hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


class SessionsRepository(Repository[Session]):
    """The sessions of all users."""

    model = Session

    def open(self, user_id: str, expires: datetime, *, token: str | None = None) -> tuple[Session, str]:
        """Begin a session; return it and its token, which is kept nowhere.

        Args:
            user_id: who signed in.
            expires: when it ends.
            token: the token of an application that makes its own; None makes one.
        """
        token = token or secrets.token_urlsafe(_TOKEN_BYTES)
        return self.create(user_id=user_id, session_token=token, expires=timestamp(expires)), token

    def find_by_token(self, token: str) -> Session | None:
        """Return the session of a token; None when there is none or its time is over."""
        stored = self._stored(token)
        if stored is None:
            return None
        session = self._entity(stored)
        return None if parse_timestamp(session.expires) <= self._clock.now() else session

    def prolong(self, token: str, expires: datetime) -> Session | None:
        """Let a session end at another time; None when there is none or its time is over."""
        found = self.find_by_token(token)
        if found is None:
            return None
        return self.edit(found.id, lambda session: session.replaced(expires=timestamp(expires)))

    def delete_by_token(self, token: str) -> bool:
        """End a session; False when there is none of this token."""
        stored = self._stored(token)
        return stored is not None and self.delete(stored.key)

    def delete_by_user_id(self, user_id: str) -> int:
        """End all sessions of a user; return how many there were."""
        return sum(self.delete(session.id) for session in self.find_by_user_id(user_id))

    def delete_expired(self) -> int:
        """Remove the sessions whose time is over; return how many there were."""
        now = self._clock.now()
        over = [session.id for session in self.find_all() if parse_timestamp(session.expires) <= now]
        return sum(self.delete(session_id) for session_id in over)

    def _new_record(self, fields: Mapping[str, object]) -> Record:
        record = super()._new_record(fields)
        return {**record, "sessionToken": kept_form(str(record["sessionToken"]))}

    def _stored(self, token: str) -> Stored | None:
        """Look a token up by its hash, in an index, so the time it takes tells nothing of it."""
        stored = self._documents.lookup("session", _RULE, (kept_form(token),))
        if stored is not None or token.startswith(_HASHED):
            # Shown as it lies on disk it is no token: whoever can read the file must not be able to sign in with it.
            return stored
        plain = self._documents.lookup("session", _RULE, (token,))
        if plain is not None:
            # A store that cannot be written can still be read: an upgrade that fails must not sign its user out.
            with suppress(CalotypeError):
                self._documents.apply([Change("session", plain.key, _hashed, trusting=True)])
        return plain


def _hashed(record: Record | None) -> Record | None:
    if record is None or str(record.get("sessionToken")).startswith(_HASHED):
        return record
    return {**record, "sessionToken": kept_form(str(record["sessionToken"]))}
