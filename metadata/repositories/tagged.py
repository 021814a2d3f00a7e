"""What all records that carry tags have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar, cast

from ..errors import InvalidError
from ..index.query import Query
from ..schemas.base import Entity
from .backing import ensure_first
from .base import Repository
from .tags import TagsRepository, looks_like_an_id

if TYPE_CHECKING:
    from .reading import Page


class _Tagged(Protocol):
    tags: list[str]


E = TypeVar("E", bound=Entity)


class TaggedRepository(Repository[E]):
    """Records with a `tags` list; a tag is given by its id, or by its name whatever its letter case."""

    def find_by_tag(self, tag: str, *, owner: str | None = None) -> list[E]:
        """Return every record that carries a tag; by name the owner's tag, or the first user's."""
        tag_id = self._tag_id(tag, owner)
        return [] if tag_id is None else list(self.walk({"tags": [tag_id]}, owner=owner))

    def list_by_tag(self, tag_id: str, query: Query | None = None) -> Page[E]:
        """Return a page of the records that carry a tag."""
        asked = query or Query()
        return self.list(
            Query({**asked.filter, "tags": [tag_id]}, asked.owner, asked.sort, asked.q, asked.limit, asked.cursor)
        )

    def add_tag(self, record_id: str, tag: str, *, owner: str | None = None) -> E:
        """Put a tag on a record; a name that its owner has no tag of becomes one. Again is no error.

        Raises:
            NotFoundError: there is no such record.
            InvalidError: there is no tag of this id.
        """
        user = getattr(self.get(record_id, owner=owner), "user_id", None)
        (tag_id,) = TagsRepository(self._documents, clock=self._clock, ids=self._ids).resolve(str(user), [tag])

        def change(record: E) -> E:
            tags = cast("_Tagged", record).tags
            return record if tag_id in tags else record.replaced(tags=[*tags, tag_id])

        return self.edit(record_id, change, owner=owner)

    def remove_tag(self, record_id: str, tag: str, *, owner: str | None = None) -> E:
        """Take a tag off a record; one that is not there is no error.

        Raises:
            NotFoundError: there is no such record.
        """
        user = getattr(self.get(record_id, owner=owner), "user_id", None)
        tag_id = self._tag_id(tag, None if user is None else str(user))

        def change(record: E) -> E:
            tags = cast("_Tagged", record).tags
            return record if tag_id not in tags else record.replaced(tags=[kept for kept in tags if kept != tag_id])

        return self.edit(record_id, change, owner=owner)

    def _tag_id(self, tag: str, owner: str | None) -> str | None:
        if looks_like_an_id(tag):
            return tag
        if not tag:
            raise InvalidError("A tag has a name or an id.", field="tags")
        user = owner or ensure_first(self._documents, self._clock, self._ids).key
        found = TagsRepository(self._documents).find_by_name(user, tag)
        return None if found is None else found.id
