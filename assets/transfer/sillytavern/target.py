"""The user of ours to whom a folder goes: ids that are always the same, and records judged and stored by one rule.

What comes has the same date of creation and of last change, so whatever was edited here since is known by its dates.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from metadata.errors import CalotypeError
from metadata.schemas.catalog import CATALOG

from ..report import Status
from ..verdict import Verdict, derived_id, judge

if TYPE_CHECKING:
    from metadata.documents.contract import Record, Stored
    from metadata.repositories.base import Repository
    from metadata.repositories.container import Repositories

CHANGED = "It was changed since it was imported; what is here was kept."
DELETED_HERE = "It had been deleted here since an earlier import, and is here again."

STATUSES = {
    Verdict.NEW: Status.IMPORTED,
    Verdict.SAME: Status.SAME,
    Verdict.RENEW: Status.IMPORTED,
    Verdict.KEPT: Status.SKIPPED,
}


@dataclass(frozen=True, slots=True)
class Target:
    """A user of ours.

    Attributes:
        repositories: ours.
        owner: the user's id.
        now: the moment of the import, for what has no date of its own.
        dry_run: store nothing.
    """

    repositories: Repositories
    owner: str
    now: str
    dry_run: bool = False

    def id(self, kind: str, *parts: str) -> str:
        """Return the id here of something of the folder."""
        return derived_id("sillytavern", self.owner, kind, *parts)

    def stored(self, kind: str, record_id: str) -> Stored | None:
        """Return what is here under an id."""
        return self.repositories.documents.get(kind, record_id)

    def fitted(self, kind: str, members: Record, stored: Stored | None, created: str | None) -> Record:
        """Return a record as it is to be stored, with its owner and its dates.

        Args:
            kind: the record's kind.
            members: its own.
            stored: what is here under its id; its date of creation stays.
            created: when it came into being, None where nobody wrote that down.

        Raises:
            InvalidError: a member is wrong.
        """
        date = str(stored.body["createdAt"]) if stored is not None else created or self.now
        record = {**members, "userId": self.owner, "createdAt": date, "updatedAt": date}
        return CATALOG[kind].model.from_record(record).to_record()

    def judged(self, kind: str, body: Record, stored: Stored | None) -> Verdict:
        """Return what to do with a record, given what is here under its id."""
        return judge(CATALOG[kind], None if stored is None else stored.body, body)

    def put(self, repository: Repository[Any], body: Record, stored: Stored | None) -> None:
        """Store a record in place of what was judged.

        Raises:
            CalotypeError: it cannot be stored.
        """
        if self.dry_run:
            return
        versions = {} if stored is None else {stored.key: stored.version}
        (made,) = repository.import_records([body], versions=versions)
        if isinstance(made, CalotypeError):
            raise made

    def settle(self, kind: str, repository: Repository[Any], body: Record, stored: Stored | None) -> Status:
        """Judge a record, store it if it is new or was not edited here, and return what became of it.

        Raises:
            CalotypeError: it cannot be stored.
        """
        verdict = self.judged(kind, body, stored)
        if verdict in (Verdict.NEW, Verdict.RENEW):
            self.put(repository, body, stored)
        return STATUSES[verdict]


def why_of(status: Status) -> str:
    """Return the reason that goes with what became of a record."""
    return CHANGED if status is Status.SKIPPED else ""
