"""What became of a record, told: from how it was judged, and whether it could be stored, to the item of the report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..report import Item, Status
from ..verdict import Verdict, judge
from .sealed import without_envelope

if TYPE_CHECKING:
    from collections.abc import Sequence

    from metadata.documents.contract import Record
    from metadata.errors import CalotypeError
    from metadata.schemas.catalog import Kind

    from ..sources import Found

_CHANGED = "It was changed since it was imported; what is here was kept."


@dataclass(frozen=True, slots=True)
class Ready:
    """A record that was judged and may be stored.

    Attributes:
        found: as it is there.
        body: as it is to be here.
        notes: what had to be changed, a sentence each.
        verdict: what to do with it.
        version: of what is here, empty where nothing is.
    """

    found: Found
    body: Record
    notes: Sequence[str]
    verdict: Verdict
    version: str


def outcome(kind: str, one: Ready, error: CalotypeError | None) -> Item:
    """Return the item of a judged record, given why it could not be stored, if it could not."""
    record, here = one.found.record or {}, str(one.body["id"])
    if error is not None:
        return item_of(kind, Status.FAILED, one.found, record, why=error.message)
    status = _STATUSES[one.verdict]
    if status is Status.IMPORTED and here != record.get("id"):
        status = Status.REMAPPED
    why = _CHANGED if status is Status.SKIPPED else ""
    notes = one.notes if status in (Status.IMPORTED, Status.REMAPPED) else _standing(one.notes)
    return item_of(kind, status, one.found, record, here, why, notes)


_STATUSES = {
    Verdict.NEW: Status.IMPORTED,
    Verdict.SAME: Status.SAME,
    Verdict.RENEW: Status.IMPORTED,
    Verdict.KEPT: Status.SKIPPED,
}


def judge_sealed(kind: Kind, stored: Record | None, body: Record, *, newer: bool) -> Verdict:
    """Judge a record as `judge` does, also one whose envelope is another each time it is sealed."""
    bare = None if stored is None else without_envelope(kind, stored)
    verdict = judge(kind, bare, without_envelope(kind, body), newer=newer)
    opened_now = stored is not None and "_keyId" not in stored and "_keyId" in body
    return Verdict.RENEW if verdict is Verdict.SAME and opened_now else verdict


def _standing(notes: Sequence[str]) -> Sequence[str]:
    """Return those notes that hold for what is here already, too: that something has to be entered again."""
    return [note for note in notes if "needs re-entry" in note]


def unreadable(kind: str, found: Found) -> Item:
    """Return the item of a place that cannot be read."""
    return Item(kind, Status.FAILED, found.place, why=found.problem)


def item_of(
    kind: str,
    status: Status,
    found: Found,
    record: dict[str, Any],
    here: str = "",
    why: str = "",
    notes: Sequence[str] = (),
) -> Item:
    """Return the item of a record.

    Args:
        kind: the record's kind.
        status: what became of it.
        found: where it was.
        record: as it is there.
        here: its id here, where it has one.
        why: as an item's.
        notes: as an item's.
    """
    there = str(record.get("id") or "")
    name = next((str(record[one]) for one in ("name", "title", "label", "filename") if record.get(one)), "")
    return Item(kind, status, found.place, there, name, here if here != there else "", why, tuple(notes))
