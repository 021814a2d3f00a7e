"""Chat settings: one record a user, beside its user's."""

from __future__ import annotations

from ..errors import ConflictError, NotFoundError
from ..schemas.users import ChatSettings
from .base import Repository


class ChatSettingsRepository(Repository[ChatSettings]):
    """The chat settings of all users."""

    model = ChatSettings

    def of_user(self, user_id: str) -> ChatSettings:
        """Return a user's settings, making them where there are none, as in older data.

        Raises:
            NotFoundError: there is no such user.
        """
        known = self._known(user_id)
        if known is not None:
            return known
        if self._documents.get("user", user_id) is None:
            raise NotFoundError(f"There is no user {user_id[:80]}.", object=user_id[:80])
        try:
            return self.create(user_id=user_id)
        except ConflictError:
            # Another process made them between the look and the write.
            return self.of_user(user_id)

    def _known(self, user_id: str) -> ChatSettings | None:
        stored = self._documents.lookup("chatSettings", ("userId",), (user_id,))
        return None if stored is None else self._entity(stored)
