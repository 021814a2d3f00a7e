"""Garbage collection with a store's own settings: what the door, the command line, the routes and the timer use."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from metadata.clock import timestamp
from metadata.errors import CalotypeError, ConflictError, NotFoundError, UnreadableError

from ..digest import parse_digest
from .data import Report
from .execution import execute, execute_alone, purge, rescue
from .planning import Wishes, plan
from .reasons import why

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from metadata.documents.contract import Record

    from ..digest import Digest
    from ..trash import Entry
    from .data import Plan, Trashed
    from .premises import Premises
    from .reasons import Why
    from .state import LastRun

BLOCKED_RETRY_S = 3600.0
"""How soon the timer looks again after something forbade it to run."""


@dataclass(frozen=True, slots=True)
class Restored:
    """What came back from the trash.

    Attributes:
        records: ids of the records that name the payload again.
        refused: why others could not be restored, by id.
    """

    sha256: str
    records: tuple[str, ...]
    refused: tuple[tuple[str, str], ...] = ()


class Collection:
    """The garbage collection of one opened store.

    Args:
        premises: what it works on.
        grace_s: seconds for which a payload is left alone after its last upload, unless asked otherwise.
    """

    def __init__(self, premises: Premises, grace_s: int) -> None:
        self.premises = premises
        self.grace_s = grace_s

    def plan(self, *, grace_s: int | None = None, older_than_s: int | None = None) -> Plan:
        """Say what would go and why, and what stays; see `assets.gc.plan`.

        Args:
            grace_s: seconds for which a payload is left alone after its last upload; None: the store's setting.
            older_than_s: records that nothing refers to go from this age on; None: they stay.
        """
        return plan(self.premises, Wishes(grace_s=self._grace(grace_s), older_than_s=older_than_s))

    def execute(self, wanted: Plan, *, force: bool = False) -> Report:
        """Carry a plan out; see `assets.gc.execute`."""
        return execute(self.premises, wanted, force=force)

    def why(self, sha256: str) -> Why:
        """Say in words why a payload is kept or not.

        Raises:
            InvalidError: that is not a digest.
        """
        return why(self.premises, parse_digest(sha256), self.grace_s)

    @property
    def last(self) -> LastRun:
        """The last collection, of whichever process."""
        return self.premises.state.load()

    def run_if_due(self, every_s: float) -> Report | None:
        """Collect if the last time is long enough ago, and no other process does it; None when there was no need.

        Raises:
            BusyError: another process is at it, or a backup is being taken.
            ConflictError, UnreadableError: something forbids it, which `last` tells from now on.
        """
        if not self._due(every_s):
            return None
        with self.premises.state.alone():
            if not self._due(every_s):  # another process was quicker
                return None
            try:
                return execute_alone(self.premises, self.plan())
            except (ConflictError, UnreadableError) as error:
                now = timestamp(self.premises.clock.now())
                self.premises.state.save(replace(self.last, at=now, blocked=error.message))
                raise

    def rescue(self) -> int:
        """Bring back from the trash what is used again, and return how many: a backup begins with this.

        Raises:
            UnreadableError: a folder cannot be listed.
        """
        self.premises.disposal.usage.catch_up()
        return rescue(self.premises, sorted({one.sha256 for one in self.trashed()}))

    def trashed(self, digests: Sequence[str] | None = None) -> list[Trashed]:
        """Return what is in the trash, or of these payloads alone; errors as `purge` about what is named."""
        return [self.premises.trashed(entry) for entry in self._entries(digests)]

    def restore(self, sha256: str) -> Restored:
        """Bring a payload back from the trash, with the deleted records that named it.

        One that no collection has taken yet gets its deleted records back.

        Raises:
            InvalidError: that is not a digest.
            NotFoundError: it is not in the trash, and no deleted record names it.
            UnreadableError: its bytes in the trash are damaged.
        """
        digest, premises = parse_digest(sha256), self.premises
        with premises.documents.guard(), premises.shards(digest.shard):
            records = self._buried(digest)
            if premises.disposal.trash.take_back(digest):
                # As an upload would: without a record it has the whole grace before it is collected again.
                premises.facts.note_upload(digest, {"size": premises.blobs.stat(digest).size})
            elif not self._stored(digest) or not records:
                raise self._nothing(digest)
            return self._brought_back(digest, records)

    def _buried(self, digest: Digest) -> dict[str, Record]:
        """Return the deleted records that named a payload, by id."""
        graves = {str(body["id"]): body for body in self.premises.disposal.usage.graves(digest)}
        found = self.premises.disposal.trash.buried(digest) | graves
        return {key: body for key, body in found.items() if self.premises.documents.get("asset", key) is None}

    def _stored(self, digest: Digest) -> bool:
        try:
            return self.premises.blobs.stat(digest).size > 0
        except NotFoundError:
            return False

    def _nothing(self, digest: Digest) -> CalotypeError:
        if self._stored(digest):
            text = f"The payload {digest} is in its place, and no deleted record of it can be restored."
            return NotFoundError(text, object=str(digest))
        entries = self.premises.disposal.trash.of(digest)
        if not entries:
            return NotFoundError(f"There is no payload {digest} in the trash.", object=str(digest))
        return UnreadableError(
            f"The bytes in {entries[-1].path} are damaged, so nothing was restored. Upload the file again, or restore a"
            " backup.",
            path=entries[-1].path,
        )

    def _brought_back(self, digest: Digest, records: Mapping[str, Record]) -> Restored:
        restored, refused = [], []
        for asset_id, body in records.items():
            try:
                restored.append(self.premises.images.bring_back(body).id)
            except CalotypeError as error:
                refused.append((asset_id, error.message))
        return Restored(digest, tuple(restored), tuple(refused))

    def purge(self, digests: Sequence[str] | None = None) -> Report:
        """Remove payloads from the trash for good, all of them unless some are named.

        Raises:
            InvalidError: one of them is not a digest.
            NotFoundError: one of them is not in the trash.
            UnreadableError: something that may name any payload cannot be read.
            BusyError: a collection is under way.
        """
        with self.premises.state.alone():
            entries = self._entries(digests)
            self.premises.disposal.check()
            return Report(**purge(self.premises, entries))

    def _entries(self, digests: Sequence[str] | None) -> list[Entry]:
        entries = self.premises.disposal.trash.entries()
        wanted = {entry.digest for entry in entries} if digests is None else {parse_digest(one) for one in digests}
        for digest in sorted(wanted - {entry.digest for entry in entries}):
            raise NotFoundError(f"There is no payload {digest} in the trash.", object=str(digest))
        return [entry for entry in entries if entry.digest in wanted]

    def _grace(self, grace_s: int | None) -> int:
        return self.grace_s if grace_s is None else grace_s

    def _due(self, every_s: float) -> bool:
        last = self.last
        since = last.since(self.premises.clock.now())
        return since is None or since >= (min(every_s, BLOCKED_RETRY_S) if last.blocked else every_s)
