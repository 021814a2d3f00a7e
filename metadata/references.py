"""The reference graph at work: what has to happen when a record goes.

The rules are the schema's (`RefField.rule`); this module turns them into the changes of one operation, or into the
list of what forbids it. Nothing is written here.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from .documents.contract import ANY, Change, Documents, Edit, Expectation, Record, Referrer
from .errors import ConflictError
from .index.tables import field_name
from .schemas.catalog import CATALOG, RefField
from .schemas.fields import OnDelete

if TYPE_CHECKING:
    from collections.abc import Mapping

LISTED = 100
"""How many referrers a refusal lists."""


def removal(
    documents: Documents, kind: str, key: str, *, expect: Expectation = ANY, force: bool = False
) -> list[Change]:
    """Return the changes that remove a record and settle everything that refers to it, in one operation.

    Call it with the gate held exclusively, so that no reference appears between planning and applying.

    Raises:
        ConflictError: a rule forbids it; `referrers` lists what refers to the record.
    """
    plan = _Plan(documents, force=force)
    plan.remove(kind, key, expect)
    if plan.blockers:
        raise ConflictError(
            f"This {kind} is still used in {len(plan.blockers)} place(s). Remove it there first, or repeat the request"
            " with force=1, which clears those references.",
            referrers=[{"kind": by.kind, "id": by.key, "field": by.field} for by in plan.blockers[:LISTED]],
            count=len(plan.blockers),
        )
    return plan.changes()


class _Plan:
    """The removals and edits found so far; a record to be removed is not edited."""

    def __init__(self, documents: Documents, *, force: bool) -> None:
        self._documents = documents
        self._force = force
        self._removed: dict[tuple[str, str], Expectation] = {}
        self._edits: dict[tuple[str, str], list[tuple[RefField, str]]] = {}
        self.blockers: list[Referrer] = []

    def remove(self, kind: str, key: str, expect: Expectation = ANY) -> None:
        if (kind, key) in self._removed:
            return
        self._removed[kind, key] = expect
        for referrer in self._documents.referrers(kind, key):
            self._settle(referrer, key.rpartition("/")[2])
        if kind == "asset" and not self._force:
            self._check_mentions(key)

    def changes(self) -> list[Change]:
        edits = [
            Change(kind, key, _clearing(fields))
            for (kind, key), fields in self._edits.items()
            if (kind, key) not in self._removed
        ]
        return edits + [
            Change(kind, key, lambda _: None, expect, removes=True) for (kind, key), expect in self._removed.items()
        ]

    def _settle(self, referrer: Referrer, target: str) -> None:
        stored = self._documents.get(referrer.kind, referrer.key)
        if stored is None:
            return
        for ref in CATALOG[referrer.kind].refs:
            if field_name(ref) == referrer.field and target in ref.values(stored.body):
                self._follow_rule(ref, referrer, stored.body, target)

    def _follow_rule(self, ref: RefField, referrer: Referrer, body: Mapping[str, Any], target: str) -> None:
        rule = ref.rule(body, force=self._force)
        if rule is OnDelete.REFUSE:
            self.blockers.append(referrer)
        elif rule is OnDelete.CASCADE:
            self.remove(referrer.kind, referrer.key)
        elif rule is not OnDelete.KEEP:
            self._edits.setdefault((referrer.kind, referrer.key), []).append((ref, target))

    def _check_mentions(self, key: str) -> None:
        stored = self._documents.get("asset", key)
        if stored is None:
            return
        for referrer in self._documents.mentions(str(stored.body["sha256"])):
            # What another user writes does not keep this user from deleting a record of their own.
            if referrer.owner in ("", stored.body.get("userId")):
                self.blockers.append(referrer)


def _clearing(fields: list[tuple[RefField, str]]) -> Edit:
    def edit(body: Record | None) -> Record | None:
        for ref, target in fields:
            if body is not None:
                body = ref.without(body, target) or body
        return copy.deepcopy(body)

    return edit
