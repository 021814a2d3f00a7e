"""Events of chats on their way into a store: many by one write, what is here kept, and a log's report kept short."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from metadata.documents.contract import ANY, Change, same
from metadata.errors import CalotypeError, FullError

from .report import Item, Status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from metadata.documents.contract import Documents, Edit, Record

LISTED = 100
"""Lines of one log that are reported one by one; the others are counted."""
AT_ONCE = 500
BYTES_AT_ONCE = 4 * 1024 * 1024
"""Events, and bytes of their lines, that go into one durable write; so much is in memory."""
KEPT = "It was changed since; the event that is here was kept."


class Events:
    """Stores events; what is here is never written over.

    Args:
        documents: where to.
        alike: whether an event that is here says what the one that comes says.
        dry_run: store nothing.
    """

    def __init__(self, documents: Documents, alike: Callable[[Record, Record], bool], *, dry_run: bool) -> None:
        self._documents = documents
        self._alike = alike
        self._dry_run = dry_run

    def put(self, bodies: Sequence[Record]) -> list[Status | CalotypeError]:
        """Store events of one chat by one write; return what became of each.

        Raises:
            FullError: there is no room.
        """
        wanted = [_Wanted(body, self._alike) for body in bodies]
        if self._dry_run:
            return [self._foreseen(one) for one in wanted]
        changes = [Change("message", one.key, one.edit, ANY, trusting=True) for one in wanted]
        try:
            made = self._documents.each(changes) if changes else []
        except FullError:
            raise
        except CalotypeError as error:
            return [error] * len(wanted)
        return [
            answer if isinstance(answer, CalotypeError) else one.status
            for one, answer in zip(wanted, made, strict=True)
        ]

    def _foreseen(self, wanted: _Wanted) -> Status | CalotypeError:
        try:
            found = self._documents.get("message", wanted.key)
        except CalotypeError as error:
            return error
        wanted.edit(None if found is None else found.body)
        return wanted.status


class _Wanted:
    """One event to be stored, unless it is there."""

    def __init__(self, body: Record, alike: Callable[[Record, Record], bool]) -> None:
        self._body = body
        self._alike = alike
        self.key = f"{body['chatId']}/{body['id']}"
        self.status = Status.FAILED

    @property
    def edit(self) -> Edit:
        return self._edit

    def _edit(self, current: Record | None) -> Record:
        if current is None:
            self.status = Status.IMPORTED
            return self._body
        if _with_fewer(current, self._body):
            self.status = Status.IMPORTED
            return {**current, "attachments": self._body["attachments"]}
        self.status = Status.SAME if self._alike(current, self._body) else Status.SKIPPED
        return current


def told(place: str, status: Status | CalotypeError, event: str = "", notes: Sequence[str] = ()) -> Item:
    """Return the item of one event.

    Args:
        place: its line.
        status: what became of it.
        event: its id.
        notes: as an item's.
    """
    if isinstance(status, CalotypeError):
        return Item("message", Status.FAILED, place, event, why=status.message, notes=tuple(notes))
    why = KEPT if status is Status.SKIPPED else ""
    return Item("message", status, place, event, why=why, notes=tuple(notes))


def summed(items: Iterator[Item], place: str, chat: str, here: str) -> Iterator[Item]:
    """Yield the items that say something of their own, at most so many, and all others as one each a status.

    Items of other kinds, such as the files that came with an event, are yielded as they are.
    """
    counts: Counter[Status] = Counter()
    listed = 0
    for item in items:
        if item.kind != "message":
            yield item
        elif (item.why or item.notes) and listed < LISTED:
            listed += 1
            yield item
        else:
            counts[item.status] += 1
    for status, count in counts.items():
        why = "There are more such lines than are listed." if status in (Status.FAILED, Status.SKIPPED) else ""
        yield Item("message", status, place, chat, new_id=here if here != chat else "", why=why, count=count)


def _with_fewer(current: Record, wanted: Record) -> bool:
    """Tell whether an event is the wanted one, stored by an earlier run that did not have all its pictures."""
    have, want = current.get("attachments"), wanted.get("attachments")
    if not isinstance(have, list) or not isinstance(want, list) or not set(have) < set(want):
        return False
    return same({**current, "attachments": []}, {**wanted, "attachments": []})
