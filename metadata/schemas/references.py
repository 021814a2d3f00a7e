"""A field that refers to records of another kind: reading its values and taking one out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from .enums import ImageTagType
from .fields import OnDelete

TAG_TYPES: Mapping[str, str] = {
    ImageTagType.THEME: "tag",
    ImageTagType.CHARACTER: "character",
    ImageTagType.PERSONA: "persona",
    ImageTagType.CHAT: "chat",
}
"""The kind that each ImageTagType means: what an asset's tag id may name."""


@dataclass(frozen=True, slots=True)
class RefField:
    """A declared reference.

    Attributes:
        path: on-disk names from the record down, `*` for every element of a list.
        to: the kind referred to; None: one of `TAG_TYPES`' kinds.
        on_delete: the rule when the target is deleted.
        forced: the rule instead of REFUSE when the caller insists, or None.
        cascade_if: (member, value): CASCADE for records whose member has this value.
        types: for `to` None the member that maps ids to ImageTagTypes.
    """

    path: tuple[str, ...]
    to: str | None
    on_delete: OnDelete
    forced: OnDelete | None = None
    cascade_if: tuple[str, str] | None = None
    types: str | None = None

    @property
    def name(self) -> str:
        """Return the path as text, such as `personaLinks.*.personaId`."""
        return ".".join(self.path)

    @property
    def many(self) -> bool:
        """Return whether a record may hold several."""
        return "*" in self.path

    @property
    def targets(self) -> tuple[str, ...]:
        """Return the kinds that may be referred to."""
        return (self.to,) if self.to is not None else tuple(TAG_TYPES.values())

    @property
    def may_cascade(self) -> bool:
        """Return whether a record may be deleted along with its target, if only when the caller insists."""
        return OnDelete.CASCADE in (self.on_delete, self.forced) or self.cascade_if is not None

    def values(self, record: Mapping[str, Any]) -> list[str]:
        """Return the ids that a record holds here, in order, repetitions included."""
        return list(_values(record, self.path))

    def target_kind(self, record: Mapping[str, Any], target: str) -> str | None:
        """Return the kind of the record that an id held here names; None: unknown, to be found by looking it up."""
        if self.to is not None or self.types is None:
            return self.to
        types = record.get(self.types)
        if not isinstance(types, Mapping):
            return None
        return TAG_TYPES.get(types.get(target, ImageTagType.THEME))

    def rule(self, record: Mapping[str, Any], *, force: bool = False) -> OnDelete:
        """Return what to do with this record when its target is deleted."""
        if self.cascade_if is not None and record.get(self.cascade_if[0]) == self.cascade_if[1]:
            return OnDelete.CASCADE
        if self.on_delete is OnDelete.REFUSE and force and self.forced is not None:
            return self.forced
        return self.on_delete

    def without(self, record: Mapping[str, Any], target: str) -> dict[str, Any] | None:
        """Return a copy of the record that does not refer to the target here; None if this one does not.

        A list loses the element (REMOVE, whether by rule or forced), a member is dropped (CLEAR).
        """
        if target not in self.values(record):
            return None
        whole = OnDelete.REMOVE in (self.on_delete, self.forced)
        changed: dict[str, Any] = _without(deepcopy(dict(record)), self.path, target, whole=whole)
        types = changed.get(self.types) if self.types is not None else None
        if isinstance(types, dict):
            types.pop(target, None)
        return changed

    def renamed(self, record: Mapping[str, Any], target: str, heir: str) -> dict[str, Any]:
        """Return a copy of the record whose list of ids names another record in the place of the target, each once."""
        changed = deepcopy(dict(record))
        holder: Any = changed
        for name in self.path[:-2]:
            holder = holder[name]
        held = holder[self.path[-2]]
        holder[self.path[-2]] = list(dict.fromkeys(heir if each == target else each for each in held))
        types = changed.get(self.types) if self.types is not None else None
        if isinstance(types, dict):
            types.pop(target, None)
        return changed


def _values(value: object, path: tuple[str, ...]) -> Iterator[str]:
    if not path:
        if isinstance(value, str):
            yield value
    elif path[0] == "*":
        for item in value if isinstance(value, list) else []:
            yield from _values(item, path[1:])
    elif isinstance(value, Mapping):
        yield from _values(value.get(path[0]), path[1:])


def _without(value: Any, path: tuple[str, ...], target: str, *, whole: bool) -> Any:  # noqa: ANN401 - JSON
    head, rest = path[0], path[1:]
    if head == "*":
        if not isinstance(value, list):
            return value
        if not rest or whole:
            return [item for item in value if target not in _values(item, rest)]
        return [_without(item, rest, target, whole=whole) for item in value]
    if not isinstance(value, dict) or head not in value:
        return value
    if rest:
        value[head] = _without(value[head], rest, target, whole=whole)
    elif value[head] == target:
        del value[head]
    return value
