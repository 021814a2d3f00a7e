"""References that lead nowhere and links that only one end knows of, looked at again with the gate held."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..documents.removals import FOLDER
from ..errors import UnreadableError
from ..files import quarantine
from ..findings import Finding, Repair
from ..index.tables import field_name
from ..schemas.catalog import CATALOG, TAG_TYPES, Kind, RefField
from ..schemas.fields import OnDelete
from ..schemas.homes import InArray, InMember, Lines

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..documents.comparing import Compared
    from ..documents.contract import Documents, Record
    from ..files.engine import FileEngine
    from ..index.graph import Edge

_AT_ONCE = 100
"""Suspicions looked at while the gate is held once."""

_SETTLED = (OnDelete.CLEAR, OnDelete.REMOVE)


class GraphCheck:
    """Looks at references again.

    Args:
        documents: the records.
        engine: tells which files are there.
        compared: the suspicions, and which files are damaged.
    """

    def __init__(self, documents: Documents, engine: FileEngine, compared: Compared) -> None:
        self._documents = documents
        self._engine = engine
        self._compared = compared
        self._doubtful = {problem.kind for problem in compared.problems if problem.problem == "unreadable"}
        self._doubtful |= {kind.name for kind in CATALOG.values() if _incomplete(engine, kind)}

    def findings(self) -> Iterator[Finding]:
        """Yield what stands up to a second look."""
        found = self._compared
        suspicions: list[tuple[Edge, str]] = [*((edge, "") for edge in found.dangling), *found.one_sided]
        for start in range(0, len(suspicions), _AT_ONCE):
            with self._documents.guard(exclusive=True):
                told = [self._looked(edge, back) for edge, back in suspicions[start : start + _AT_ONCE]]
            yield from (finding for finding in told if finding is not None)
        if found.ownerless or found.parentless:
            # A record goes first and what belongs to it after it, in one operation, which holds the gate.
            with self._documents.guard(exclusive=True):
                left = [*self._ownerless(), *self._parentless()]
            yield from left

    def _ownerless(self) -> Iterator[Finding]:
        for kind, key, owner in self._compared.ownerless:
            if self._body(kind, key) is not None and not self._exists("user", owner):
                yield Finding("ownerless", f"{kind} {key}", f"It belongs to user {owner}, who does not exist.")

    def _parentless(self) -> Iterator[Finding]:
        if any(name.endswith(".json") for name in self._engine.list(FOLDER)):
            return  # a great removal is under way, whose logs go last
        for path, parent, events in self._compared.parentless:
            folder, _, name = path.rpartition("/")
            if name in self._engine.list(folder) and not self._exists(parent, name.partition(".")[0]):
                yield Finding("parentless", path, f"It holds {events} events of a {parent} that does not exist.")

    def _looked(self, edge: Edge, back: str) -> Finding | None:
        body = self._body(edge.kind, edge.key)
        ref = next(ref for ref in CATALOG[edge.kind].refs if field_name(ref) == edge.field)
        if body is None or edge.target not in ref.values(body):
            return None
        return self._one_sided(edge, back) if back else self._dangling(edge, ref, body)

    def _dangling(self, edge: Edge, ref: RefField, body: Record) -> Finding | None:
        target = f"{body.get('chatId')}/{edge.target}" if edge.to == "message" else edge.target
        kinds = [edge.to] if edge.to else list(TAG_TYPES.values())
        if any(self._exists(kind, target) for kind in kinds):
            return None
        # What cannot be read may be what is referred to: nothing is taken away while that is so.
        certain = self._doubtful.isdisjoint(kinds) and ref.rule(body, force=True) in _SETTLED
        return Finding(
            "dangling",
            f"{edge.kind} {edge.key}",
            f"{edge.field} names {edge.to or 'a tag'} {edge.target}, which does not exist.",
            Repair.UNLINK if certain else Repair.NONE,
            {"field": edge.field, "target": edge.target, "recordKind": edge.kind, "key": edge.key},
        )

    def _one_sided(self, edge: Edge, back: str) -> Finding | None:
        other = self._body(edge.to, edge.target)
        if other is None:
            return None
        ref = next(ref for ref in CATALOG[edge.to].refs if field_name(ref) == back)
        named = ref.values(other)
        if edge.key in named:
            return None
        return Finding(
            "one-sided",
            f"{edge.kind} {edge.key}",
            f"{edge.field} names {edge.to} {edge.target}, whose {back} does not name it.",
            Repair.LINK if ref.many or not named else Repair.NONE,  # one that names another is not ours to decide
            {"field": back, "target": edge.key, "recordKind": edge.to, "key": edge.target},
        )

    def _body(self, kind: str, key: str) -> Record | None:
        try:
            stored = self._documents.get(kind, key)
        except UnreadableError:
            return None
        return None if stored is None else stored.body

    def _exists(self, kind: str, key: str) -> bool:
        try:
            return self._documents.get(kind, key) is not None
        except UnreadableError:
            return True


def without(body: Record, kind: str, field: str, target: str) -> Record:
    """Return a record without a reference, as it would be had its target been deleted."""
    ref = next(ref for ref in CATALOG[kind].refs if field_name(ref) == field)
    return ref.without(body, target) or body


def linked(body: Record, kind: str, field: str, target: str) -> Record:
    """Return a record that names the other end of a link, too."""
    ref = next(ref for ref in CATALOG[kind].refs if field_name(ref) == field)
    if target in ref.values(body):
        return body
    member = ref.path[0]
    if not ref.many:
        return {**body, member: target}
    held = body.get(member)
    item: object = target if len(ref.path) == len(("member", "*")) else {ref.path[-1]: target, "isDefault": False}
    return {**body, member: [*(held if isinstance(held, list) else []), item]}


def _incomplete(engine: FileEngine, kind: Kind) -> bool:
    """Tell whether records of a kind may be missing: their one file is gone, or a part was set aside."""
    home = kind.home
    place = home.path if isinstance(home, (InArray, InMember, Lines)) else f"{home.folder}/"
    fixed = isinstance(home, (InArray, InMember, Lines))
    if fixed and not engine.paths.resolve(place).exists():
        return True
    prefix = place.replace("/", "-")
    return any(name.startswith(prefix) for name in engine.list(quarantine.FOLDER))
