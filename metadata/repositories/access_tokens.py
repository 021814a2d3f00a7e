"""Access tokens: random, shown once, kept as a hash, scoped, revocable, each one user's."""

from __future__ import annotations

import hashlib
import secrets
from contextlib import suppress
from datetime import datetime, timedelta

from ..clock import parse_timestamp, timestamp
from ..documents.contract import Change, Record
from ..errors import CalotypeError
from ..schemas.signin import AccessToken
from .base import Repository

PREFIX = "calo_"
SECRET_BYTES = 32
USE_NOTED_EVERY = timedelta(hours=1)
"""How often a token's last use is written; more often would make every request a write."""


def hash_of(secret: str) -> str:
    """Return what is kept of a token: the SHA-256 of its text. It is random, so no slow hash is needed."""
    return hashlib.sha256(secret.encode(errors="surrogatepass")).hexdigest()


class AccessTokensRepository(Repository[AccessToken]):
    """The access tokens of all users."""

    model = AccessToken

    def issue(
        self, user_id: str, name: str, scope: str, *, expires_at: datetime | None = None
    ) -> tuple[AccessToken, str]:
        """Make a token; return its record and its text, which is kept nowhere.

        Raises:
            InvalidError: the scope is none of read, write, admin.
        """
        secret = PREFIX + secrets.token_urlsafe(SECRET_BYTES)
        expiry = {} if expires_at is None else {"expires_at": timestamp(expires_at)}
        fields = {"user_id": user_id, "name": name, "scope": scope, "token_hash": hash_of(secret)}
        return self.create(**fields, **expiry), secret

    def authenticate(self, secret: str) -> AccessToken | None:
        """Return the token's record; None when it is unknown, revoked or expired.

        The look-up is by hash in an index, so its time tells nothing of the text.
        """
        if not secret.startswith(PREFIX):
            return None
        stored = self._documents.lookup("accessToken", ("tokenHash",), (hash_of(secret),))
        if stored is None:
            return None
        token = self._entity(stored)
        now = self._clock.now()
        if token.expires_at is not None and parse_timestamp(token.expires_at) <= now:
            return None
        if token.last_used_at is None or now - parse_timestamp(token.last_used_at) >= USE_NOTED_EVERY:
            # A store that cannot be written can still be read: a note that fails must not shut its reader out.
            with suppress(CalotypeError):
                self._note_use(token.id, timestamp(now))
        return token

    def revoke(self, token_id: str, *, owner: str | None = None) -> bool:
        """Make a token useless from the next request on; False when there is none of this id."""
        return self.delete(token_id, owner=owner)

    def _note_use(self, token_id: str, now: str) -> None:
        def edit(record: Record | None) -> Record | None:
            return None if record is None else {**record, "lastUsedAt": now}

        self._documents.apply([Change("accessToken", token_id, edit, trusting=True)])
