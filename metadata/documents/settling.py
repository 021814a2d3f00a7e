"""A record as it is once the removals are carried out that are decided: without references to what is gone.

It follows from the record as its file has it and from what is gone, nothing else, and doing it twice is doing it once.
So answers show it before the file is cleaned, an edit starts from it, and the cleaning writes the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..index.gone import Gone, Target, heir_of, targets
from ..schemas.catalog import CATALOG, Kind, RefField
from ..schemas.fields import OnDelete

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Mapping, Sequence

    from .contract import Record


def settled(kind: Kind, body: Record, found: Mapping[Target, Gone]) -> Record:
    """Return the record without references to what is gone, by the rules of its fields.

    Args:
        kind: the record's kind.
        body: its members.
        found: what is gone of all that it refers to.
    """
    for ref in kind.refs:
        if ref.path == (kind.owner,):
            continue
        for target in ref.values(body):
            named = _named(ref, body, target, found)
            if named is not None:
                body = _without(kind, ref, body, (named, target), found)
    return body


def overlaid(db: sqlite3.Connection, kind: Kind, bodies: Sequence[Record]) -> list[Record]:
    """Return records as they are once what is decided is carried out; one question for all of them."""
    keys = {key for body in bodies for ref in kind.refs if ref.path != (kind.owner,) for key in ref.values(body)}
    found = targets(db, keys) if keys else {}
    return [settled(kind, body, found) for body in bodies] if found else list(bodies)


def within(kind: Kind, ref: RefField, body: Mapping[str, object]) -> Iterator[tuple[RefField, str]]:
    """Yield the references of a record into a parent's log; they go with its reference to the parent."""
    for other in kind.refs:
        if other.to is not None and ref.path == (CATALOG[other.to].parent,):
            yield from ((other, target) for target in other.values(body))


def _named(ref: RefField, body: Record, target: str, found: Mapping[Target, Gone]) -> str | None:
    """Return the kind by which a reference names something that is gone, None when it does not."""
    named = ref.target_kind(body, target)
    kinds = ref.targets if named is None else (named,)
    return next((name for name in kinds if (name, target) in found), None)


def _without(kind: Kind, ref: RefField, body: Record, target: Target, found: Mapping[Target, Gone]) -> Record:
    named, key = target
    heir = heir_of(found, named, key)
    if heir is not None and ref.path[-1] == "*":
        return ref.renamed(body, key, heir)
    if ref.rule(body, force=found[target].forced) not in (OnDelete.CLEAR, OnDelete.REMOVE):
        return body
    for other, inner in list(within(kind, ref, body)):
        body = other.without(body, inner) or body
    return ref.without(body, key) or body
