"""What every repository does: typed records over raw documents, ids and times set here.

Written once for all backends. A repository checks types and keeps the rules of its entity; uniqueness, references and
versions are kept by the documents below it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar

from ..clock import Clock, SystemClock, parse_timestamp, timestamp
from ..documents.contract import ANY, Change, Documents, Expectation, Record, Stored, put
from ..errors import NotFoundError
from ..ids import Ids, RandomIds
from ..index.query import Query, Scalar
from ..references import removal
from ..schemas.base import Entity
from ..schemas.catalog import CATALOG, Kind

if TYPE_CHECKING:
    import builtins
    from collections.abc import Callable, Iterator, Mapping, Sequence

E = TypeVar("E", bound=Entity)


@dataclass(frozen=True, slots=True)
class Page(Generic[E]):
    """A page of records; `unreadable` counts those of the kind that lists have to leave out."""

    items: list[E]
    next_cursor: str | None
    total: int
    total_capped: bool
    unreadable: int


class Repository(Generic[E]):
    """Typed access to the records of one kind.

    Args:
        documents: where they live.
        clock: sets the timestamps.
        ids: makes the ids.
    """

    model: ClassVar[type[Entity]]

    def __init__(self, documents: Documents, *, clock: Clock | None = None, ids: Ids | None = None) -> None:
        self._documents = documents
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
        items = [self._entity(stored) for stored in found.items]
        return Page(items, found.next_cursor, found.total, found.total_capped, found.unreadable)

    def find_all(self) -> Iterator[E]:
        """Yield every readable record, oldest first as stored."""
        return (self._entity(stored) for stored in self._documents.scan(self.kind.name))

    def find_by_user_id(self, user_id: str) -> builtins.list[E]:
        """Return every record of a user."""
        return list(self.walk({}, owner=user_id))

    def walk(self, wanted: Mapping[str, Scalar | Sequence[str]], *, owner: str | None = None) -> Iterator[E]:
        """Yield every record that fits, page after page."""
        cursor: str | None = None
        while True:
            page = self.list(Query(filter=wanted, owner=owner, limit=500, cursor=cursor))
            yield from page.items
            cursor = page.next_cursor
            if cursor is None:
                return

    def create(self, **fields: object) -> E:
        """Store a new record; its id and timestamps are set here, whatever the caller gave.

        Raises:
            InvalidError: a member is missing, wrong or unknown, or refers to something absent.
            ConflictError: a unique value is taken.
        """
        record = self._new_record(fields)
        (stored,) = self._documents.apply([put(self.kind.name, record)])
        return self._entity(self._certain(stored))

    def edit(
        self, record_id: str, change: Callable[[E], E], *, if_match: str | None = None, owner: str | None = None
    ) -> E:
        """Change a record under its lock: `change` gets the current one and returns what it shall be.

        It may run more than once and must do nothing else. A record it leaves as it was is not written.

        Raises:
            NotFoundError: there is none, or it is not this owner's.
            StaleError: `if_match` is not its version.
            InvalidError, ConflictError: as `create`.
        """

        def edit(record: Record | None) -> Record:
            if record is None or not self._visible(Stored(self.kind.name, record_id, record, 0), owner):
                raise NotFoundError(f"There is no {self.kind.name} {record_id[:80]}.", object=record_id[:80])
            return self._edited(record, change)

        expect: Expectation = ANY if if_match is None else if_match
        (stored,) = self._documents.apply([Change(self.kind.name, record_id, edit, expect)])
        return self._entity(self._certain(stored))

    def delete(
        self, record_id: str, *, if_match: str | None = None, force: bool = False, owner: str | None = None
    ) -> bool:
        """Remove a record and settle what refers to it; False when there was none.

        Raises:
            ConflictError: it is still referred to, and the rule is to refuse.
            StaleError: `if_match` is not its version.
        """
        with self._documents.guard(exclusive=True):
            if self.find_by_id(record_id, owner=owner) is None:
                return False
            expect: Expectation = ANY if if_match is None else if_match
            self._documents.apply(removal(self._documents, self.kind.name, record_id, expect=expect, force=force))
            return True

    def _new_record(self, fields: Mapping[str, object]) -> Record:
        now = timestamp(self._clock.now())
        own = {"id": self._ids.new()} if "id" in self.kind.members else {}
        dates = {name: now for name in (self.kind.created, self.kind.updated) if name is not None}
        attributes = {attribute for attribute, name in self.model.members() if name in {*own, *dates}}
        given = {name: value for name, value in fields.items() if name not in {*own, *dates, *attributes}}
        return self.model.build({**given, **own, **dates}).to_record()

    def _edited(self, record: Record, change: Callable[[E], E]) -> Record:
        after: Record = change(self._typed(record)).to_record()
        for name in (*self.kind.key, *([self.kind.created] if self.kind.created else [])):
            if name in record:
                after[name] = record[name]
        if after == record or self.kind.updated is None:
            return after
        after[self.kind.updated] = self._later_than(record.get(self.kind.updated))
        return after

    def _later_than(self, before: object) -> str:
        """Return now, or a millisecond after the last change: every change has a time, and so a version, of its own."""
        now = self._clock.now()
        if isinstance(before, str):
            now = max(now, parse_timestamp(before) + timedelta(milliseconds=1))
        return timestamp(now)

    def _visible(self, stored: Stored, owner: str | None) -> bool:
        return owner is None or self.kind.owner is None or stored.body.get(self.kind.owner) == owner

    def _typed(self, record: Mapping[str, object], version: str = "") -> E:
        return self.model.from_record(record, version=version)  # type: ignore[return-value] # a subclass sets `model` to its E

    def _entity(self, stored: Stored) -> E:
        return self._typed(stored.body, stored.version)

    def _certain(self, stored: Stored | None) -> Stored:
        if stored is None:
            raise NotFoundError(f"The {self.kind.name} was removed at the same time.")
        return stored
