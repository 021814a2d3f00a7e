"""The events of chats: streamed from the original's logs into ours, in order, however long they are."""

from __future__ import annotations

import hashlib
from collections import Counter
from typing import TYPE_CHECKING, Any

from metadata.documents.contract import version_of
from metadata.errors import CalotypeError, UnreadableError
from metadata.files.codec import canonical
from metadata.schemas.catalog import CATALOG

from ..events import AT_ONCE, BYTES_AT_ONCE, Events, summed, told
from ..report import Item, Status
from ..rewriting import rewritten
from ..verdict import derived_id

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from metadata.documents.contract import Documents, Record

    from ..sources import Found
    from .layout import Layout
    from .plan import Plan

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
        self._plan = plan
        self.store = Events(documents, _alike, dry_run=dry_run)

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
            yield from summed(_Log(self, chat, here).bring(), place, chat, here)

    def events(self, chat: str) -> Iterator[Found]:
        """Yield the events of a chat of the folder."""
        return self._layout.log(chat)

    def fitted(self, body: Record) -> tuple[Record, list[str]]:
        """Return an event whose attachments are those that are here."""
        return rewritten(_MESSAGE, body, self._plan.resolve)


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
            if len(group) >= AT_ONCE or size >= BYTES_AT_ONCE:
                yield from self._group(group)
                group, size = [], 0
        yield from self._group(group)

    def _group(self, group: Sequence[Found]) -> Iterator[Item]:
        ready: list[tuple[Found, Record, list[str]]] = []
        for found in group:
            try:
                ready.append((found, *self._read(found)))
            except CalotypeError as error:
                yield told(found.place, error)
        answers = self._logs.store.put([body for _, body, _ in ready])
        for (found, body, notes), answer in zip(ready, answers, strict=True):
            yield told(found.place, answer, str(body["id"]), notes)

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


def _alike(current: Record, wanted: Record) -> bool:
    return version_of("message", current) == version_of("message", wanted)
