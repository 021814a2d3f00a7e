"""Facts about payloads, keyed by hash: what can be found out again from the bytes, and when they were last wanted."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from ..clock import timestamp
from ..documents.contract import Change, Record
from ..errors import CalotypeError, NotFoundError, UnreadableError
from ..index.query import Query
from ..schemas.assets import Fact
from .base import Repository

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True, slots=True)
class Noted:
    """What an upload told of a payload; the members are the arguments of `FactsRepository.note_upload`."""

    sha256: str
    found: Mapping[str, object]
    hashed: bool = False


_PAGE = 500


class FactsRepository(Repository[Fact]):
    """One record a payload in `binaries/facts.jsonl`."""

    model = Fact

    def trusted(self, sha256: str, within_s: float) -> bool:
        """Tell whether a stored payload was hashed within this time, in seconds, and not found rotten since."""
        try:
            fact = self.find_by_id(sha256)
        except UnreadableError:
            return False
        if fact is None or fact.rotten_at is not None:
            return False
        since = timestamp(self._clock.now() - timedelta(seconds=within_s))
        return any(str(seen) >= since for seen in (fact.verified_at, fact.first_stored_at) if seen is not None)

    def rotten(self, sha256: str) -> bool:
        """Tell whether a stored payload was found not to be what its name says, and was not replaced since."""
        fact = self.find_by_id(sha256)
        return fact is not None and fact.rotten_at is not None

    def note_upload(self, sha256: str, found: Mapping[str, object], *, hashed: bool = False) -> Fact:
        """Note that a payload was uploaded now.

        Args:
            sha256: the payload.
            found: what its bytes told, by on-disk names.
            hashed: the copy that is stored now was hashed, so whatever was held against an older one is settled.
        """
        return self.note_uploads([Noted(sha256, found, hashed=hashed)])[0]

    def note_uploads(self, uploads: Sequence[Noted]) -> list[Fact]:
        """Note that several payloads were uploaded now, in one write."""
        now = timestamp(self._clock.now())
        facts = []
        for made in self._documents.each([Change("fact", one.sha256, partial(_uploaded, one, now)) for one in uploads]):
            if isinstance(made, CalotypeError):
                raise made
            facts.append(self._entity(self._certain(made)))
        return facts

    def unseen(self, limit: int) -> list[str]:
        """Return some payloads that are pictures and were not looked at yet, oldest first."""
        return [fact.sha256 for fact in self.list(Query(filter={"unseen": True}, limit=limit)).items]

    def see_again(self, recipe: str) -> int:
        """Have pictures looked at again that could not be decoded by another recipe than this; return how many."""
        chosen: list[str] = []
        query: Query | None = Query(filter={"unseen": False}, limit=_PAGE)
        while query is not None:
            page = self.list(query)
            chosen += [fact.sha256 for fact in page.items if fact.refused_by != recipe]
            query = None if page.next_cursor is None else replace(query, cursor=page.next_cursor)
        self._edit_all({sha256: {"unseen": True} for sha256 in chosen})
        return len(chosen)

    def note_seen(self, found: Mapping[str, Mapping[str, object]]) -> None:
        """Note what pictures look like; nothing is noted of a payload that was forgotten meanwhile.

        Args:
            found: by hash, the `placeholder` and `perceptualHash`; for a picture that cannot be decoded `refusedBy`.
        """
        refused = {"unseen": False}
        self._edit_all({key: {**refused, **told} if "refusedBy" in told else told for key, told in found.items()})

    def _edit_all(self, found: Mapping[str, Mapping[str, object]]) -> None:
        changes = [Change("fact", sha256, partial(_seen, dict(told))) for sha256, told in found.items()]
        for made in self._documents.each(changes) if changes else ():
            if isinstance(made, CalotypeError) and not isinstance(made, NotFoundError):
                raise made

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


def to_be_seen(fact: Record) -> Record:
    """Return a fact with the mark of a picture that somebody has to look at yet, if it is one."""
    if "width" not in fact or "placeholder" in fact:
        return fact
    return {**{name: value for name, value in fact.items() if name != "refusedBy"}, "unseen": True}


def _uploaded(upload: Noted, now: str, record: Record | None) -> Record:
    known = dict(record or {})
    if upload.hashed and record is not None:
        known.pop("rottenAt", None)
        known["verifiedAt"] = now
    first = known.get("firstStoredAt", now)
    fields = {**known, "sha256": upload.sha256, **upload.found, "firstStoredAt": first, "lastUploadAt": now}
    return Fact.from_record(to_be_seen(fields)).to_record()


def _seen(told: Mapping[str, object], fact: Record | None) -> Record | None:
    if fact is None:
        return None
    return {**{name: value for name, value in fact.items() if name not in {"unseen", "refusedBy"}}, **told}
