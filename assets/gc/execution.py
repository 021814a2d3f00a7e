"""Carrying a plan out: every step looks again, under the locks that make the answer final.

A payload goes under the lock of its shard, which an upload holds from before it looks for the payload until its record
is durable; so at any grace, none included, no record ever names a payload that a collection takes. What cannot be
locked out is a text that comes to mention a hash just then: the payload is then in the trash and live, and comes back
at once here, with the next collection, or when it is next asked for. From the trash payloads go for good only with the
gate held alone, when nobody writes anything.
"""

from __future__ import annotations

from collections import Counter
from contextlib import ExitStack, contextmanager
from itertools import groupby
from typing import TYPE_CHECKING

from metadata.clock import timestamp
from metadata.errors import BusyError, ConflictError, UnreadableError

from ..digest import Digest
from ..disposal import uncertain
from .data import Item, Report
from .planning import still_young
from .premises import moment
from .state import LastRun

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ..trash import Entry
    from .data import Plan, Refusal
    from .premises import Premises

BATCH = 32
"""How many payloads of one shard are moved under one hold of its lock."""


def execute(premises: Premises, plan: Plan, *, force: bool = False) -> Report:
    """Carry a plan out; what it did not foresee is spared.

    Args:
        premises: what to work on.
        plan: as `plan` made it, some time ago or just now.
        force: insist where a refusal yields.

    Raises:
        BusyError: another collection is under way, or a backup is being taken. What was done until then stays done.
        ConflictError: a refusal that yields, without `force`.
        UnreadableError: something that may name any payload cannot be read.
    """
    with premises.state.alone():
        return execute_alone(premises, plan, force=force)


def execute_alone(premises: Premises, plan: Plan, *, force: bool = False) -> Report:
    """Do the same where the lock of collections is held already."""
    for refusal in plan.refusals:
        if not (force and refusal.yields):
            raise _refused(refusal)
    premises.disposal.usage.make_room()
    premises.disposal.check()
    run = _Run(premises, plan)
    run.rescue()
    run.purge()  # before what needs room for its lines: on a full disk this makes some
    run.delete_records()
    run.take()
    now = timestamp(premises.clock.now())
    premises.state.save(LastRun(now, premises.disposal.usage.census()))
    return run.report


def rescue(premises: Premises, digests: Iterable[str]) -> int:
    """Bring those payloads back from the trash that are used; return how many."""
    count, shadowed = 0, premises.disposal.usage.shadowed()
    for digest in map(Digest, digests):
        with premises.documents.guard(), premises.shards(digest.shard):
            used = digest in shadowed or premises.documents.is_live(digest)
            if used and premises.disposal.trash.take_back(digest):
                count += 1
    return count


def purge(premises: Premises, entries: Iterable[Entry]) -> Counter[str]:
    """Remove entries of the trash for good; one that is used again comes back instead. Return what was done.

    Raises:
        BusyError: a backup is being taken.
        UnreadableError: something that may name any payload cannot be read.
    """
    done, shadowed = Counter[str](), premises.disposal.usage.shadowed()
    trash = premises.disposal.trash
    for entry in entries:
        digest, size = entry.digest, trash.size(entry) or 0
        # Alone, so that nobody can come to mention it between the question and the act; a backup may still need it.
        with _leased(premises), premises.documents.guard(exclusive=True), premises.shards(digest.shard):
            for problem in premises.disposal.usage.damage():
                raise uncertain(problem)
            used = digest in shadowed or premises.documents.is_live(digest)
            if used and trash.take_back(digest):
                done["rescued"] += 1
            elif used and not trash.stands(digest):
                continue  # rotten, and all that is left of it: not for us to throw away
            elif trash.doom([entry]):
                done["purged"] += 1
                done["purged_bytes"] += size
    trash.clear()
    return done


class _Run:
    """One collection under way."""

    def __init__(self, premises: Premises, plan: Plan) -> None:
        self._premises = premises
        self._plan = plan
        self._done = Counter[str]()
        self._shadowed = premises.disposal.usage.shadowed()

    @property
    def report(self) -> Report:
        return Report(**self._done)

    def delete_records(self) -> None:
        """Delete the records of the plan that still nothing refers to, each for itself."""
        usage, images = self._premises.disposal.usage, self._premises.images
        for one in self._plan.records:
            with self._premises.documents.guard(exclusive=True):
                if usage.is_loose(one.key) and images.delete(one.key):
                    self._done["records"] += 1

    def rescue(self) -> None:
        """Bring back what is in the trash and used."""
        self._done["rescued"] += rescue(self._premises, self._plan.rescues)

    def take(self) -> None:
        """Move what nobody uses to the trash, a shard at a time."""
        leftovers = [Item(sha256, 0, "", "leftover") for sha256 in self._plan.leftovers]
        for batch in _batches([*self._plan.takes, *leftovers]):
            self._sweep(batch)

    def purge(self) -> None:
        """Remove from the trash for good what was there for long enough."""
        trash = self._premises.disposal.trash
        wanted = {(one.sha256, one.since) for one in self._plan.purges}
        entries = [entry for entry in trash.entries() if (entry.digest, moment(entry.since)) in wanted]
        self._done += purge(self._premises, entries)

    def _sweep(self, batch: Sequence[Item]) -> None:
        premises = self._premises
        sizes = {Digest(item.sha256): item.size for item in batch}
        with _leased(premises), premises.documents.guard(), premises.shards(next(iter(sizes)).shard):
            for problem in premises.disposal.usage.damage():
                raise uncertain(problem)
            going = [Digest(item.sha256) for item in batch if not self._needed(item)]
            moved = premises.disposal.trash.put(going, premises.disposal.usage.graves)
            again = premises.disposal.usage.live_among(moved)
            for digest in moved:
                if digest in again:
                    premises.disposal.trash.take_back(digest)
        taken = [digest for digest in moved if digest not in again]
        self._done["taken"] += len(taken)
        self._done["taken_bytes"] += sum(sizes[digest] for digest in taken)
        self._done["spared"] += len(batch) - len(going) + len(again)

    def _needed(self, item: Item) -> bool:
        """Look again at a payload, with its shard's lock held: is it used, or was it uploaded since?"""
        digest = Digest(item.sha256)
        if self._used(digest):
            return True
        fact = self._premises.facts.find_by_id(digest)
        known = None if fact is None else fact.last_upload_at or fact.first_stored_at
        young = still_young(known or item.wanted, self._plan.grace_s, self._premises.clock.now())
        return young and item.reason != "leftover"

    def _used(self, digest: Digest) -> bool:
        return digest in self._shadowed or self._premises.documents.is_live(digest)


def _batches(items: Iterable[Item]) -> Iterator[list[Item]]:
    """Yield the items, those of one shard together."""
    ordered = sorted(items, key=lambda item: item.sha256)
    for _, members in groupby(ordered, key=lambda item: item.sha256[:2]):
        group = list(members)
        for start in range(0, len(group), BATCH):
            yield group[start : start + BATCH]


@contextmanager
def _leased(premises: Premises) -> Iterator[None]:
    """Hold the backup lease, for one batch.

    Raises:
        BusyError: a backup is being taken.
    """
    with ExitStack() as held:
        try:
            held.enter_context(premises.disposal.lease())
        except BusyError as error:
            raise BusyError(
                "A backup is being taken; nothing is collected meanwhile. Try again when it is done.", **error.details
            ) from error
        yield


def _refused(refusal: Refusal) -> ConflictError | UnreadableError:
    details = {} if refusal.path is None else {"path": refusal.path}
    kind = ConflictError if refusal.yields else UnreadableError
    return kind(refusal.message, reason=refusal.reason, **details)
