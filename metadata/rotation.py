"""Giving every sealed value a new master key, all or nothing.

The order: under the exclusive gate a new key is written before the old one; every record with an older envelope, or the
original's, is sealed anew in one `apply`, which is undone or finished as a whole; then the old key leaves the file.
Killed before the `apply`, the store has two keys and opens everything; killed after it, the old key lingers. Either
way `finish`, called when a store is opened, or a second `rotate` goes on from there. Writers seal and store within one
shared hold of the gate, so none of them can bring an old envelope in behind a rotation.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from .documents.contract import Change, Record
from .errors import UnreadableError
from .schemas.catalog import CATALOG, kinds_of_path
from .sealing import KEY_ID, NeedsReentry, Sealer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from .documents.contract import Documents
    from .keys import MasterKeys
    from .schemas.catalog import Kind
    from .schemas.kinds import SealedField

ORIGINAL = ""
"""In a survey the key of what the original application sealed."""


@dataclass(frozen=True, slots=True)
class Rotated:
    """What a rotation did.

    Attributes:
        key_id: the key that seals now.
        renewed: how many values were sealed anew.
        left: how many values could not be opened and were left as they are: they need re-entry.
    """

    key_id: str
    renewed: int
    left: int


@dataclass(frozen=True, slots=True)
class _Value:
    """One sealed value of one record."""

    kind: Kind
    key: str
    field: SealedField
    envelope: Mapping[str, object]
    user: str


class Rotation:
    """Rotates the master key of a store, and tells which keys its values are sealed with.

    Args:
        documents: the records.
        keys: the master keys.
        sealer: opens and seals with them.
        first_user: returns the id of the user to whom records without an owner belong.
        refresh: takes over what was changed in files by hand, before all records are gone through.
    """

    def __init__(
        self,
        documents: Documents,
        keys: MasterKeys,
        sealer: Sealer,
        first_user: Callable[[], str],
        refresh: Callable[[], None] = lambda: None,
    ) -> None:
        self._documents = documents
        self._keys = keys
        self._sealer = sealer
        self._first_user = first_user
        self._refresh = refresh

    def survey(self) -> Mapping[str, int]:
        """Return how many values each key id has sealed; under `ORIGINAL` what the original application sealed."""
        return survey(self._documents)

    def rotate(self) -> Rotated:
        """Give every value a new key, or finish a rotation that was begun.

        Raises:
            InvalidError: values are sealed and there is no key.
            UnreadableError: a file that may hold sealed values cannot be read; its values would lose their key.
            BusyError: the store was not free in time.
        """
        with self._documents.guard(exclusive=True):
            self._refresh()
            self._require_readable()
            if self._keys.ring().keys:
                self._keys.begin_rotation()
            else:
                self._keys.ensure()
            return self._renew()

    def finish(self) -> Rotated | None:
        """Finish a rotation that was cut off; None when there is none.

        Raises:
            CalotypeError: as `rotate`.
        """
        if not self._unfinished():
            return None
        with self._documents.guard(exclusive=True):
            if not self._unfinished():
                return None
            self._refresh()
            self._require_readable()
            return self._renew()

    def _unfinished(self) -> bool:
        return not self._keys.given and len(self._keys.written()) > 1

    def _renew(self) -> Rotated:
        renewed, left = 0, 0
        stale: dict[tuple[str, str], None] = {}
        current = self._keys.ensure().keys[0]
        for value in self._values():
            if value.envelope.get(KEY_ID) == current.id:
                continue
            if isinstance(self._open(value), NeedsReentry):
                left += 1
            else:
                renewed += 1
                stale[value.kind.name, value.key] = None
        if stale:
            self._documents.apply([Change(kind, key, self._renewal(kind, key), trusting=True) for kind, key in stale])
        self._keys.end_rotation()
        return Rotated(current.id, renewed, left)

    def _renewal(self, kind: str, key: str) -> Callable[[Record | None], Record | None]:
        def edit(record: Record | None) -> Record | None:
            return None if record is None else self._renewed(CATALOG[kind], key, record)

        return edit

    def _renewed(self, kind: Kind, key: str, record: Record) -> Record:
        after = dict(record)
        for value in values_of(kind, key, record, self._first_user()):
            fresh = self._sealer.renewed(kind.name, key, value.field.name, value.envelope, user=value.user)
            if fresh is not None and value.field.member is None:
                after |= fresh
            elif fresh is not None:
                after[cast("str", value.field.member)] = {**value.envelope, **fresh}
        return after

    def _open(self, value: _Value) -> object:
        return self._sealer.open(value.kind.name, value.key, value.field.name, value.envelope, user=value.user)

    def _values(self) -> Iterator[_Value]:
        first = self._first_user()
        for kind in _kinds():
            for stored in self._documents.scan(kind.name):
                yield from values_of(kind, stored.key, stored.body, first)

    def _require_readable(self) -> None:
        for finding in self._documents.health().findings:
            path = str(finding.get("path"))
            if finding.get("problem") == "unreadable" and any(located.kind.sealed for located in kinds_of_path(path)):
                raise UnreadableError(
                    f"{path} cannot be read, and what is sealed in it would lose its key. Mend it first: "
                    f"{finding.get('reason')}",
                    path=path,
                )


def survey(documents: Documents) -> Mapping[str, int]:
    """Return how many values each key id has sealed; under `ORIGINAL` what the original application sealed."""
    found = (
        value.envelope.get(KEY_ID, ORIGINAL)
        for kind in _kinds()
        for stored in documents.scan(kind.name)
        for value in values_of(kind, stored.key, stored.body, "")
    )
    return Counter(str(key_id) for key_id in found)


def sealed_exist(documents: Documents) -> bool:
    """Tell whether a value is sealed with a master key, and not by the original application."""
    return any(key_id != ORIGINAL for key_id in survey(documents))


def values_of(kind: Kind, key: str, record: Mapping[str, object], first_user: str) -> Iterator[_Value]:
    """Yield the sealed values of a record.

    Args:
        kind: the record's kind.
        key: its key.
        record: its members.
        first_user: the owner of a record that names none.
    """
    user = key if kind.name == "user" else str(record.get(kind.owner or "") or first_user)
    for sealed in kind.sealed:
        envelope = record if sealed.member is None else record.get(sealed.member)
        if isinstance(envelope, dict):
            yield _Value(kind, key, sealed, envelope, user)


def _kinds() -> list[Kind]:
    return [kind for kind in CATALOG.values() if kind.sealed]
