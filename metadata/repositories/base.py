"""What every repository does: typed records over raw documents, ids and times set here.

Written once for all backends. A repository checks types and keeps the rules of its entity; uniqueness, references and
versions are kept by the documents below it. A rule that touches other records (both sides of a link, one default per
user) is kept by `_along`: what it returns is changed in the same operation, with the gate held exclusively.
"""

from __future__ import annotations

import builtins
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, TypeVar, cast

from ..clock import parse_timestamp, timestamp
from ..documents.contract import ANY, Change, Expectation, Record, Stored, key_of, put, same
from ..errors import CalotypeError, NotFoundError
from ..references import remove
from .backing import ensure_first
from .reading import E, Page, Reader

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

KEY_ID = "_keyId"
"""Names the master key of the envelope that a record itself is; it goes and stays with the envelope."""

__all__ = ["AccompaniedError", "E", "Page", "Repository"]

_TICK = timedelta(milliseconds=1)

T = TypeVar("T")


class AccompaniedError(CalotypeError):
    """A change cannot be made alone: others belong to the same operation. It never reaches a caller."""


class Repository(Reader[E]):
    """Typed access to the records of one kind; the arguments are the `Reader`'s."""

    def create(self, **fields: object) -> E:
        """Store a new record; its id and timestamps are set here, whatever the caller gave.

        Without an owner it is the first user's.

        Raises:
            InvalidError: a member is missing, wrong or unknown, or refers to something absent.
            ConflictError: a unique value is taken.
        """
        return self._create(self._new_record(fields))

    def draft(self, **fields: object) -> Record:
        """Return the record that `create` would store, without storing it.

        Raises:
            InvalidError: a member is missing, wrong or unknown.
        """
        return self._new_record(fields)

    def create_many(self, items: Iterable[Mapping[str, object]]) -> builtins.list[E | CalotypeError]:
        """Store new records, each for itself; the answer has each one's record, or why it was not stored, in order."""
        records = [self._attempted(partial(self._new_record, fields)) for fields in items]
        alone = [n for n, record in enumerate(records) if isinstance(record, dict) and self._alone(None, record)]
        made = self._documents.each([put(self.kind.name, cast("Record", records[n])) for n in alone])
        results = {n: self._answered(stored) for n, stored in zip(alone, made, strict=True)}
        return [
            results[n]
            if n in results
            else record
            if isinstance(record, CalotypeError)
            else self._attempted(partial(self._create, record))
            for n, record in enumerate(records)
        ]

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
        if owner is not None and if_match is not None:
            self.get(record_id, owner=owner)  # first of all: that a version is stale tells that the record exists
        step = self.edit_step(record_id, change, if_match=if_match, owner=owner)
        try:
            (stored,) = self._documents.apply([step])
        except AccompaniedError:
            stored = self._edit_along(record_id, change, if_match, owner)
        return self._entity(self._certain(stored))

    def edit_many(
        self, changes: Iterable[tuple[str, Callable[[E], E]]], *, owner: str | None = None
    ) -> builtins.list[E | CalotypeError]:
        """Change records, each for itself; the answer has each one's record, or why it was not changed, in order."""
        wanted = builtins.list(changes)
        made = self._documents.each([self.edit_step(key, change, owner=owner) for key, change in wanted])
        return [
            self._attempted(partial(self.edit, key, change, owner=owner))
            if isinstance(stored, AccompaniedError)
            else self._answered(stored)
            for (key, change), stored in zip(wanted, made, strict=True)
        ]

    def replace(
        self, record_id: str, fields: Mapping[str, object], *, if_match: str | None = None, owner: str | None = None
    ) -> E:
        """Put these members in place of a record's; what callers may not set, or nobody declares, stays.

        Raises:
            NotFoundError, StaleError: as `edit`.
            InvalidError, ConflictError: as `create`.
        """
        return self.edit(record_id, lambda current: self._replaced(current, fields), if_match=if_match, owner=owner)

    def import_record(self, record: Mapping[str, object], *, replace: bool = False) -> E:
        """Store a record with the id and the dates it brings, for importers; it may refer to what is not there yet.

        Raises:
            ConflictError: a record of this id exists, and `replace` is not set; or a unique value is taken.
            InvalidError: a member is missing or wrong.
        """
        (made,) = self.import_records([record], replace=replace)
        if isinstance(made, CalotypeError):
            raise made
        return made

    def import_records(
        self,
        records: Iterable[Mapping[str, object]],
        *,
        replace: bool = False,
        versions: Mapping[str, str] | None = None,
    ) -> builtins.list[E | CalotypeError]:
        """Import records, each for itself; the answer has each one's record, or why it was not stored, in order.

        Args:
            records: with their ids and dates.
            replace: whatever is there under the same ids is replaced.
            versions: by key, the versions of the records that alone may be replaced.
        """
        read = [self._attempted(partial(self._imported, record)) for record in records]
        known = versions or {}
        sound = [record for record in read if not isinstance(record, CalotypeError)]
        changes = [
            put(name, body, ANY if replace else known.get(key_of(name, body)), trusting=True)
            for name, body in ((self.kind.name, body) for body in sound)
        ]
        made = iter(self._documents.each(changes))
        return [item if isinstance(item, CalotypeError) else self._answered(next(made)) for item in read]

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
            remove(self._documents, self.kind.name, record_id, expect=expect, force=force)
            return True

    def _alone(self, before: Record | None, after: Record) -> bool:
        """Tell whether a record may be stored without changing others; cheap, for it runs under locks."""
        del before, after
        return True

    def _along(self, before: Record | None, after: Record) -> builtins.list[Change]:
        """Return what else must change with a record; the gate is held exclusively."""
        del before, after
        return []

    def _create(self, record: Record) -> E:
        if self._alone(None, record):
            return self._entity(self._certain(self._documents.apply([put(self.kind.name, record)])[0]))
        with self._documents.guard(exclusive=True):
            changes = [put(self.kind.name, record), *self._along(None, record)]
            return self._entity(self._certain(self._documents.apply(changes)[0]))

    def edit_step(
        self, record_id: str, change: Callable[[E], E], *, if_match: str | None = None, owner: str | None = None
    ) -> Change:
        """Return what `edit` applies, for an operation together with other records; applying raises what `edit` does.

        A change that others have to follow raises `AccompaniedError` when it is applied.
        """

        def edit(record: Record | None) -> Record:
            before = self._required(record_id, record, owner)
            after = self._edited(before, change)
            if not self._alone(before, after):
                raise AccompaniedError("This change has to be made together with others.")
            return after

        return Change(self.kind.name, record_id, edit, ANY if if_match is None else if_match)

    def _edit_along(
        self, record_id: str, change: Callable[[E], E], if_match: str | None, owner: str | None
    ) -> Stored | None:
        with self._documents.guard(exclusive=True):
            found = self._documents.get(self.kind.name, record_id)
            before = self._required(record_id, None if found is None else found.body, owner)
            after = self._edited(before, change)
            expect: Expectation = ANY if if_match is None else if_match
            first = Change(self.kind.name, record_id, lambda _: deepcopy(after), expect)
            return self._documents.apply([first, *self._along(before, after)])[0]

    def _required(self, record_id: str, record: Record | None, owner: str | None) -> Record:
        if record is None or not self._visible(Stored(self.kind.name, record_id, record, 0), owner):
            raise NotFoundError(f"There is no {self.kind.name} {record_id[:80]}.", object=record_id[:80])
        return record

    def _new_record(self, fields: Mapping[str, object]) -> Record:
        now = timestamp(self._clock.now())
        own = {"id": self._ids.new()} if "id" in self.kind.members else {}
        dates = {name: now for name in (self.kind.created, self.kind.updated) if name is not None}
        pairs = [pair for variant in self.model.variants() for pair in variant.members()]
        attributes = {attribute for attribute, name in pairs if name in {*own, *dates}}
        given = {name: value for name, value in fields.items() if name not in {*own, *dates, *attributes}}
        return self.model.build({**self._owned(given), **given, **own, **dates}).to_record()

    def _owned(self, given: Mapping[str, object]) -> dict[str, object]:
        """Return the owner where none is given and one is needed."""
        names = [attribute for attribute, name in self.model.members() if name == self.kind.owner]
        if (
            not names
            or {names[0], self.kind.owner} & given.keys()
            or not self.model.model_fields[names[0]].is_required()
        ):
            return {}
        return {names[0]: ensure_first(self._documents, self._clock, self._ids).key}

    def _imported(self, record: Mapping[str, object]) -> Record:
        return self.model.from_record(record).to_record()

    def _replaced(self, current: E, fields: Mapping[str, object]) -> E:
        record, names, kind = current.to_record(), dict(self.model.members()), self.kind
        ours = {*kind.key, kind.created, kind.updated, kind.parent, *kind.derived}
        given = {names.get(name, name): value for name, value in fields.items()}
        given = {name: value for name, value in given.items() if name not in ours}
        kept = {*ours, kind.owner, *kind.hidden, *(sealed.member for sealed in kind.sealed), KEY_ID}
        unknown = {name: value for name, value in record.items() if name not in kind.members}
        built = self.model.build({**{name: record[name] for name in record if name in kept}, **given})
        return self._typed({**built.to_record(), **unknown}, current.version)

    def _edited(self, record: Record, change: Callable[[E], E]) -> Record:
        after: Record = change(self._typed(record)).to_record()
        for name in (*self.kind.key, self.kind.parent, self.kind.created):
            if name in record and name is not None:
                after[name] = record[name]
        if same(after, record) or self.kind.updated is None:
            return after
        after[self.kind.updated] = self._later_than(record.get(self.kind.updated))
        return after

    def _later_than(self, before: object) -> str:
        """Return now, or a millisecond after the last change: every change has a time, and so a version, of its own."""
        now = self._clock.now()
        if isinstance(before, str):
            last = datetime.max.replace(tzinfo=UTC) - _TICK  # nothing is later; such a time can only be repeated
            now = max(now, min(parse_timestamp(before), last) + _TICK)
        return timestamp(now)

    def _certain(self, stored: Stored | None) -> Stored:
        if stored is None:
            raise NotFoundError(f"The {self.kind.name} was removed at the same time.")
        return stored

    def _attempted(self, step: Callable[[], T]) -> T | CalotypeError:
        try:
            return step()
        except CalotypeError as error:
            return error

    def _answered(self, made: Stored | CalotypeError | None) -> E | CalotypeError:
        return made if isinstance(made, CalotypeError) else self._entity(self._certain(made))
