"""The documents contract: raw records by kind and key, changed all or nothing.

Floors above speak to this protocol alone. `json_files` keeps the truth in plain files, `memory` in memory; one suite
of tests runs over both. A record here is a mapping with the member names it has on disk, without our bookkeeping
(`_rev`, `_b`, `_crc`, `_deleted`, `_was`). Its type is checked by the repositories; uniqueness, references and expected
versions are checked here, under the lock, where they can be kept.
"""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Final, Protocol

from ..files.codec import canonical
from ..schemas.catalog import CATALOG

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from ..errors import CalotypeError
    from ..index.query import Query

Record = dict[str, object]
Edit = Callable[[Record | None], Record | None]

VERSION_DIGITS = 32


class _Any:
    """The type of `ANY`."""

    def __repr__(self) -> str:
        return "ANY"


ANY: Final = _Any()
"""No expectation: whatever version is there, or none."""

Expectation = str | None | _Any


@dataclass(frozen=True)
class Stored:
    """A record as it is stored.

    Attributes:
        kind: its kind's name in the catalog.
        key: its id, or what identifies it where it has none (see `key_of`).
        body: its members; the caller's own copy.
        seq: its position among the records of its kind; it grows, and changes when the index is rebuilt.
    """

    kind: str
    key: str
    body: Record
    seq: int

    @cached_property
    def version(self) -> str:
        """The first 32 hex digits of the SHA-256 of the canonical JSON without `_` and derived members."""
        return version_of(self.kind, self.body)


@dataclass(frozen=True, slots=True)
class Change:
    """One record's part in an `apply`.

    Attributes:
        edit: from the current body (None when absent) to the new one (None to remove); it runs under the lock, may
            run more than once, and must have no other effect.
        expect: the version that must be current; None when the record must not exist; ANY for no expectation.
        trusting: accept references to what is not there, as importers must, and a removal of what is gone.
        removes: the edit always removes; the gate is then held exclusively, so that no new reference appears meanwhile.
        drops: the whole log goes that belongs to the parent the key names, with every record in it; see `drop`.
        bare: the edit sees the record as its file has it, even where a removal under way hides it or cleans it; for
            carrying out that removal.
    """

    kind: str
    key: str
    edit: Edit
    expect: Expectation = ANY
    trusting: bool = False
    removes: bool = False
    drops: bool = False
    bare: bool = False


@dataclass(frozen=True, slots=True)
class Referrer:
    """One record that refers to another, through which field; field `mention` is a hash in any text."""

    kind: str
    key: str
    field: str
    owner: str


@dataclass(frozen=True, slots=True)
class Found:
    """A page of records and what is left: see `Query`."""

    items: list[Stored]
    next_cursor: str | None
    total: int
    total_capped: bool = False
    unreadable: int = 0


@dataclass(frozen=True, slots=True)
class Health:
    """What is known to be wrong with the files.

    Attributes:
        findings: one mapping per problem: `path`, `place` (byte offset or -1), `problem`, `reason`.
        unfinished: how many operations wait to be finished.
    """

    findings: list[Mapping[str, object]] = field(default_factory=list)
    unfinished: int = 0


class Documents(Protocol):
    """Where records live; every method may be called from any thread."""

    def get(self, kind: str, key: str) -> Stored | None:
        """Return a record, or None when there is none.

        Raises:
            UnreadableError: it is there but cannot be read.
        """

    def many(self, kind: str, keys: Sequence[str]) -> dict[str, Stored]:
        """Return the records with these keys, by key; one that is absent or cannot be read is left out.

        For kinds whose rows keep their bodies, which are all but messages. One question whatever the number of keys.
        """

    def first(self, kind: str) -> Stored | None:
        """Return the record in the kind's own file where further ones have files of theirs (the first user).

        Raises:
            UnreadableError: that file cannot be read.
        """

    def find(self, kind: str, query: Query) -> Found:
        """Return a page of records.

        Raises:
            InvalidError: the query names an unknown field, or its cursor or limit is not sound.
        """

    def scan(self, kind: str, after: int = 0) -> Iterator[Stored]:
        """Yield every readable record of a kind in sequence, from after a sequence number; memory stays flat."""

    def apply(self, changes: Sequence[Change]) -> list[Stored | None]:
        """Make all changes durable, or none; return each record as stored, None for one removed.

        A new record's `seq` in the answer may be 0: its position is known at the next read.

        Raises:
            StaleError: an expected version is not current.
            ConflictError: it must not exist and does, or a unique key is taken (`existing` names the holder's key).
            NotFoundError: a removed or edited record does not exist.
            InvalidError: it refers to something absent (`field`).
            UnreadableError, BusyError, FullError: the files cannot be read, locked or written.
        """

    def retire(
        self, kind: str, key: str, *, expect: Expectation = ANY, force: bool = False, heir: str | None = None
    ) -> bool:
        """Remove a record together with all that its removal brings with it, if that is too much for one `apply`.

        False when it is not, and then nothing was done. Otherwise the removal is decided and seen at once, by all
        processes; files are cleaned bit by bit after the gate, which is held exclusively, is let go. See
        `metadata.references.remove`.

        Args:
            kind: the record's kind.
            key: its key.
            expect: its version.
            force: settle references that would forbid it.
            heir: the record of the same kind that lists of ids shall name in its place.

        Raises:
            NotFoundError, StaleError: as `apply`.
            ConflictError: a rule forbids it; `referrers` lists what refers to it.
        """

    def each(self, changes: Sequence[Change]) -> list[Stored | CalotypeError | None]:
        """Make every change that can be made, each for itself, in as few writes as the files allow.

        The answer has a place per change: the record as stored, None for one removed, or why it was not made. If the
        machine stops meanwhile, some may have been made and others not.

        Raises:
            UnreadableError, BusyError, FullError: as `apply`; then a part of the changes may have been made.
        """

    def lookup(self, kind: str, fields: Sequence[str], values: Sequence[str]) -> Stored | None:
        """Return the record that holds these values of a unique rule, None when there is none."""

    def total(self, kind: str, field: str) -> int:
        """Return the sum of a numeric filter field over all records of a kind."""

    def is_live(self, sha256: str) -> bool:
        """Tell whether a record names this payload or a record's text mentions it."""

    def referrers(self, kind: str, key: str) -> list[Referrer]:
        """Return every declared reference to a record."""

    def mentions(self, sha256: str, *, owner: str | None = None) -> list[Referrer]:
        """Return every record (of this owner, if given) that mentions a hash in its text."""

    def buried(self, kind: str, key: str) -> Record | None:
        """Return the last body of a removed record whose kind keeps it, None when there is none."""

    def guard(self, *, exclusive: bool = False) -> AbstractContextManager[None]:
        """Hold the gate around several steps; `apply` inside it joins it."""

    def compact(self) -> int:
        """Rewrite every log to one line per live record; return the bytes saved."""

    def health(self) -> Health:
        """Return what is known to be wrong."""

    def close(self) -> None:
        """Let go of files and locks; the store is not used afterwards."""


def put(kind: str, body: Mapping[str, object], expect: Expectation = None, *, trusting: bool = False) -> Change:
    """Return the change that stores this body, by default as a new record."""
    kept = dict(body)
    return Change(kind, key_of(kind, kept), lambda _: copy.deepcopy(kept), expect, trusting)


def remove(kind: str, key: str, expect: Expectation = ANY) -> Change:
    """Return the change that removes a record."""
    return Change(kind, key, lambda _: None, expect, removes=True)


def drop(kind: str, parent: str) -> Change:
    """Return the change that removes a parent's whole log, whatever its length; one that is absent is no error."""
    return Change(kind, f"{parent}/", lambda _: None, trusting=True, removes=True, drops=True)


def key_of(kind: str, body: Mapping[str, object]) -> str:
    """Return a record's key: its parent's id where its file is named by it, and its key fields, joined by slashes."""
    found = CATALOG[kind]
    parent = [] if found.parent is None else [found.parent]
    return "/".join(str(body[name]) for name in [*parent, *found.key])


def same(left: Record | None, right: Record | None) -> bool:
    """Tell whether two records are the same JSON; Python holds true and 1 for equal, a record must not."""
    if left is None or right is None:
        return left is right
    return left == right and canonical(left) == canonical(right)


def version_of(kind: str, body: Mapping[str, object]) -> str:
    """Return the version of a body: see `Stored.version`."""
    derived = CATALOG[kind].derived
    content = {name: value for name, value in body.items() if not name.startswith("_") and name not in derived}
    return hashlib.sha256(canonical(content)).hexdigest()[:VERSION_DIGITS]
