"""A kind: everything the catalog knows of an entity, derived from its class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .base import in_order
from .fields import AnyRef, Derived, Filter, Hidden, Parent, Ref, Sealed, Searched
from .introspect import Place, places
from .references import RefField

if TYPE_CHECKING:
    from .base import Entity
    from .homes import Home


@dataclass(frozen=True, slots=True)
class SealedField:
    """An encrypted value of a record.

    Attributes:
        name: the field name in the associated data.
        member: the member that holds the envelope; None: the envelope's members lie in the record itself.
    """

    name: str
    member: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """An entity's description; names of members are the on-disk ones.

    Attributes:
        name: the kind's name, such as `connectionProfile`.
        model: the class; `model.from_record` reads a record.
        home: where the records live.
        key: the members that make up the key.
        uniques: further sets of members whose values no two records share.
        refs: the declared references.
        filters: scalar members that lists filter and sort by.
        searched: (member, weight) of the text that search finds.
        sealed: the encrypted values.
        hidden: members that are never in an answer.
        derived: members that follow from other data: read-only and no part of the version.
        owner: the member that names the owning user, or None.
        created: `createdAt` if records have it, else None.
        updated: `updatedAt` if records have it, else None.
        mentions: records are scanned for hashes of payloads.
        collection: the segment of the kind's URLs, or None.
        parent: the member that is not written because the file's name carries it, or None.
        members: every declared member, in the order of writing.
    """

    name: str
    model: type[Entity]
    home: Home
    key: tuple[str, ...]
    uniques: tuple[tuple[str, ...], ...]
    refs: tuple[RefField, ...]
    filters: tuple[str, ...]
    searched: tuple[tuple[str, int], ...]
    sealed: tuple[SealedField, ...]
    hidden: tuple[str, ...]
    derived: tuple[str, ...]
    owner: str | None
    created: str | None
    updated: str | None
    mentions: bool
    collection: str | None
    parent: str | None
    members: tuple[str, ...]


def kind_of(model: type[Entity]) -> Kind:
    """Derive the kind from a class (or, where records vary, from all its variants)."""
    said = model.declaration
    found = {place.path: place for variant in model.variants() for place in places(variant)}
    tops = [place for place in found.values() if len(place.path) == 1]
    members = in_order(name for variant in model.variants() for _, name in variant.members())
    return Kind(
        name=said.name,
        model=model,
        home=said.home,
        key=said.key,
        uniques=said.uniques,
        refs=tuple(_refs(list(found.values()))),
        filters=_marked(tops, Filter),
        searched=tuple((top.path[0], mark.weight) for top in tops if (mark := top.marker(Searched)) is not None),
        sealed=tuple(_sealed(top, seal) for top in tops if (seal := top.marker(Sealed)) is not None),
        hidden=_marked(tops, Hidden),
        derived=_marked(tops, Derived),
        owner=said.owner,
        created=_present("createdAt", members),
        updated=_present("updatedAt", members),
        mentions=said.mentions,
        collection=said.collection,
        parent=next(iter(_marked(tops, Parent)), None),
        members=members,
    )


def _marked(tops: list[Place], marker: type) -> tuple[str, ...]:
    return tuple(top.path[0] for top in tops if top.marker(marker) is not None)


def _present(name: str, members: tuple[str, ...]) -> str | None:
    return name if name in members else None


def _sealed(top: Place, seal: Sealed) -> SealedField:
    return SealedField(seal.name, top.path[0] if top.model is not None else None)


def _refs(found: list[Place]) -> list[RefField]:
    refs = []
    for place in found:
        if (ref := place.marker(Ref)) is not None:
            refs.append(RefField(place.path, ref.to, ref.on_delete, ref.forced, ref.cascade_if))
        elif (loose := place.marker(AnyRef)) is not None:
            refs.append(RefField(place.path, None, loose.on_delete, types=loose.types))
    return refs
