"""Users: the first one, who owns what an application without sign-in keeps, and the others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..documents.contract import Change, Record, put
from ..errors import ConflictError
from ..schemas.users import ChatSettings, User
from .backing import ensure_first, first_of
from .base import Repository
from .chat_settings import ChatSettingsRepository

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..documents.contract import Stored


class UsersRepository(Repository[User]):
    """The users; the first lives in `settings/general.json` and cannot be deleted.

    A new user gets chat settings of its own in the same operation, and takes them along when it goes.
    """

    model = User

    def first(self) -> User | None:
        """Return the first user, None in a folder that has none yet."""
        stored = first_of(self._documents)
        return None if stored is None else self._entity(stored)

    def ensure_first(self) -> User:
        """Return the first user, making it and its chat settings in a folder that has none."""
        return self._entity(ensure_first(self._documents, self._clock, self._ids))

    def find_by_email(self, email: str) -> User | None:
        """Return the user with this address, None when there is none."""
        stored = self._documents.lookup("user", ("email",), (email,))
        return None if stored is None else self._entity(stored)

    def edit_with_settings(
        self,
        user_id: str,
        change: Callable[[User], User],
        change_settings: Callable[[ChatSettings], ChatSettings],
        *,
        if_match: tuple[str, str] | None = None,
    ) -> tuple[User, ChatSettings]:
        """Change a user and its chat settings in one operation: both or neither.

        Args:
            user_id: the user.
            change: from the current user to what it shall be.
            change_settings: the same for the chat settings.
            if_match: the versions that must be current, the user's and the settings'.

        Raises:
            NotFoundError, StaleError, InvalidError, ConflictError: as `edit`.
        """
        settings = ChatSettingsRepository(self._documents, clock=self._clock, ids=self._ids)
        chosen = settings.of_user(user_id)
        expected = if_match or (None, None)
        self._documents.apply(
            [
                self.edit_step(user_id, change, if_match=expected[0]),
                settings.edit_step(chosen.id, change_settings, if_match=expected[1]),
            ]
        )
        return self.get(user_id), settings.get(chosen.id)

    def delete(
        self, record_id: str, *, if_match: str | None = None, force: bool = False, owner: str | None = None
    ) -> bool:
        """Remove a user, and with `force` all that it owns; False when there is none.

        Its accounts, sessions, access tokens and chat settings go in either case.

        Raises:
            ConflictError: it is the first user, or it owns records and `force` is not set; `referrers` lists some.
            StaleError: `if_match` is not its version.
        """
        with self._documents.guard(exclusive=True):
            first = first_of(self._documents)
            if first is not None and first.key == record_id:
                raise ConflictError("The first user owns the store and cannot be deleted.", existing=record_id)
            return super().delete(record_id, if_match=if_match, force=force, owner=owner)

    def _alone(self, before: Record | None, after: Record) -> bool:
        del after
        return before is not None

    def _along(self, before: Record | None, after: Record) -> list[Change]:
        if before is not None:
            return []
        dates = {"created_at": after["createdAt"], "updated_at": after["updatedAt"]}
        settings = ChatSettings.build({"id": self._ids.new(), "user_id": after["id"], **dates})
        return [put("chatSettings", settings.to_record())]

    def _visible(self, stored: Stored, owner: str | None) -> bool:
        return owner is None or stored.key == owner
