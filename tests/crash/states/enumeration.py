"""Which disk states a crash may leave: the crash points of a recording, and at each the choices of the file system.

After the ALICE work (Pillai and others, OSDI 2014). Three models of what a file system may do with what no sync has
covered yet:

- `kill`: the machine lives on and the page cache with it; the call in progress may be half done. What kill -9 leaves.
- `journal`: names and lengths land in program order and any sync brings all earlier ones; bytes land in any subset.
- `posix`: nothing is ordered. A sync of a file covers that file's bytes, a sync of a directory its entries. The bar.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from tests.crash.states.tree import Acknowledgement, Chosen, Data, Operation, Sync

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator, Sequence

    from tests.crash.states.tree import Event

Model = Literal["kill", "journal", "posix"]
PAGE = 4096
_MOST_CUTS = 6


@dataclass(frozen=True, slots=True)
class CrashPoint:
    """A moment worth crashing at.

    Attributes:
        where: what was about to happen.
        durable: the operations that a sync has covered.
        pending: those that may or may not be on the disk.
        acknowledged: what was promised by then.
    """

    where: str
    durable: tuple[Operation, ...]
    pending: tuple[Operation, ...]
    acknowledged: tuple[str, ...]


def crash_points(events: Sequence[Event], model: Model) -> Iterator[CrashPoint]:
    """Yield every moment after which the disk may hold something that it could not hold before."""
    done: list[Operation] = []
    durable: set[int] = set()
    promised: list[str] = []
    changed = True

    def point(where: str) -> CrashPoint:
        durable_ones, pending = ([each for each in done if (each.serial in durable) is kept] for kept in (True, False))
        return CrashPoint(where, tuple(durable_ones), tuple(pending), tuple(promised))

    for event in events:
        if isinstance(event, Acknowledgement):
            promised.append(event.text)
            changed = True
        elif not isinstance(event, Sync):
            done.append(event)
            changed = True
            if model == "kill":
                yield CrashPoint(f"during {event.what}", tuple(done[:-1]), (event,), tuple(promised))
        elif model != "kill":
            if changed:
                yield point(f"before {event.what}")
            changed = False
            ordered = model == "journal"
            durable |= {each.serial for each in done if event.covers(each) or (ordered and not isinstance(each, Data))}
    yield CrashPoint("at the end", tuple(done), (), tuple(promised)) if model == "kill" else point("at the end")


def choices(point: CrashPoint, model: Model, most: int, chance: random.Random) -> Iterator[list[Chosen]]:
    """Yield what of a crash point's pending operations may have reached the disk, and in what shape.

    Args:
        point: the crash point.
        model: what the file system may do.
        most: about how many subsets to look at where there are too many for all.
        chance: picks those.
    """
    pending = point.pending
    if model == "journal":
        ordered = [each for each in pending if not isinstance(each, Data)]
        free = [each for each in pending if isinstance(each, Data)]
        for length in range(len(ordered), -1, -1):
            kept = {each.serial for each in ordered[:length]}
            for picked in _subsets(free, max(16, most // (len(ordered) + 1)), chance):
                yield _whole(pending, kept | picked)
    else:
        for picked in _subsets(pending, most, chance):
            yield _whole(pending, picked)
    for torn in pending:
        if isinstance(torn, Data):
            for content in cuts(torn):
                shaped: list[Chosen] = [(each, content if each is torn else None) for each in pending]
                yield shaped
                yield [(each, found) for each, found in shaped if each.serial <= torn.serial]


def cuts(write: Data) -> list[bytes]:
    """Return the shapes a write may have besides its own: cut at telling places, a lost page, all of it zeros."""
    content, length = write.content, len(write.content)
    pages = range(PAGE - write.offset % PAGE, length, PAGE)
    places = sorted({place for place in (1, length // 2, length - 1, *pages) if 0 < place < length})
    if len(places) > _MOST_CUTS:
        places = places[: _MOST_CUTS // 2] + places[-_MOST_CUTS // 2 :]
    lost_pages = [bytes(place) + content[place:] for place in itertools.islice(pages, 1)]
    return [content[:place] for place in places] + lost_pages + [bytes(length)]


def _whole(pending: Sequence[Operation], serials: set[int]) -> list[Chosen]:
    return [(each, None) for each in pending if each.serial in serials]


def _subsets(pending: Sequence[Operation], most: int, chance: random.Random) -> Iterator[set[int]]:
    """Yield all subsets where they are few, else the telling ones and some by chance."""
    serials = [each.serial for each in pending]
    if 2 ** len(serials) <= most:
        for size in range(len(serials), -1, -1):
            yield from map(set, itertools.combinations(serials, size))
        return
    everything = set(serials)
    for length in range(len(serials) + 1):
        yield set(serials[:length])
    for one in serials:
        yield everything - {one}
        yield {one}
    for pair in itertools.islice(itertools.combinations(serials, 2), most // 2):
        yield everything - set(pair)
    for _ in range(most // 4):
        yield {one for one in serials if chance.random() < 0.5}
