"""Plans and reports of a garbage collection: plain values, to be printed, sent or compared."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from metadata.documents.usage import Loose

LISTED = 1000
"""How many objects of each sort a document lists; all are counted."""


@dataclass(frozen=True, slots=True)
class Item:
    """A payload that no record names.

    Attributes:
        size: bytes.
        wanted: the timestamp of its last upload; empty when nothing tells it.
        reason: `unused`, `unreferenced` (its last records go in the same run), `grace`, `mention` or `shadowed` (a
            second record of an id, or bytes in quarantine, hold its hash; these are kept but not served).
    """

    sha256: str
    size: int
    wanted: str
    reason: str


@dataclass(frozen=True, slots=True)
class Trashed:
    """A payload in the trash.

    Attributes:
        size: bytes; None when its payload is missing there.
        since: the timestamp of its removal.
        until: the timestamp after which it goes for good.
    """

    sha256: str
    size: int | None
    since: str
    until: str


@dataclass(frozen=True, slots=True)
class Kept:
    """Payloads that stay for one reason: `record`, `mention`, `shadowed` or `grace`."""

    reason: str
    payloads: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a plan must not be carried out.

    Attributes:
        reason: `unreadable`, `altered`, `lost`, `unfinished`, `miscounted`, `share`, `undeleted` or `census`; with
            records that go also `set-aside`.
        message: a sentence that names the object and the way out.
        path: the file it is about, if any.
        yields: whether whoever is sure may insist.
    """

    reason: str
    message: str
    path: str | None = None
    yields: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """What a garbage collection would do.

    Attributes:
        at: when it was made, a timestamp.
        grace_s: seconds for which a payload is left alone after its last upload.
        older_than_s: the age in seconds from which records that nothing refers to go; None: they stay.
        payloads: how many are stored.
        bytes: their size.
        takes: payloads that go to the trash.
        keeps: payloads that stay although no record names them.
        records: records that go.
        leftovers: hashes of which only facts are left; these go.
        rescues: hashes of payloads in the trash that are used again; they come back.
        purges: payloads in the trash whose time is over; they go for good.
        refusals: why it must not be carried out.
    """

    at: str
    grace_s: int
    older_than_s: int | None
    payloads: int
    bytes: int
    takes: tuple[Item, ...] = ()
    keeps: tuple[Item, ...] = ()
    records: tuple[Loose, ...] = ()
    leftovers: tuple[str, ...] = ()
    rescues: tuple[str, ...] = ()
    purges: tuple[Trashed, ...] = ()
    refusals: tuple[Refusal, ...] = ()

    @property
    def taken_bytes(self) -> int:
        """The bytes that go to the trash."""
        return sum(item.size for item in self.takes)

    @property
    def purged_bytes(self) -> int:
        """The bytes that are free afterwards."""
        return sum(one.size or 0 for one in self.purges)

    @property
    def kept(self) -> tuple[Kept, ...]:
        """Why the payloads that stay do so, with their numbers."""
        counts, sizes = Counter[str](), Counter[str]()
        for item in self.keeps:
            counts[item.reason] += 1
            sizes[item.reason] += item.size
        gone = [*self.takes, *self.keeps]
        named = self.payloads - len(gone) - len(self.leftovers)
        rest = self.bytes - sum(item.size for item in gone)
        others = tuple(Kept(reason, counts[reason], sizes[reason]) for reason in sorted(counts))
        return (Kept("record", named, rest), *others)

    def document(self) -> dict[str, object]:
        """Return the plan as JSON; lists are cut at `LISTED`, numbers are not."""
        return {
            "at": self.at,
            "graceS": self.grace_s,
            "olderThanS": self.older_than_s,
            "payloads": self.payloads,
            "bytes": self.bytes,
            "takes": {"payloads": len(self.takes), "bytes": self.taken_bytes, "items": _cut(self.takes)},
            "keeps": [asdict(kept) for kept in self.kept],
            "kept": _cut(self.keeps),
            "records": {"records": len(self.records), "items": _loose(self.records)},
            "rescues": list(self.rescues[:LISTED]),
            "purges": {"payloads": len(self.purges), "bytes": self.purged_bytes, "items": _cut(self.purges)},
            "refusals": [asdict(refusal) for refusal in self.refusals],
        }


@dataclass(frozen=True, slots=True)
class Report:
    """What a garbage collection did.

    Attributes:
        records: records deleted.
        taken: payloads moved to the trash, and `taken_bytes` their bytes.
        spared: payloads of the plan that were used again, or uploaded, when their turn came.
        rescued: payloads brought back from the trash.
        purged: payloads removed from the trash for good, and `purged_bytes` their bytes.
    """

    records: int = 0
    taken: int = 0
    taken_bytes: int = 0
    spared: int = 0
    rescued: int = 0
    purged: int = 0
    purged_bytes: int = 0

    def document(self) -> dict[str, object]:
        """Return the report as JSON."""
        return {
            "records": self.records,
            "taken": self.taken,
            "takenBytes": self.taken_bytes,
            "spared": self.spared,
            "rescued": self.rescued,
            "purged": self.purged,
            "purgedBytes": self.purged_bytes,
        }


def _cut(items: tuple[Item, ...] | tuple[Trashed, ...]) -> list[dict[str, object]]:
    return [asdict(item) for item in items[:LISTED]]


def _loose(records: tuple[Loose, ...]) -> list[dict[str, object]]:
    names = {"key": "id", "owner": "userId", "created": "createdAt"}
    return [{names.get(name, name): value for name, value in asdict(one).items()} for one in records[:LISTED]]
