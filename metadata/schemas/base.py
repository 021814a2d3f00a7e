"""The root of all entities: how a record on disk becomes an object and goes back without losing anything.

Objects are frozen: `replaced` makes a changed copy. (With assignment pydantic mixes up an unknown member `meta` and our
attribute `meta`, whose name on disk is `_meta`.)

Invariants: members that no class declares are kept; a member nobody touched is written as it was read, byte for byte
after JSON encoding; members are written in the original's field order, then ours (`_…`), then the unknown ones.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Self, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PrivateAttr, ValidationError
from pydantic.alias_generators import to_camel

from ..errors import InvalidError
from .fields import Filter, Hidden, JsonObject, Timestamp
from .introspect import places

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from .homes import Home

BOOKKEEPING = frozenset({"_rev", "_b", "_crc", "_deleted", "_was"})
"""Members that the journal and the documents put on a record; no part of it."""

META_LIMIT_BYTES = 64 * 1024
"""The largest `_meta`, as UTF-8 JSON without blanks."""

AnyEntity = TypeVar("AnyEntity", bound="Entity")

_LAST = ("createdAt", "updatedAt")


@dataclass(frozen=True, slots=True, kw_only=True)
class Declaration:
    """What a class says about its kind beside its fields.

    Attributes:
        name: the kind's name in the catalog.
        home: where its records live.
        key: the members (on-disk names) that make up the key.
        uniques: further sets of members whose values no two records share.
        owner: the member that names the owning user; None: not owned.
        collection: the segment of its URLs; None: reached another way.
        mentions: its records are scanned for hashes of payloads.
    """

    name: str
    home: Home
    key: tuple[str, ...] = ("id",)
    uniques: tuple[tuple[str, ...], ...] = ()
    owner: str | None = "userId"
    collection: str | None = None
    mentions: bool = True


def _small(value: dict[str, Any]) -> dict[str, Any]:
    if len(json.dumps(value, ensure_ascii=True, separators=(",", ":"))) > META_LIMIT_BYTES:
        # Escapes make the text longer than its UTF-8, so only what looks too large is measured exactly.
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        if len(text.encode("utf-8", "surrogatepass")) > META_LIMIT_BYTES:
            raise ValueError(f"must not be larger than {META_LIMIT_BYTES} bytes as JSON")
    return value


Meta = Annotated[JsonObject, AfterValidator(_small)]
"""The application's own fields of a record."""


class Model(BaseModel):
    """An object with on-disk names, unknown members and an order; entities and the objects inside them."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        populate_by_name=True,
        extra="allow",
        frozen=True,
        hide_input_in_errors=True,
    )

    @classmethod
    def members(cls) -> tuple[tuple[str, str], ...]:
        """Return (attribute, on-disk name) of every declared field in the order they are written."""
        return _members(cls)

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        """Leave hidden members out of `repr`, and unknown ones too: nobody said what they hold."""
        hidden = _hidden(type(self))
        return ((name, getattr(self, name)) for name, _ in self.members() if name not in hidden)

    def _plain(self) -> dict[str, Any]:
        values = ((name, _plain(getattr(self, attribute))) for attribute, name in self.members())
        record = {name: value for name, value in values if value is not None}
        return record | {name: _plain(value) for name, value in (self.model_extra or {}).items()}


class Entity(Model):
    """A record of one of the catalog's kinds.

    Attributes:
        declaration: what the class says about its kind.
        meta: the application's own free JSON of up to 64 KiB, `_meta` on disk, `meta` on the wire.
    """

    declaration: ClassVar[Declaration]

    meta: Meta | None = Field(default=None, alias="_meta")

    _source: dict[str, Any] | None = PrivateAttr(default=None)
    _version: str | Callable[[], str] = PrivateAttr(default="")
    _as_read: bool = PrivateAttr(default=False)

    @property
    def version(self) -> str:
        """The stored version this object was read at, 32 hex digits; empty if it was never stored."""
        if callable(self._version):
            self._version = self._version()
        return self._version

    @classmethod
    def variants(cls) -> tuple[type[Entity], ...]:
        """Return the classes that a record of this kind may become, each with fields of its own."""
        return (cls,)

    @classmethod
    def from_record(cls, record: Mapping[str, Any], *, version: str | Callable[[], str] = "") -> Self:
        """Read a record with its on-disk names, ours or the original's version 1.

        Args:
            record: the members; bookkeeping members are left out.
            version: what `version` answers, or what says so when it is asked: lists have no use for it.

        Raises:
            InvalidError: a member is missing or has a wrong value; `field` names it. Values are never in the message.
        """
        source = {name: value for name, value in record.items() if name not in BOOKKEEPING}
        entity = cls._validated(source, by_name=False)
        entity._as_read = True  # noqa: SLF001 - its own class
        return _read_from(entity, source, version)

    @classmethod
    def build(cls, fields: Mapping[str, Any]) -> Self:
        """Make a new object from attribute names or on-disk names.

        Raises:
            InvalidError: as `from_record`, and for a name that the class does not declare.
        """
        cls._known(fields)
        return cls._validated(dict(fields), by_name=True)

    def replaced(self, **fields: object) -> Self:
        """Return a copy with these fields (attribute or on-disk names) changed and everything else as it was.

        Raises:
            InvalidError: as `build`.
        """
        names = dict(self.members())
        self._known(fields)
        changes = {names.get(name, name): _plain(value) for name, value in fields.items()}
        entity = self._validated(self.to_record() | changes, by_name=False)
        return _read_from(entity, self._source, self._version)

    def to_record(self) -> dict[str, Any]:
        """Return the record with its on-disk names in the order of writing.

        What was not touched since `from_record` is as it was there, an absent member absent; a new object has every
        member that is not None.
        """
        source = self._source
        if source is None:
            return self._plain()
        before = self._validated(source, by_name=False)
        record: dict[str, Any] = {}
        for attribute, name in self.members():
            value = _plain(getattr(self, attribute))
            if _same(value, _plain(getattr(before, attribute))):
                if name in source:
                    record[name] = _plain(source[name])
            else:
                record[name] = value
        return record | {name: _plain(value) for name, value in (self.model_extra or {}).items()}

    def shown_record(self) -> dict[str, Any]:
        """Return the same without looking for changes where none can be: for answers, which only read it.

        An object as `from_record` made it gives what was read, not a copy.
        """
        return self._source if self._as_read and self._source is not None else self.to_record()

    def __eq__(self, other: object) -> bool:
        """Compare the members; where the object was read from does not count."""
        if not isinstance(other, Entity) or type(self) is not type(other):
            return NotImplemented
        return self._plain() == other._plain()

    __hash__ = None  # type: ignore[assignment] # its lists and objects are mutable

    @classmethod
    def _known(cls, fields: Mapping[str, object]) -> None:
        known = {name for pair in cls.members() for name in pair}
        for name in fields:
            if name not in known:
                raise InvalidError(f"A {cls.declaration.name} has no field {name!r}.", field=name)

    @classmethod
    def _validated(cls, record: dict[str, Any], *, by_name: bool) -> Self:
        try:
            return cls.model_validate(record, by_alias=True, by_name=by_name)
        except ValidationError as error:
            first = error.errors(include_url=False, include_context=False, include_input=False)[0]
            field = ".".join(str(part) for part in first["loc"])
            reason = first["msg"].removeprefix("Value error, ")
            raise InvalidError(f"{cls.__name__}: {field or 'the record'}: {reason}.", field=field) from error


class Dated(Entity):
    """An entity with both timestamps, which are the store's to set."""

    created_at: Annotated[Timestamp, Filter()]
    updated_at: Annotated[Timestamp, Filter()]


def _read_from(entity: AnyEntity, source: dict[str, Any] | None, version: str | Callable[[], str]) -> AnyEntity:
    entity._source = source  # noqa: SLF001 - this module's own
    entity._version = version  # noqa: SLF001 - the same
    return entity


def in_order(names: Iterable[str]) -> tuple[str, ...]:
    """Return on-disk names in the order of writing, given the order of their fields: dates late, ours last."""
    return tuple(sorted(dict.fromkeys(names), key=_rank))


def _rank(name: str) -> tuple[bool, bool]:
    return name.startswith("_"), name in _LAST


@cache
def _members(cls: type[Model]) -> tuple[tuple[str, str], ...]:
    pairs = [(attribute, str(field.alias)) for attribute, field in cls.model_fields.items()]
    return tuple(sorted(pairs, key=lambda pair: _rank(pair[1])))


@cache
def _hidden(cls: type[Model]) -> frozenset[str]:
    names = {place.path[0] for place in places(cls) if len(place.path) == 1 and place.marker(Hidden) is not None}
    return frozenset(attribute for attribute, name in _members(cls) if name in names)


def _plain(value: object) -> Any:  # noqa: ANN401 - JSON
    if isinstance(value, Model):
        return value._plain()  # noqa: SLF001 - the same family
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {str(name): _plain(item) for name, item in value.items()}
    return value.value if isinstance(value, Enum) else value


def _same(left: object, right: object) -> bool:
    # Python holds true, 1 and 1.0 for equal, a record must not; inside of lists and objects JSON text tells them apart.
    if isinstance(left, list | dict):
        return left == right and json.dumps(left) == json.dumps(right)
    return type(left) is type(right) and left == right
