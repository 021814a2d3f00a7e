"""Accounts at other sites, for applications that sign their users in there."""

from __future__ import annotations

from ..schemas.signin import Account
from .base import Repository

_RULE = ("provider", "providerAccountId")


class AccountsRepository(Repository[Account]):
    """The accounts of all users; one of a site belongs to one user."""

    model = Account

    def find_by_provider(self, provider: str, provider_account_id: str) -> Account | None:
        """Return the account of this id at a site, None when nobody has it."""
        stored = self._documents.lookup("account", _RULE, (provider, provider_account_id))
        return None if stored is None else self._entity(stored)

    def link(self, user_id: str, provider: str, provider_account_id: str, **fields: object) -> Account:
        """Give a user an account at a site.

        Raises:
            ConflictError: somebody has it already.
            InvalidError: a member is missing, wrong or unknown.
        """
        named = {"provider": provider, "provider_account_id": provider_account_id}
        return self.create(**{"type": "oauth", **fields, **named, "user_id": user_id})

    def unlink(self, provider: str, provider_account_id: str) -> bool:
        """Take an account away from whoever has it; False when nobody has."""
        found = self.find_by_provider(provider, provider_account_id)
        return found is not None and self.delete(found.id)
