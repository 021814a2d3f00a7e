"""The table of all kinds, derived from the classes once, and what follows from it."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from .assets import Asset, Fact
from .characters import Character, Persona
from .chats import Chat
from .events import ChatEvent
from .kinds import Kind, SealedField, kind_of
from .profiles import ApiKey, ConnectionProfile, ImageProfile
from .references import TAG_TYPES, RefField
from .signin import AccessToken, Account, Session, VerificationToken
from .tags import Tag
from .users import ChatSettings, User

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "CATALOG",
    "COLLECTIONS",
    "TAG_TYPES",
    "Kind",
    "Located",
    "RefField",
    "SealedField",
    "kinds_of_path",
    "references_to",
]

_ENTITIES = (
    User,
    ChatSettings,
    Account,
    Session,
    VerificationToken,
    ApiKey,
    ConnectionProfile,
    ImageProfile,
    Tag,
    Character,
    Persona,
    Chat,
    ChatEvent,
    Asset,
    AccessToken,
    Fact,
)

CATALOG: Mapping[str, Kind] = MappingProxyType({model.declaration.name: kind_of(model) for model in _ENTITIES})
"""Every kind by its name."""

COLLECTIONS: Mapping[str, Kind] = MappingProxyType(
    {kind.collection: kind for kind in CATALOG.values() if kind.collection is not None}
)
"""The kinds that have URLs of their own, by the segment."""


@dataclass(frozen=True, slots=True)
class Located:
    """A kind that a file holds, and the variable part of the file's name: an id, a parent's id, or ""."""

    kind: Kind
    variable: str


def kinds_of_path(path: str) -> tuple[Located, ...]:
    """Return the kinds that a file holds; none if it is not a file of the catalog.

    Args:
        path: relative to the data folder, with `/`.
    """
    found = ((kind, kind.home.match(path)) for kind in CATALOG.values())
    return tuple(Located(kind, variable) for kind, variable in found if variable is not None)


def references_to(name: str) -> tuple[tuple[Kind, RefField], ...]:
    """Return every declared field, with its kind, that may refer to records of the named kind."""
    return tuple((kind, ref) for kind in CATALOG.values() for ref in kind.refs if name in ref.targets)
