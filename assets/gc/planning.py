"""Planning a collection: what would go, what stays and why, and what forbids it. Nothing is changed here.

Sizes and ages come from the index; only a payload of which no facts are known is looked at on the disk.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from metadata.clock import parse_timestamp, timestamp
from metadata.documents.usage import LIST, MISSED_FROM, MISSED_SHARE
from metadata.errors import InvalidError, NotFoundError, UnreadableError

from ..digest import Digest
from ..disposal import uncertain
from .data import Item, Plan, Refusal, Trashed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from metadata.documents.usage import Loose, Unnamed
    from metadata.index.state import Problem

    from .premises import Premises

_ASKED = frozenset({LIST, "binaries/facts.jsonl"})
"""Without these nothing can be said at all."""
SHARE = 0.2
"""More than this part of all payloads, or of a kind's records, must not vanish without somebody insisting."""
SHARE_FROM = 100
"""Smaller stores may lose more of their payloads at once."""
TAKEN = frozenset({"unused", "unreferenced"})
CENSUS_FROM = 20
"""So many records must be missing before a kind counts as shrunken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What is asked of a collection.

    Attributes:
        grace_s: seconds for which a payload is left alone after its last upload.
        older_than_s: records that nothing refers to go from this age on, in seconds; None: they stay.
    """

    grace_s: int
    older_than_s: int | None = None


def plan(premises: Premises, wishes: Wishes) -> Plan:
    """Make a plan, after bringing the index in step with every file.

    Raises:
        InvalidError: a wish is not sound.
        UnreadableError: a folder cannot be listed.
    """
    if wishes.grace_s < 0 or (wishes.older_than_s or 0) < 0:
        raise InvalidError("Grace and age are numbers of seconds, zero or more.", field="graceS")
    now = premises.clock.now()
    try:
        problems = premises.disposal.usage.catch_up()
        drawn = _Draft(premises, wishes, now).drawn()
    except UnreadableError as error:
        path = str(error.details.get("path"))
        if path not in _ASKED:
            raise
        refusal = Refusal("unreadable", error.message, path)
        return Plan(timestamp(now), wishes.grace_s, wishes.older_than_s, 0, 0, refusals=(refusal,))
    return replace(drawn, refusals=tuple(_refusals(premises, drawn, problems)))


def still_young(wanted: str, grace_s: int, now: datetime) -> bool:
    """Tell whether a payload last uploaded then is to be left alone; one from the future is, unless there is no grace.

    Args:
        wanted: the timestamp; one that makes no sense is as old as can be.
        grace_s: the grace in seconds.
        now: the moment.
    """
    try:
        age = (now - parse_timestamp(wanted)).total_seconds()
    except InvalidError:
        return False
    return grace_s > 0 and age < grace_s


class _Draft:
    """One plan in the making."""

    def __init__(self, premises: Premises, wishes: Wishes, now: datetime) -> None:
        self._premises = premises
        self._usage = premises.disposal.usage
        self._wishes = wishes
        self._now = now
        self._stored: set[str] = set(premises.blobs.scan())
        self._shadowed = self._usage.shadowed()

    def drawn(self) -> Plan:
        unnamed = self._usage.unnamed()
        payloads, size = self._usage.payloads()
        without_facts = self._stored - self._usage.known()
        strays = list(self._strays(without_facts))
        records = self._loose()
        items = [*(self._judged(one) for one in unnamed if self._there(one)), *strays, *self._freed(records)]
        back, over = self._of_the_trash()
        return Plan(
            at=timestamp(self._now),
            grace_s=self._wishes.grace_s,
            older_than_s=self._wishes.older_than_s,
            payloads=payloads + len(without_facts),
            bytes=size + sum(item.size for item in strays),
            takes=tuple(item for item in items if item.reason in TAKEN),
            keeps=tuple(item for item in items if item.reason not in TAKEN),
            records=tuple(records),
            leftovers=tuple(one.sha256 for one in unnamed if not self._there(one)),
            rescues=tuple(back),
            purges=tuple(over),
        )

    def _there(self, one: Unnamed) -> bool:
        """Tell whether there are bytes, or somebody still waits for them."""
        return one.mentioned or one.sha256 in self._stored

    def _judged(self, one: Unnamed) -> Item:
        reason = "mention" if one.mentioned else self._fate(one.sha256, one.wanted)
        return Item(one.sha256, one.size, one.wanted, reason)

    def _fate(self, sha256: str, wanted: str) -> str:
        if sha256 in self._shadowed:
            return "shadowed"
        return "grace" if still_young(wanted, self._wishes.grace_s, self._now) else "unused"

    def _strays(self, digests: set[str]) -> Iterator[Item]:
        """Yield the payloads of which nothing is known and that nobody uses: their age is that of their file."""
        for sha256 in sorted(digests - self._usage.live_among(digests)):
            try:
                found = self._premises.blobs.stat(Digest(sha256))
                changed = 0.0 if found.path is None else found.path.stat().st_mtime
            except (NotFoundError, UnreadableError, OSError):
                continue  # no payload but something else of such a name, which is for `verify`; or gone meanwhile
            wanted = timestamp(datetime.fromtimestamp(changed, UTC))
            yield Item(sha256, found.size, wanted, self._fate(sha256, wanted))

    def _loose(self) -> list[Loose]:
        older_than = self._wishes.older_than_s
        if older_than is None:
            return []
        try:
            before = timestamp(self._now - timedelta(seconds=older_than))
        except OverflowError as error:
            raise InvalidError("That is longer ago than anything.", field="olderThanS") from error
        return self._usage.loose(before)

    def _freed(self, records: Iterable[Loose]) -> Iterator[Item]:
        """Yield the payloads whose last records go in the same run."""
        for one in _last_of(records):
            if one.sha256 in self._stored and self._fate(one.sha256, one.wanted) == "unused":
                yield Item(one.sha256, one.size, one.wanted, "unreferenced")

    def _of_the_trash(self) -> tuple[list[str], list[Trashed]]:
        """Return what comes back from the trash, and what leaves it for good."""
        trash = self._premises.disposal.trash
        entries = trash.entries()
        used = self._usage.live_among(entry.digest for entry in entries) | self._shadowed
        missing = {entry.digest for entry in entries if entry.digest in used and not trash.stands(entry.digest)}
        back: list[str] = sorted({entry.digest for entry in entries if entry.digest in missing})
        over = self._now.timestamp() - self._premises.trash_s
        gone = [entry for entry in entries if entry.digest not in missing and entry.since <= over]
        return back, [self._premises.trashed(entry) for entry in gone]


def _last_of(records: Iterable[Loose]) -> Iterator[Loose]:
    """Yield one record of each payload all of whose records are among these."""
    found: dict[str, list[Loose]] = {}
    for one in records:
        found.setdefault(one.sha256, []).append(one)
    return (group[0] for group in found.values() if len(group) == group[0].sharers)


def _refusals(premises: Premises, drawn: Plan, problems: Iterable[Problem]) -> Iterator[Refusal]:
    for problem in problems:
        yield Refusal(problem.problem, uncertain(problem).message, problem.path)
    if drawn.older_than_s is not None:
        yield from _any_damage(premises)
    if drawn.payloads > SHARE_FROM and len(drawn.takes) > SHARE * drawn.payloads:
        yield Refusal(
            "share",
            f"{len(drawn.takes):,} of {drawn.payloads:,} payloads would go, more than {SHARE:.0%}. If that is right,"
            " insist: --yes on the command line, `force` over HTTP.",
            yields=True,
        )
    yield from _undeleted(premises, drawn)
    yield from _shrunken(premises)


def _undeleted(premises: Premises, drawn: Plan) -> Iterator[Refusal]:
    """Look whether somebody deleted what would go: a list of assets that was lost begins anew with the next upload."""
    unused = {item.sha256 for item in drawn.takes if item.reason == "unused"}
    least = max(MISSED_FROM, int(MISSED_SHARE * drawn.payloads) + 1)
    if len(unused) < least or len(missed := unused - premises.disposal.usage.deleted()) < least:
        return
    yield Refusal(
        "undeleted",
        f"{len(missed):,} of {drawn.payloads:,} payloads are in no record, and {LIST} tells of no deletion; it may have"
        " lost them. Put it back from a backup, or let `calotype repair` make a record for each. If they were deleted,"
        " insist: --yes on the command line, `force` over HTTP.",
        LIST,
        yields=True,
    )


def _any_damage(premises: Premises) -> Iterator[Refusal]:
    """Yield a refusal for every damage: records go only from a store of which everything can be read."""
    for finding in premises.documents.health().findings:
        if finding["problem"] not in {"altered", "duplicate"}:
            path, problem, reason = (str(finding[name]) for name in ("path", "problem", "reason"))
            message = f"{path} is {problem}: {reason.rstrip('.')}. Unreferenced records stay until it is settled."
            yield Refusal(problem, message, path)


def _shrunken(premises: Premises) -> Iterator[Refusal]:
    """Compare the numbers of records with those of the last collection: a folder may have vanished."""
    last, now = premises.state.load(), premises.disposal.usage.census()
    for kind, before in sorted(last.census.items()):
        missing = before - now.get(kind, before)
        if missing >= CENSUS_FROM and missing > SHARE * before:
            yield Refusal(
                "census",
                f"There are {now[kind]:,} records of kind {kind}; at the last collection ({last.at}) there were"
                f" {before:,}. If they were deleted on purpose, insist: --yes on the command line, `force` over HTTP."
                " Else look whether a part of the data folder is missing.",
                yields=True,
            )
