"""What an import did, item by item and in numbers; the same for whatever is imported.

A report keeps every item, and an item stands for one record, for one damaged place, or for many events of one chat, so
that it stays small beside what it reports.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


class Status(StrEnum):
    """What became of something that was to be imported."""

    IMPORTED = "imported"
    """It is here now, as it was there."""
    SAME = "same"
    """It was here already, and nothing was changed."""
    REMAPPED = "remapped"
    """It is here under another id, or what was here already stands for it; `new_id` says which."""
    SKIPPED = "skipped"
    """It was left out on purpose, or what is here was kept instead; `why` says the reason."""
    FAILED = "failed"
    """It is not here; `why` says the reason."""


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that was to be imported.

    Attributes:
        kind: the kind in the catalog that it is or was to become.
        status: what became of it.
        place: where it was found: a path below the folder, with `:line` in a journal.
        id: its id there, empty where it has none that can be read.
        name: what people call it, empty where it has none.
        new_id: its id here, where that is another.
        why: the reason, for what is skipped or failed.
        notes: what had to be changed to bring it here, one sentence each.
        count: how many it stands for.
    """

    kind: str
    status: Status
    place: str
    id: str = ""
    name: str = ""
    new_id: str = ""
    why: str = ""
    notes: Sequence[str] = ()
    count: int = 1

    def document(self) -> dict[str, object]:
        """Return it for programs; members that say nothing are left out."""
        said: dict[str, object] = {"kind": self.kind, "status": self.status.value, "place": self.place}
        texts = {"id": self.id, "name": self.name, "newId": self.new_id, "why": self.why}
        said |= {name: text for name, text in texts.items() if text}
        if self.notes:
            said["notes"] = list(self.notes)
        return said | ({"count": self.count} if self.count != 1 else {})


@dataclass(slots=True)
class Report:
    """The items of one run, in order, and how many of each kind had which end."""

    dry_run: bool = False
    items: list[Item] = field(default_factory=list)
    totals: dict[str, Counter[Status]] = field(default_factory=dict)

    def add(self, item: Item) -> None:
        """Take the next item."""
        self.items.append(item)
        self.totals.setdefault(item.kind, Counter())[item.status] += item.count

    def total(self, status: Status) -> int:
        """Return how many had this end."""
        return sum(counts[status] for counts in self.totals.values())

    def document(self) -> dict[str, object]:
        """Return the whole of it for programs."""
        return {
            "dryRun": self.dry_run,
            "items": [item.document() for item in self.items],
            "totals": {
                kind: {status.value: counts[status] for status in Status if counts[status]}
                for kind, counts in self.totals.items()
            },
            **{status.value: self.total(status) for status in Status},
        }
