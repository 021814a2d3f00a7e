"""Cards into a store, one or many: read several at once, stored in batches.

Of each card the payloads come first, each with its record; then in one operation the character, the tags that it is
the first to carry, and the link from its payloads to it. So a character that is here is here as a whole. What an import
that was cut off leaves is payloads without a character; the next run finds them and goes on. Nothing is remembered
beside the store: what is here already is known by its hash (`known`).
"""

from __future__ import annotations

from collections import deque
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

from metadata.errors import CalotypeError, ConflictError, FullError

from ...cards.limits import DEFAULT
from ..report import Status
from .drafts import Draft, draft
from .keeping import Keeping
from .known import Known
from .outcomes import Outcome
from .storing import Storing

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from concurrent.futures import Future

    from metadata.repositories.container import Repositories

    from ...cards.limits import CardLimits
    from ...library import Library
    from ..intake import Intake
    from .offers import Offer
    from .portraits import Portraits

_AT_ONCE: Final = 32
_WEIGHT: Final = 8 * 1024 * 1024
"""Cards of one batch, and bytes of their texts: what is in memory at a time, and what waits for one write."""

_THREADS: Final = 4
"""Files that are read, or made durable, at a time: while one waits for the disk the others go on."""


class CardImport:
    """An import of cards for one user.

    Args:
        records: the store's records.
        library: has the store's payloads.
        intake: takes more of them.
        portraits: the pictures that cards are exported with.
        owner: the id of the user whose the characters are to be.
        limits: of what is read.
    """

    def __init__(
        self,
        records: Repositories,
        library: Library,
        intake: Intake,
        portraits: Portraits,
        owner: str,
        *,
        limits: CardLimits = DEFAULT,
    ) -> None:
        self._limits = limits
        self._known = Known(records, library, portraits, owner)
        self._keeping = Keeping(intake, records.images, owner, limits)
        self._storing = Storing(records, owner)

    def run(self, offers: Iterable[Offer], *, dry_run: bool = False) -> Iterator[Outcome]:
        """Store every card that is not here yet; yield what became of each file, in order, as it happens.

        Args:
            offers: the files.
            dry_run: store nothing, and yield what would become of each.

        Raises:
            FullError: there is no room; run it again when there is.
        """
        with ThreadPoolExecutor(_THREADS, "cards") as pool:
            batch = _Batch()
            for looked in self._looked(pool, offers):
                batch.add(looked)
                if len(batch.entries) >= _AT_ONCE or batch.weight >= _WEIGHT:
                    yield from self._settle(pool, batch, dry_run=dry_run)
                    batch = _Batch()
            yield from self._settle(pool, batch, dry_run=dry_run)

    def _looked(self, pool: ThreadPoolExecutor, offers: Iterable[Offer]) -> Iterator[Draft | Outcome]:
        waiting: deque[Future[Draft | Outcome]] = deque()
        try:
            for offer in offers:
                waiting.append(pool.submit(self._look, offer))
                if len(waiting) > _THREADS:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()

    def _look(self, offer: Offer) -> Draft | Outcome:
        try:
            found = draft(offer, self._limits)
            known = self._known.find(found)
        except CalotypeError as error:
            return Outcome.failed(offer, error)
        return found if known is None else Outcome(offer, Status.SAME, found.name, known)

    def _settle(self, pool: ThreadPoolExecutor, batch: _Batch, *, dry_run: bool) -> Iterator[Outcome]:
        drafts = {self._known.id_of(one): one for one in batch.drafts}
        kept: dict[str, CalotypeError | None] = dict.fromkeys(drafts)
        stored: dict[str, CalotypeError | None] = dict.fromkeys(drafts)
        if not dry_run:
            kept = self._keeping.keep(pool, drafts)
            stored = self._storing.store({key: one for key, one in drafts.items() if kept[key] is None})
        ids = {id(one): key for key, one in drafts.items()}
        for entry in batch.entries:
            if isinstance(entry, Outcome):
                yield entry
                continue
            twin = batch.twins.get(id(entry))
            key = ids[id(twin or entry)]
            yield _outcome(entry, key, kept[key] or stored[key], twin=twin is not None)
        for error in (*kept.values(), *stored.values()):
            if isinstance(error, FullError):
                raise error


class _Batch:
    """Files that were looked at and wait to be stored together.

    Attributes:
        entries: what was found, in order.
        drafts: those that are new, each card once.
        twins: by the `id()` of a draft, the one before it in the batch that is the same card.
        weight: bytes of their texts.
    """

    def __init__(self) -> None:
        self.entries: list[Draft | Outcome] = []
        self.drafts: list[Draft] = []
        self.twins: dict[int, Draft] = {}
        self.weight = 0

    def add(self, entry: Draft | Outcome) -> None:
        """Take the next one."""
        self.entries.append(entry)
        if isinstance(entry, Outcome):
            return
        self.weight += entry.weight
        twin = next((one for one in self.drafts if _are_same(one, entry)), None)
        if twin is None:
            self.drafts.append(entry)
        else:
            self.twins[id(entry)] = twin


def _are_same(one: Draft, other: Draft) -> bool:
    if one.key == other.key:
        return True
    looks = [None if each.look is None else each.look.identity for each in (one, other)]
    inside = [{part.digest for part in each.parts} for each in (one, other)]
    return one.content == other.content and looks[1] in (None, looks[0]) and inside[1] <= inside[0]


def _outcome(entry: Draft, character_id: str, error: CalotypeError | None, *, twin: bool) -> Outcome:
    if isinstance(error, ConflictError):  # another import stored it at the same time
        twin, error = True, None
    if error is not None:
        return Outcome.failed(entry.offer, error, entry.name)
    status = Status.SAME if twin else Status.IMPORTED
    return Outcome(entry.offer, status, entry.name, character_id, entry.notes)
