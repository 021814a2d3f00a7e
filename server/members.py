"""The members that JSON bodies of one kind may hold, and records made from such bodies; derived from the catalog.

What the store sets or an answer derives is accepted and ignored, so that a client may send back what it was given;
members that a record already has though no schema knows them are accepted too; any other unknown name is refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from metadata.errors import DeniedError, InvalidError
from metadata.schemas.base import Model
from metadata.schemas.introspect import places
from metadata.sealing import KEY_ID

from .editing import merge_patch, on_wire
from .responses import encode_json
from .wire import entity_wire

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from metadata.schemas.base import Entity
    from metadata.schemas.catalog import Kind

    from .auth import Caller

    Fields = dict[str, Any]


def as_given(fields: Fields) -> Fields:
    """Return fields as they are: what most kinds make of them before they are stored."""
    return fields


@dataclass(frozen=True, slots=True, kw_only=True)
class Members:
    """What the bodies of one kind may hold.

    Attributes:
        kind: the kind.
        accepted: hidden members that a body may set, by their names on the wire, and others that are no members.
        once: those of `accepted` that only a new record may be given.
        derived: names that only answers have.
        guarded: members that only an administrator may set.
        shown: makes the answer that a client was given, without what is derived from other records.
        settled: completes fields (by their names on disk) before they are stored.
    """

    kind: Kind
    accepted: tuple[str, ...] = ()
    once: tuple[str, ...] = ()
    derived: tuple[str, ...] = ()
    guarded: tuple[str, ...] = ()
    shown: Callable[[Entity], dict[str, object]] = entity_wire
    settled: Callable[[Fields], Fields] = as_given

    @property
    def ignored(self) -> frozenset[str]:
        """The names that a body may hold without effect."""
        kind = self.kind
        own = [name for name in ("id", kind.created, kind.updated, kind.parent, KEY_ID, *kind.derived) if name]
        return frozenset(_bare(name) for name in own) - set(self.accepted) | set(self.derived)

    @property
    def on_disk(self) -> dict[str, str]:
        """The names that a body may set, and what they are called on disk."""
        hidden = set(self.kind.hidden) | {sealed.member for sealed in self.kind.sealed}
        names = {_bare(name): name for name in self.kind.members if name not in hidden}
        return {name: disk for name, disk in names.items() if name not in self.ignored} | {
            name: name for name in self.accepted
        }

    @property
    def answered(self) -> list[str]:
        """The names of an answer's members, in its order."""
        return [*(_bare(name) for name in self.kind.members if name not in self.kind.hidden), *self.derived]

    def new(self, body: Mapping[str, object], caller: Caller) -> Fields:
        """Return the fields of a new record, by their names on disk.

        Raises:
            InvalidError: an unknown member.
            DeniedError: another owner, or a guarded member, by somebody who is no administrator.
        """
        fields = self._fields(body, {}, caller, None)
        if self.kind.owner is not None:
            fields.setdefault(self.kind.owner, caller.user_id)
        return self.settled({name: value for name, value in fields.items() if value is not None})

    def whole(self, body: Mapping[str, object], current: Entity, caller: Caller) -> Fields:
        """Return the fields of a record that a body replaces; the owner stays unless another is given.

        Raises:
            InvalidError, DeniedError: as `new`.
        """
        before, record = self.shown(current), current.to_record()
        fields = self._fields(body, before, caller, current)
        if not caller.admin:
            guarded = [name for name in self.guarded if self.on_disk[name] in record]
            fields |= {self.on_disk[name]: record[self.on_disk[name]] for name in guarded}
        return self.settled(
            {
                name: value
                for name, value in fields.items()
                if value is not None and not (name not in record and _alike(value, before.get(_bare(name))))
            }
        )

    def patched(self, patch: Mapping[str, object], current: Entity, caller: Caller) -> Entity:
        """Return a record as a merge patch (RFC 7396) makes it.

        Raises:
            InvalidError: as `new`; or a member that is required is removed, or has a wrong value.
            DeniedError: as `new`.
        """
        before = self.shown(current)
        fields = self._fields(patch, before, caller, current)
        changes: Fields = {}
        for name, value in fields.items():
            after = merge_patch(before.get(_bare(name)), value)
            if name in self.accepted or not _alike(after, before.get(_bare(name))):
                changes[name] = self._default(current, name) if value is None else after
        try:
            return _with_unknown(current.replaced(**self.settled(changes)), self._unknown(patch, current), current)
        except InvalidError as error:
            raise on_wire(error) from error

    def _fields(
        self, body: Mapping[str, object], before: Mapping[str, object], caller: Caller, current: Entity | None
    ) -> Fields:
        """Return what a body sets, by the names on disk, each name judged."""
        known, stored = self.on_disk, self._unknown(body, current)
        fields: Fields = {}
        for name, value in body.items():
            if name in self.once and current is not None:
                raise InvalidError(f"{name} is given once, when the record is made.", field=name)
            if name in known:
                fields[known[name]] = self._inner(known[name], value, before.get(name))
            elif name not in self.ignored and name not in stored:
                raise InvalidError(f"A {self.kind.name} has no member {name[:80]!r}.", field=name[:80])
        self._check_caller(body, before, caller)
        return fields

    def _check_caller(self, body: Mapping[str, object], before: Mapping[str, object], caller: Caller) -> None:
        if caller.admin:
            return
        owner = _bare(self.kind.owner) if self.kind.owner else None
        given = None if owner is None else body.get(owner)
        if given is not None and given != before.get(str(owner), caller.user_id):
            raise DeniedError("Only an administrator may give a record to somebody else.", field=owner)
        for name in self.guarded:
            if name in body and not _alike(body[name], before.get(name)):
                raise DeniedError(f"Only an administrator may set {name}.", field=name)

    def _unknown(self, body: Mapping[str, object], current: Entity | None) -> Fields:
        """Return what a body says of members that the record has though no schema knows them."""
        extra = (current.model_extra or {}) if current is not None else {}
        return {name: value for name, value in body.items() if name in extra and not name.startswith("_")}

    def _inner(self, member: str, value: object, before: object) -> object:
        """Return a member's value without what answers derive in it, unknown names in its objects refused."""
        model = self._models().get(member)
        if model is None or not isinstance(value, list):
            return value
        earlier = before if isinstance(before, list) else []
        known = {name for _, name in model.members()}.union(*(item for item in earlier if isinstance(item, dict)))
        return [self._checked(member, item, known) if isinstance(item, dict) else item for item in value]

    def _checked(self, member: str, item: Mapping[str, object], known: set[str]) -> Fields:
        kept = {name: value for name, value in item.items() if name != "avatar"}
        for name in kept:
            if name not in known:
                path = f"{_bare(member)}.{name[:80]}"
                raise InvalidError(f"There is no member {path!r} of a {self.kind.name}.", field=path)
        return kept

    def _models(self) -> dict[str, type[Model]]:
        """Return the members that are lists of objects, with the class of these."""
        found = [place for variant in self.kind.model.variants() for place in places(variant)]
        inner = [(place.path[0], place.model) for place in found if place.path[1:] == ("*",)]
        return {name: model for name, model in inner if model is not None and issubclass(model, Model)}

    def _default(self, current: Entity, name: str) -> object:
        """Return what a member that a patch removes becomes."""
        attribute = next((attribute for attribute, disk in current.members() if disk == name), name)
        field = type(current).model_fields.get(attribute)
        if field is None or field.is_required():
            raise InvalidError(f"{_bare(name)} cannot be removed.", field=_bare(name))
        default: object = field.get_default(call_default_factory=True)
        return default


def _with_unknown(changed: Entity, unknown: Mapping[str, object], current: Entity) -> Entity:
    if not unknown:
        return changed
    record = changed.to_record()
    for name, value in unknown.items():
        merged = merge_patch(record.get(name), value)
        if merged is None:
            record.pop(name, None)
        else:
            record[name] = merged
    return type(current).from_record(record, version=current.version)


def _alike(one: object, other: object) -> bool:
    """Tell whether two values are the same JSON; Python holds true and 1 for equal."""
    return one == other and encode_json(one) == encode_json(other)


def _bare(name: str) -> str:
    return name.removeprefix("_")
