"""The reference graph at work: what has to happen when a record goes.

The rules are the schema's (`RefField.rule`); this module turns them into the changes of one operation, or into the
list of what forbids it. Nothing is written here.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from .belonging import owners_of
from .documents.contract import ANY, Change, Documents, Edit, Expectation, Record, Referrer, drop
from .documents.removals import refusal
from .documents.settling import within
from .index.children import children_of, parent_of
from .index.query import MAX_LIMIT, Query
from .index.tables import field_name
from .schemas.catalog import CATALOG, RefField
from .schemas.fields import OnDelete

if TYPE_CHECKING:
    from collections.abc import Mapping


def remove(documents: Documents, kind: str, key: str, *, expect: Expectation = ANY, force: bool = False) -> None:
    """Remove a record and settle everything that refers to it.

    What is little is one operation; what is much is decided at once and carried out bit by bit, see `retire`.

    Raises:
        NotFoundError: there is no such record.
        StaleError: it is not of the expected version.
        ConflictError: a rule forbids it; `referrers` lists what refers to the record.
    """
    with documents.guard(exclusive=True):
        if not documents.retire(kind, key, expect=expect, force=force):
            documents.apply(removal(documents, kind, key, expect=expect, force=force))


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
    blockers = plan.blockers
    if blockers:
        raise refusal(kind, blockers)
    return plan.changes()


class _Plan:
    """The removals and edits found so far; a record to be removed is not edited, and forbids nothing."""

    def __init__(self, documents: Documents, *, force: bool) -> None:
        self._documents = documents
        self._force = force
        self._removed: dict[tuple[str, str], Expectation] = {}
        self._edits: dict[tuple[str, str], list[tuple[RefField, str]]] = {}
        self._drops: list[Change] = []
        self._blockers: list[Referrer] = []

    @property
    def blockers(self) -> list[Referrer]:
        """What forbids the removal and does not go itself."""
        return [by for by in self._blockers if not self._goes(by.kind, by.key)]

    def remove(self, kind: str, key: str, expect: Expectation = ANY) -> None:
        if (kind, key) in self._removed:
            return
        self._removed[kind, key] = expect
        self._drops.extend(drop(child.name, key) for child in children_of(CATALOG, kind))
        for referrer in self._documents.referrers(kind, key):
            self._settle(referrer, kind, key)
        if kind == "asset" and not self._force:
            self._check_mentions(key)
        if kind == "user":
            self._settle_owned(key)

    def changes(self) -> list[Change]:
        edits = [
            Change(kind, key, _clearing(fields))
            for (kind, key), fields in self._edits.items()
            if not self._goes(kind, key)
        ]
        removals = [
            Change(kind, key, lambda _: None, expect, removes=True) for (kind, key), expect in self._removed.items()
        ]
        return edits + removals + self._drops

    def _goes(self, kind: str, key: str) -> bool:
        """Tell whether a record is removed, by itself or with its parent's log."""
        parent = parent_of(CATALOG[kind])
        return (kind, key) in self._removed or (parent is not None and (parent, key.partition("/")[0]) in self._removed)

    def _settle(self, referrer: Referrer, kind: str, key: str) -> None:
        stored = self._documents.get(referrer.kind, referrer.key)
        if stored is None:
            return
        parent, _, target = key.rpartition("/")
        if parent and stored.body.get(str(CATALOG[kind].parent)) != parent:
            return  # a record of the same id in another log is meant
        for ref in CATALOG[referrer.kind].refs:
            if field_name(ref) == referrer.field and target in ref.values(stored.body):
                self._follow_rule(ref, referrer, stored.body, target)

    def _settle_owned(self, user_id: str) -> None:
        """Follow the rule of the field that names the owner; it is a column of the index and no reference there."""
        for kind in CATALOG.values():
            ref = next((ref for ref in kind.refs if ref.path == (kind.owner,)), None)
            cursor: str | None = None
            while ref is not None:
                page = self._documents.find(kind.name, Query(owner=user_id, limit=MAX_LIMIT, cursor=cursor))
                for stored in page.items:
                    referrer = Referrer(kind.name, stored.key, field_name(ref), user_id)
                    self._follow_rule(ref, referrer, stored.body, user_id)
                cursor = page.next_cursor
                if cursor is None:
                    break

    def _follow_rule(self, ref: RefField, referrer: Referrer, body: Mapping[str, Any], target: str) -> None:
        rule = ref.rule(body, force=self._force)
        if rule is OnDelete.REFUSE:
            self._blockers.append(referrer)
        elif rule is OnDelete.CASCADE:
            self.remove(referrer.kind, referrer.key)
        elif rule is not OnDelete.KEEP:
            edits = self._edits.setdefault((referrer.kind, referrer.key), [])
            edits.append((ref, target))
            edits.extend(within(CATALOG[referrer.kind], ref, body))

    def _check_mentions(self, key: str) -> None:
        stored = self._documents.get("asset", key)
        if stored is None:
            return
        found = self._documents.mentions(str(stored.body["sha256"]))
        for referrer, owner in zip(found, owners_of(self._documents, found), strict=True):
            # What another user writes does not keep this user from deleting a record of their own.
            if owner in ("", stored.body.get("userId")):
                self._blockers.append(referrer)


def _clearing(fields: list[tuple[RefField, str]]) -> Edit:
    def edit(body: Record | None) -> Record | None:
        for ref, target in fields:
            if body is not None:
                body = ref.without(body, target) or body
        return copy.deepcopy(body)

    return edit
