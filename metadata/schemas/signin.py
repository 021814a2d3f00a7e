"""What signing in leaves behind: OAuth accounts, sessions, verification tokens, and our own access tokens."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from .base import Dated, Declaration, Entity
from .enums import Scope
from .fields import Filter, Id, NotRef, Number, OnDelete, Ref, Searched, Secret, Text, Timestamp
from .homes import InArray, Lines

_OwnUser = Annotated[Id, Ref("user", OnDelete.CASCADE), Filter()]
_Scope = Annotated[Scope, Filter()]


class Account(Entity):
    """A user's account at another site; OAuth's own members keep OAuth's own names."""

    declaration = Declaration(
        name="account",
        home=InArray("auth/accounts.json", "accounts", bare_array_ok=True),
        uniques=(("provider", "providerAccountId"),),
        collection="accounts",
        mentions=False,
    )

    id: Id
    user_id: _OwnUser
    type: Annotated[Text, Filter()]
    provider: Annotated[Text, Filter()]
    provider_account_id: Annotated[Text, NotRef("an id at the other site"), Filter()]
    refresh_token: Secret | None = Field(default=None, alias="refresh_token")
    access_token: Secret | None = Field(default=None, alias="access_token")
    expires_at: Number | None = Field(default=None, alias="expires_at")
    token_type: Text | None = Field(default=None, alias="token_type")
    scope: Text | None = None
    id_token: Secret | None = Field(default=None, alias="id_token")
    session_state: Secret | None = Field(default=None, alias="session_state")


class Session(Entity):
    """A signed-in browser.

    Attributes:
        session_token: `sha256:<hex>` of the token; the token itself in the original's data.
    """

    declaration = Declaration(
        name="session",
        home=Lines("auth/sessions.jsonl"),
        uniques=(("sessionToken",),),
        collection="sessions",
        mentions=False,
    )

    id: Id
    session_token: Secret
    user_id: _OwnUser
    expires: Annotated[Timestamp, Filter()]


class VerificationToken(Entity):
    """A token sent to an address to prove that it is read there; used once."""

    declaration = Declaration(
        name="verificationToken",
        home=Lines("auth/verification-tokens.jsonl"),
        key=("identifier", "token"),
        owner=None,
        collection="verification-tokens",
        mentions=False,
    )

    identifier: Annotated[Text, Filter()]
    token: Secret
    expires: Annotated[Timestamp, Filter()]


class AccessToken(Dated):
    """A bearer token for programs.

    Attributes:
        name: what its user calls it.
        scope: never more than the user's role allows.
        token_hash: the SHA-256 of the token as hex; the token itself is shown once and kept nowhere.
        expires_at: absent: never.
        last_used_at: written at most hourly.
    """

    declaration = Declaration(
        name="accessToken",
        home=Lines("auth/access-tokens.jsonl"),
        uniques=(("tokenHash",),),
        collection="tokens",
        mentions=False,
    )

    id: Id
    user_id: _OwnUser
    name: Annotated[Text, Searched(4), Filter()]
    scope: _Scope
    token_hash: Secret
    expires_at: Annotated[Timestamp | None, Filter()] = None
    last_used_at: Annotated[Timestamp | None, Filter()] = None
