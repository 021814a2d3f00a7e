"""Reading typed records: one, a page, all of a user; the same for every kind and backend."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar

from ..clock import Clock, SystemClock
from ..documents.contract import version_of
from ..errors import InvalidError, NotFoundError, UnreadableError
from ..ids import Ids, RandomIds
from ..index.query import MAX_LIMIT, Query
from ..schemas.base import Entity
from ..schemas.catalog import CATALOG, Kind
from .backing import documents_of

if TYPE_CHECKING:
    import builtins
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from ..documents.contract import Documents, Stored
    from ..index.clauses import Scalar
    from ..store import JsonStore

E = TypeVar("E", bound=Entity)


@dataclass(frozen=True, slots=True)
class Page(Generic[E]):
    """A page of records; `unreadable` counts those of the kind that lists have to leave out."""

    items: list[E]
    next_cursor: str | None
    total: int
    total_capped: bool
    unreadable: int


class Reader(Generic[E]):
    """Typed reading of the records of one kind.

    Args:
        documents: where they live, or the store of a data folder.
        clock: sets the timestamps.
        ids: makes the ids.
    """

    model: ClassVar[type[Entity]]

    def __init__(self, documents: Documents | JsonStore, *, clock: Clock | None = None, ids: Ids | None = None) -> None:
        self._documents = documents_of(documents)
        self._clock = clock or SystemClock()
        self._ids = ids or RandomIds()

    @property
    def kind(self) -> Kind:
        """The catalog's description of these records."""
        return CATALOG[self.model.declaration.name]

    def find_by_id(self, record_id: str, *, owner: str | None = None) -> E | None:
        """Return a record, None when there is none or it is not this owner's.

        Raises:
            UnreadableError: it is there but cannot be read.
        """
        if not record_id.isascii():
            return None  # ids are; and text that no file could hold must not reach one
        stored = self._documents.get(self.kind.name, record_id)
        return None if stored is None or not self._visible(stored, owner) else self._entity(stored)

    def get(self, record_id: str, *, owner: str | None = None) -> E:
        """Return a record.

        Raises:
            NotFoundError: there is none, or it is not this owner's.
            UnreadableError: it is there but cannot be read.
        """
        found = self.find_by_id(record_id, owner=owner)
        if found is None:
            raise NotFoundError(f"There is no {self.kind.name} {record_id[:80]}.", object=record_id[:80])
        return found

    def list(self, query: Query | None = None) -> Page[E]:
        """Return a page of records, by default the oldest fifty.

        Raises:
            InvalidError: the query names an unknown field, or its cursor or limit is not sound.
        """
        found = self._documents.find(self.kind.name, query or Query())
        items = [entity for stored in found.items if (entity := self._understood(stored)) is not None]
        unreadable = found.unreadable + len(found.items) - len(items)
        return Page(items, found.next_cursor, found.total, found.total_capped, unreadable)

    def find_all(self) -> Iterator[E]:
        """Yield every readable record, oldest first as stored."""
        found = (self._understood(stored) for stored in self._documents.scan(self.kind.name))
        return (entity for entity in found if entity is not None)

    def find_by_user_id(self, user_id: str) -> builtins.list[E]:
        """Return every record of a user."""
        return list(self.walk({}, owner=user_id))

    def walk(self, wanted: Mapping[str, Scalar | Sequence[str]], *, owner: str | None = None) -> Iterator[E]:
        """Yield every record that fits, page after page."""
        cursor: str | None = None
        while True:
            page = self.list(Query(filter=wanted, owner=owner, limit=MAX_LIMIT, cursor=cursor))
            yield from page.items
            cursor = page.next_cursor
            if cursor is None:
                return

    def _visible(self, stored: Stored, owner: str | None) -> bool:
        return owner is None or self.kind.owner is None or stored.body.get(self.kind.owner) == owner

    def _typed(self, record: Mapping[str, object], version: str | Callable[[], str] = "") -> E:
        return self.model.from_record(record, version=version)  # type: ignore[return-value] # a subclass sets `model` to its E

    def _entity(self, stored: Stored) -> E:
        try:
            return self._typed(stored.body, partial(version_of, stored.kind, stored.body))
        except InvalidError as error:  # written by somebody who does not ask the schemas
            raise UnreadableError(
                f"The {self.kind.name} {stored.key} makes no sense: {error}", id=stored.key
            ) from error

    def _understood(self, stored: Stored) -> E | None:
        try:
            return self._entity(stored)
        except UnreadableError:
            return None
