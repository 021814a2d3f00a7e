"""Facts about payloads, keyed by hash: what can be found out again from the bytes, and when they were last wanted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..clock import timestamp
from ..documents.contract import Change, Record
from ..errors import CalotypeError
from ..schemas.assets import Fact
from .base import Repository

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class FactsRepository(Repository[Fact]):
    """One record a payload in `binaries/facts.jsonl`."""

    model = Fact

    def note_upload(self, sha256: str, found: Mapping[str, object]) -> Fact:
        """Note that a payload was uploaded now, with what its bytes told (on-disk member names)."""
        now = timestamp(self._clock.now())

        def edit(record: Record | None) -> Record:
            first = now if record is None else record.get("firstStoredAt", now)
            fields = {**(record or {}), "sha256": sha256, **found, "firstStoredAt": first, "lastUploadAt": now}
            return Fact.from_record(fields).to_record()

        (stored,) = self._documents.apply([Change("fact", sha256, edit)])
        return self._entity(self._certain(stored))

    def forget(self, sha256: str) -> None:
        """Forget a payload whose bytes go; nothing happens where nothing is known of it."""
        self._documents.apply([Change("fact", sha256, lambda _: None, trusting=True)])

    def forget_all(self, digests: Sequence[str]) -> None:
        """Forget several payloads in one write; the caller holds the lock of each one's shard."""
        changes = [Change("fact", digest, lambda _: None, trusting=True) for digest in digests]
        for made in self._documents.each(changes) if changes else ():
            if isinstance(made, CalotypeError):
                raise made

    def revive(self, record: Record) -> None:
        """Know again what was known of a payload that comes back; what is known by now stays.

        Raises:
            InvalidError: that is no fact.
        """
        fact = Fact.from_record(record).to_record()
        self._documents.apply([Change("fact", str(fact["sha256"]), lambda known: known or fact)])
