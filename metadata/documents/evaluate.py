"""What a change comes to: expectation, edit, unique keys and references, judged against one consistent view.

The view is the index, brought up to date under the lock by the caller, plus what earlier changes of the same batch
already decided. Nothing is written here; both implementations write what an `Effect` says.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

from ..errors import BusyError, CalotypeError, ConflictError, InvalidError, NotFoundError, StaleError, UnreadableError
from ..files.cache import copied
from ..index.children import parent_of
from ..index.gone import any_gone, is_gone, visible
from ..index.projector import Reference, owner_of, references_of, unique_values
from ..index.state import unreadable_record
from ..index.tables import table_of
from ..schemas.catalog import CATALOG, Kind
from .contract import ANY, Change, Record, Stored, same

TAG_TARGETS = ("tag", "character", "persona", "chat")


@dataclass(frozen=True, slots=True)
class Effect:
    """What one change does to one record.

    Attributes:
        before: the body it had, None when it is new.
        after: the body it gets, None when it goes.
        rev: the revision its next line carries.
        seq: its position, 0 when it has none yet.
        drops: the whole log goes that the key names; there is no single record before or after.
    """

    kind: Kind
    key: str
    before: Record | None
    after: Record | None
    rev: int
    seq: int
    drops: bool = False

    @property
    def idle(self) -> bool:
        """Whether nothing changes, so nothing need be written."""
        return same(self.before, self.after) and not self.drops

    def stored(self, seq: int | None = None) -> Stored | None:
        """Return the record as it is afterwards, None when it went."""
        if self.after is None:
            return None
        return Stored(self.kind.name, self.key, copied(self.after), self.seq if seq is None else seq)


@dataclass(frozen=True, slots=True)
class Current:
    """A record as the view holds it."""

    body: Record
    rev: int
    seq: int


Reading = Callable[[], AbstractContextManager[sqlite3.Connection]]
Loader = Callable[[sqlite3.Connection, Kind, str, bool], Current | None]


class View:
    """The state that changes are judged against: the index and, over it, what was decided since.

    Args:
        reading: lends a connection that sees the index as it is under the lock.
        load: reads one record (its body may lie in a file); bare or not, see `Change`.
    """

    def __init__(self, reading: Reading, load: Loader) -> None:
        self._reading = reading
        self._load = load
        self._decided: dict[tuple[str, str], Effect] = {}

    def current(self, kind: Kind, key: str, *, bare: bool = False) -> Current | None:
        """Return the record as it now is, or (bare) as its file has it.

        Raises:
            UnreadableError: it is there but cannot be read, so nothing may be written over it.
        """
        decided = self._decided.get((kind.name, key))
        if decided is not None:
            return None if decided.after is None else Current(decided.after, decided.rev, decided.seq)
        with self._reading() as db:
            problem = unreadable_record(db, kind.name, key)
            if problem is not None:
                raise UnreadableError(f"{problem.path} cannot be read: {problem.reason}", path=problem.path, id=key)
            return self._load(db, kind, key, bare)

    def buried_rev(self, kind: Kind, key: str) -> int | None:
        """Return the revision of a removed record's tombstone, None when it was never there."""
        decided = self._decided.get((kind.name, key))
        if decided is not None:
            return decided.rev
        with self._reading() as db:
            row = db.execute("SELECT rev FROM tombstones WHERE kind = ? AND key = ?", (kind.name, key)).fetchone()
        return None if row is None else int(row[0])

    def exists(self, kind: Kind, key: str) -> str | None:
        """Return the owner of a record (empty where it has none or cannot be read), None when it does not exist."""
        decided = self._decided.get((kind.name, key))
        if decided is not None:
            return None if decided.after is None else owner_of(kind, decided.after)
        with self._reading() as db:
            row = db.execute(f"SELECT owner FROM {table_of(kind)} WHERE key = ?", (key,)).fetchone()
            if is_gone(db, kind, key):
                return None
            if row is None and unreadable_record(db, kind.name, key) is not None:
                return ""
        return None if row is None else str(row[0])

    def holder(self, kind: Kind, rule: str, value: str) -> str | None:
        """Return the key of the record that holds a unique value, None when it is free."""
        for (name, key), effect in self._decided.items():
            if (
                name == kind.name
                and effect.after is not None
                and (rule, value) in set(unique_values(kind, effect.after))
            ):
                return key
        with self._reading() as db:
            shown = f" AND {visible(kind, 'u')}" if kind.parent is None and any_gone(db) else ""
            rows = db.execute(
                f"SELECT key FROM uniques u WHERE kind = ? AND rule = ? AND value = ?{shown}", (kind.name, rule, value)
            ).fetchall()
        return next((str(key) for (key,) in rows if (kind.name, key) not in self._decided), None)

    def going(self, kind: Kind, key: str) -> bool:
        """Tell whether a removal under way still has to take this record out of its file."""
        with self._reading() as db:
            return is_gone(db, kind, key)

    def decide(self, effect: Effect) -> None:
        """Let later changes see this one."""
        self._decided[effect.kind.name, effect.key] = effect

    def fork(self) -> View:
        """Return a view that sees this one and whose own decisions stay its own until `adopt`."""
        fork = View(self._reading, self._load)
        fork._decided = dict(self._decided)
        return fork

    def adopt(self, fork: View) -> None:
        """Take over what a fork decided."""
        self._decided = fork._decided


def evaluate(change: Change, view: View) -> Effect:
    """Judge one change and let the view know of it.

    Raises:
        StaleError, ConflictError, NotFoundError, InvalidError, UnreadableError: see `Documents.apply`.
    """
    kind = CATALOG[change.kind]
    if change.drops:
        return Effect(kind, change.key, None, None, 0, 0, drops=True)
    current = view.current(kind, change.key, bare=change.bare)
    _check_expectation(change, current)
    body = None if current is None else current.body
    after = _edited(change, body)
    if after is None and body is None and not change.trusting:
        raise NotFoundError(f"There is no {kind.name} {change.key}.", object=change.key)
    # A new record in a log that goes is refused for its parent's sake, if references are looked at.
    looked_at = change.trusting or kind.parent is None
    if after is not None and body is None and looked_at and view.going(kind, change.key):
        raise BusyError(f"The {kind.name} {change.key} is still being removed; try again later.", object=change.key)
    known = current.rev if current is not None else view.buried_rev(kind, change.key)
    rev = 0 if known is None else known + 1
    effect = Effect(kind, change.key, body, after, rev, current.seq if current is not None else 0)
    if after is not None and not effect.idle:
        _check_unique(effect, view)
        if not change.trusting:
            _check_references(effect, view)
    if not effect.idle:
        view.decide(effect)
    return effect


def evaluate_each(changes: Sequence[Change], view: View) -> list[Effect | CalotypeError]:
    """Judge changes each for itself: one that cannot be made is answered by its error and does not touch the others."""
    return [_evaluated(change, view) for change in changes]


def _evaluated(change: Change, view: View) -> Effect | CalotypeError:
    try:
        return evaluate(change, view)  # the view is told of a change as the last thing, when nothing can fail any more
    except CalotypeError as error:
        return error


def _edited(change: Change, body: Record | None) -> Record | None:
    try:
        after: Record | None = copied(change.edit(copied(body)))
    except RecursionError as error:
        raise InvalidError(f"This {change.kind} is nested too deeply.") from error
    return after


def _check_expectation(change: Change, current: Current | None) -> None:
    if change.expect is ANY:
        return
    if change.expect is None:
        if current is not None:
            raise ConflictError(f"A {change.kind} {change.key} exists already.", existing=change.key)
        return
    if current is None:
        raise NotFoundError(f"There is no {change.kind} {change.key}.", object=change.key)
    actual = Stored(change.kind, change.key, current.body, current.seq).version
    if actual != change.expect:
        raise StaleError(
            f"This {change.kind} was changed since you read it. Read it again, repeat your change and send it with the"
            " new ETag.",
            expected=change.expect,
            actual=actual,
        )


def _check_unique(effect: Effect, view: View) -> None:
    before = set() if effect.before is None else set(unique_values(effect.kind, effect.before))
    for rule, value in unique_values(effect.kind, effect.after or {}):
        if (rule, value) in before:
            continue
        holder = view.holder(effect.kind, rule, value)
        if holder is not None and holder != effect.key:
            fields = rule.split("+")
            raise ConflictError(
                f"Another {effect.kind.name} has the same {' and '.join(fields)} already ({holder}).",
                field=fields[-1],
                existing=holder,
                value=json.loads(value)[-1],
            )


def _check_references(effect: Effect, view: View) -> None:
    after = effect.after or {}
    before = set() if effect.before is None else set(references_of(effect.kind, effect.before))
    for reference in references_of(effect.kind, after):
        if reference not in before and not _resolves(reference, effect, after, view):
            raise InvalidError(
                f"{reference.field} refers to {reference.key}, which does not exist. Create it first, or leave it out.",
                field=reference.field,
                value=reference.key,
            )


def _resolves(reference: Reference, effect: Effect, body: Mapping[str, object], view: View) -> bool:
    owner = _owner(effect.kind, body, view)
    for name in [reference.kind] if reference.kind else TAG_TARGETS:
        key = f"{body.get('chatId')}/{reference.key}" if name == "message" else reference.key
        holder = view.exists(CATALOG[name], key)
        # Another user's thing is answered as if it were not there.
        if holder is not None and (not owner or not holder or owner == holder):
            return True
    return False


def _owner(kind: Kind, body: Mapping[str, object], view: View) -> str:
    """Return the user a record belongs to; what stands in a log is its parent's owner's."""
    parent = parent_of(kind)
    if parent is None:
        return owner_of(kind, body)
    return view.exists(CATALOG[parent], str(body.get(str(kind.parent)))) or ""
