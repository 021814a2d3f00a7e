"""What connection profiles and image profiles have in common: one default a user at most."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, TypeVar

from ..documents.contract import Change, Record
from ..index.query import MAX_LIMIT, Query
from ..schemas.profiles import Profile
from .tagged import TaggedRepository

if TYPE_CHECKING:
    from .links import Dating

P = TypeVar("P", bound=Profile)


class ProfilesRepository(TaggedRepository[P]):
    """Profiles of one kind; who becomes the default takes that from the one that was it, in one operation."""

    def find_default(self, user_id: str) -> P | None:
        """Return a user's default profile, None when there is none."""
        page = self.list(Query(filter={"isDefault": True}, owner=user_id, limit=1))
        return page.items[0] if page.items else None

    def set_default(self, profile_id: str, *, owner: str | None = None) -> P:
        """Make a profile its user's default.

        Raises:
            NotFoundError: there is no such profile.
        """
        return self.edit(profile_id, lambda found: found.replaced(is_default=True), owner=owner)

    def find_by_name(self, user_id: str, name: str) -> list[P]:
        """Return a user's profiles of this name; image profiles have names of their own, connections may share one."""
        return list(self.walk({"name": name}, owner=user_id))

    def _alone(self, before: Record | None, after: Record) -> bool:
        was = before is not None and before.get("isDefault") is True and before.get("userId") == after.get("userId")
        return was or after.get("isDefault") is not True

    def _along(self, before: Record | None, after: Record) -> list[Change]:
        del before
        query = Query(filter={"isDefault": True}, owner=str(after["userId"]), limit=MAX_LIMIT)
        others = [found.key for found in self._documents.find(self.kind.name, query).items if found.key != after["id"]]
        return [Change(self.kind.name, key, partial(_no_default, self._later_than)) for key in others]


def _no_default(date: Dating, record: Record | None) -> Record | None:
    if record is None:
        return None
    return {**record, "isDefault": False, "updatedAt": date(record.get("updatedAt"))}
