"""What a check found, as data: the same whether a person reads it, a program does, or a repair is planned from it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


class Weight(StrEnum):
    """How much a finding matters."""

    DAMAGE = "damage"
    """Something is lost or wrong until somebody acts."""
    WARNING = "warning"
    """Nothing is wrong with what is served, but somebody should look."""
    NOTICE = "notice"
    """Worth telling, nothing to do."""


class Repair(StrEnum):
    """What `calotype repair` can do about a finding."""

    NONE = ""
    CLOSE = "close"
    """Take the rights of others away."""
    CLEAR = "clear"
    """Remove what a dead process left."""
    SET_ASIDE = "set-aside"
    """Move a file to `quarantine/`."""
    CUT_OUT = "cut-out"
    """Move a journal's damaged lines, or a document's damaged records, to `quarantine/`."""
    REINDEX = "reindex"
    """Make the index anew."""
    QUARANTINE = "quarantine"
    """Move a payload to `quarantine/`."""
    RECORD = "record"
    """Make a record for each payload that has none, for the first user."""
    UNTRASH = "untrash"
    """Bring a payload back from the trash."""
    LEARN = "learn"
    """Find out a payload's facts again."""
    RESIZE = "resize"
    """Correct the size in a record."""
    UNLINK = "unlink"
    """Take a reference to nothing away, as a delete would have."""
    LINK = "link"
    """Write the other side of a link."""


@dataclass(frozen=True, slots=True)
class Sort:
    """What is known of a kind of finding: its weight, and what a person does about it."""

    weight: Weight
    advice: str


_D, _W, _N = Weight.DAMAGE, Weight.WARNING, Weight.NOTICE
_REPAIR = "`calotype repair` shows what it would do."

SORTS: Mapping[str, Sort] = MappingProxyType(
    {
        "payload-rotten": Sort(_D, f"Upload the same file again, or restore it from a backup. {_REPAIR}"),
        "payload-unreadable": Sort(
            _D, "The disk or its permissions refuse it; look there first. Uploading the same file again replaces it."
        ),
        "payload-missing": Sort(_D, "Upload the same file again, or restore it from a backup."),
        "payload-elsewhere": Sort(_W, "The original application keeps this file elsewhere; import its folder."),
        "payload-unrecorded": Sort(_N, "Nothing names it; `calotype gc` collects it."),
        "trash-rotten": Sort(_D, f"Nobody misses it, and it cannot be restored; look at the disk. {_REPAIR}"),
        "records-lost": Sort(_D, f"The list of assets is gone: restore it from a backup. {_REPAIR}"),
        "records-missing": Sort(
            _W,
            "If nobody deleted them, restore binaries/index.jsonl from a backup, or let `calotype repair` make records;"
            " if somebody did, `calotype gc --yes` before any repair.",
        ),
        "facts-missing": Sort(_W, _REPAIR),
        "facts-wrong": Sort(_D, _REPAIR),
        "size-wrong": Sort(_D, _REPAIR),
        "line-damaged": Sort(_D, f"Restore the file from a backup, or mend the line by hand. {_REPAIR}"),
        "line-altered": Sort(_D, "If the change is yours, `calotype verify --accept` takes it over."),
        "line-duplicate": Sort(_W, "Both lines are kept, the first is served; delete the wrong one by hand."),
        "document-damaged": Sort(_D, f"Restore the file from a backup, or mend it by hand. {_REPAIR}"),
        "document-altered": Sort(_W, "If the change is yours, `calotype verify --accept` takes it over."),
        "record-damaged": Sort(_D, f"Restore the file from a backup, or mend the record by hand. {_REPAIR}"),
        "record-duplicate": Sort(_W, "The first is served; delete the wrong one by hand."),
        "dangling": Sort(_W, _REPAIR),
        "ownerless": Sort(_D, "Its user is gone: restore settings/ from a backup."),
        "parentless": Sort(_W, "Messages without their chat: restore chats/index.jsonl from a backup."),
        "one-sided": Sort(_D, _REPAIR),
        "seal-closed": Sort(_D, "It cannot be opened: put its master key back, or enter the value again."),
        "seal-foreign": Sort(_W, "The original sealed it: set ENCRYPTION_MASTER_PEPPER, or enter the value again."),
        "key-damaged": Sort(_D, "Put a copy of the master key back; what it sealed cannot be opened without it."),
        "index-differs": Sort(_D, "`calotype reindex` makes the index anew."),
        "unfinished": Sort(_W, "An operation over several files waits; any process finishes it within a minute."),
        "stray": Sort(_W, f"Nothing here made it. {_REPAIR}"),
        "leftover": Sort(_W, f"A process that died left it. {_REPAIR}"),
        "open-to-others": Sort(_D, _REPAIR),
        "set-aside": Sort(_W, "Look at it, then delete it."),
        "trashed": Sort(_N, "`calotype trash ls` lists it; it goes by itself."),
    }
)
"""Every kind of finding."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding.

    Attributes:
        kind: a key of `SORTS`.
        about: what it is about: a path, a hash, or a kind and an id.
        evidence: what was seen, a sentence.
        repair: what can be done about it by itself.
        details: what the repair has to know, and numbers with units in their names.
    """

    kind: str
    about: str
    evidence: str
    repair: Repair = Repair.NONE
    details: Mapping[str, Any] = field(default_factory=dict)

    @property
    def weight(self) -> Weight:
        """How much it matters."""
        return SORTS[self.kind].weight

    @property
    def advice(self) -> str:
        """What a person does about it, a sentence."""
        return SORTS[self.kind].advice

    def document(self) -> dict[str, object]:
        """Return it as JSON."""
        return {
            "kind": self.kind,
            "weight": str(self.weight),
            "object": self.about,
            "evidence": self.evidence,
            "repair": str(self.repair) or None,
            "advice": self.advice,
            **self.details,
        }
