"""The events of chats: streamed from the original's logs into ours, in order, however long they are."""

from __future__ import annotations

import hashlib
from collections import Counter
from typing import TYPE_CHECKING, Any

from metadata.documents.contract import ANY, Change, same, version_of
from metadata.errors import CalotypeError, FullError, UnreadableError
from metadata.files.codec import canonical
from metadata.schemas.catalog import CATALOG

from ..report import Item, Status
from ..rewriting import rewritten
from ..verdict import derived_id

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from metadata.documents.contract import Documents, Edit, Record

    from ..sources import Found
    from .layout import Layout
    from .plan import Plan

_AT_ONCE = 500
_BYTES_AT_ONCE = 4 * 1024 * 1024
"""Events, and bytes of their lines, that go into one durable write; so much is in memory."""
_LISTED = 100
"""Damaged lines of one log that are reported one by one; the others are counted."""

_MESSAGE = CATALOG["message"]


class Logs:
    """Brings the events of chats.

    Args:
        layout: the folder.
        documents: ours.
        plan: where the chats and what the events refer to went.
        dry_run: store nothing.
    """

    def __init__(self, layout: Layout, documents: Documents, plan: Plan, *, dry_run: bool) -> None:
        self._layout = layout
        self._documents = documents
        self._plan = plan
        self._dry_run = dry_run

    def bring(self) -> Iterator[Item]:
        """Store all events; yield, for each log, how many came to which end, and each damaged line.

        Raises:
            FullError: there is no room.
        """
        try:
            chats = self._layout.logs()
        except CalotypeError as error:
            yield Item("message", Status.FAILED, "chats", why=error.message)
            return
        for chat in chats:
            place, here = f"chats/{chat}.jsonl", self._plan.resolve(["chat"], chat)
            if here is None:
                count = sum(1 for _ in self._layout.log(chat))
                why = "Its chat has no record that can be read, so its events stayed where they are."
                yield Item("message", Status.FAILED, place, chat, why=why, count=max(count, 1))
                continue
            yield from _summed(_Log(self, chat, here).bring(), place, chat, here)

    def events(self, chat: str) -> Iterator[Found]:
        """Yield the events of a chat of the folder."""
        return self._layout.log(chat)

    def put(self, bodies: Sequence[Record]) -> list[Status | CalotypeError]:
        """Store events of one chat by one write; return what became of each."""
        wanted = [_Wanted(body) for body in bodies]
        if self._dry_run:
            return [self._foreseen(one) for one in wanted]
        changes = [Change("message", one.key, one.edit, ANY, trusting=True) for one in wanted]
        made = self._documents.each(changes)
        return [
            answer if isinstance(answer, CalotypeError) else one.status
            for one, answer in zip(wanted, made, strict=True)
        ]

    def fitted(self, body: Record) -> tuple[Record, list[str]]:
        """Return an event whose attachments are those that are here."""
        return rewritten(_MESSAGE, body, self._plan.resolve)

    def _foreseen(self, wanted: _Wanted) -> Status | CalotypeError:
        try:
            found = self._documents.get("message", wanted.key)
        except CalotypeError as error:
            return error
        wanted.edit(None if found is None else found.body)
        return wanted.status


class _Wanted:
    """One event to be stored, unless it is there: what is there is never written over."""

    def __init__(self, body: Record) -> None:
        self._body = body
        self.key = f"{body['chatId']}/{body['id']}"
        self.status = Status.FAILED

    @property
    def edit(self) -> Edit:
        return self._edit

    def _edit(self, current: Record | None) -> Record:
        if current is None:
            self.status = Status.IMPORTED
            return self._body
        if version_of("message", current) == version_of("message", self._body):
            self.status = Status.SAME
        elif _with_fewer(current, self._body):
            self.status = Status.IMPORTED
            return {**current, "attachments": self._body["attachments"]}
        else:
            self.status = Status.SKIPPED
        return current


class _Log:
    """One chat's log on its way."""

    def __init__(self, logs: Logs, chat: str, here: str) -> None:
        self._logs = logs
        self._chat = chat
        self._here = here
        self._unnamed: Counter[str] = Counter()

    def bring(self) -> Iterator[Item]:
        group: list[Found] = []
        size = 0
        for found in self._logs.events(self._chat):
            group.append(found)
            size += found.size
            if len(group) >= _AT_ONCE or size >= _BYTES_AT_ONCE:
                yield from self._group(group)
                group, size = [], 0
        yield from self._group(group)

    def _group(self, group: Sequence[Found]) -> Iterator[Item]:
        ready: list[tuple[Found, Record, list[str]]] = []
        for found in group:
            try:
                ready.append((found, *self._read(found)))
            except CalotypeError as error:
                yield self._item(found, Status.FAILED, error.message)
        try:
            answers = self._logs.put([body for _, body, _ in ready]) if ready else []
        except FullError:
            raise
        except CalotypeError as error:
            answers = [error] * len(ready)
        for (found, body, notes), answer in zip(ready, answers, strict=True):
            why = answer.message if isinstance(answer, CalotypeError) else ""
            status = Status.FAILED if isinstance(answer, CalotypeError) else answer
            yield self._item(found, status, why or _KEPT.get(status, ""), str(body["id"]), notes)

    def _read(self, found: Found) -> tuple[Record, list[str]]:
        if found.record is None:
            raise UnreadableError(found.problem)
        record = {**found.record, "chatId": self._here}
        if not record.get("id"):
            record["id"] = self._name(found.record)
        body, notes = self._logs.fitted(_MESSAGE.model.from_record(record).to_record())
        return body, notes

    def _name(self, record: dict[str, Any]) -> str:
        """Return an id for an event without one: its content's, and its number among those of the same content."""
        content = hashlib.sha256(canonical(record)).hexdigest()
        self._unnamed[content] += 1
        return derived_id("event", self._here, content, str(self._unnamed[content]))

    def _item(self, found: Found, status: Status, why: str, event: str = "", notes: Sequence[str] = ()) -> Item:
        return Item("message", status, found.place, event, why=why, notes=tuple(notes))


_KEPT = {Status.SKIPPED: "It was changed since; the event that is here was kept."}


def _summed(items: Iterator[Item], place: str, chat: str, here: str) -> Iterator[Item]:
    """Yield the items that say something of their own, at most so many, and all others as one each a status."""
    counts: Counter[Status] = Counter()
    listed = 0
    for item in items:
        if (item.why or item.notes) and listed < _LISTED:
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
