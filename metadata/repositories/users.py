"""Users: the first one, who owns what an application without sign-in keeps, and the others."""

from __future__ import annotations

from ..clock import timestamp
from ..documents.contract import put
from ..errors import NotFoundError
from ..schemas.users import User, first_user
from .base import Repository


class UsersRepository(Repository[User]):
    """The users; the first lives in `settings/general.json` and cannot be deleted."""

    model = User

    def first(self) -> User | None:
        """Return the first user, None in a folder that has none yet."""
        return next(iter(self.find_all()), None)

    def ensure_first(self) -> User:
        """Return the first user, making it and its chat settings in a folder that has none."""
        known = self.first()
        if known is not None:
            return known
        with self._documents.guard(exclusive=True):
            known = self.first()
            if known is None:
                user, settings = first_user(self._ids.new(), self._ids.new(), timestamp(self._clock.now()))
                self._documents.apply([put("user", user), put("chatSettings", settings)])
                known = self.first()
        if known is None:
            raise NotFoundError("The first user was removed while it was being made.")
        return known
