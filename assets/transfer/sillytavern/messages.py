"""What was said in a chat, streamed: each alternative an event, pictures and files as assets beside it.

A line has no id. It is known by when its first alternative came into being and by whom it was said, and among lines
that have that in common by their order; so a chat that went on there, or lost lines, is completed here and not doubled.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from metadata.errors import CalotypeError, FullError, UnreadableError
from metadata.schemas.catalog import CATALOG

from ..events import AT_ONCE, BYTES_AT_ONCE, Events, told
from .attachments import Attached, attached, with_addresses
from .keeping import Source, Use
from .layout import shown
from .speech import is_header, said

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from metadata.documents.contract import Record

    from ..report import Item
    from ..sources import Found
    from .chats import Chat
    from .keeping import Keeper, Kept
    from .layout import Layout
    from .speech import Said, Swipe
    from .target import Target

_NO_FILE = "It is a card or a chat, which is no file of its own here."
_NAMED = 80
"""Characters of an address in a note."""


class Messages:
    """Brings what was said.

    Args:
        layout: the folder.
        target: to whom it goes.
        keeper: takes in what is attached.
        use: what a file of the folder is for beside that.
    """

    def __init__(self, layout: Layout, target: Target, keeper: Keeper, use: Callable[[str], Use]) -> None:
        self._layout = layout
        self._target = target
        self._keeper = keeper
        self._use = use
        self._events = Events(target.repositories.documents, _alike, dry_run=target.dry_run)

    def bring(self, chat: Chat) -> Iterator[Item]:
        """Store what was said in a chat; yield what became of every event, and of what was attached.

        Raises:
            FullError: there is no room.
        """
        log = _Log(chat, self._target)
        group: list[Found] = []
        size = 0
        for number, found in enumerate(self._layout.folder.lines(chat.path)):
            if number == 0 and found.record is not None and is_header(found.record):
                continue
            group.append(found)
            size += found.size
            if len(group) >= AT_ONCE or size >= BYTES_AT_ONCE:
                yield from self._group(log, group)
                group, size = [], 0
        yield from self._group(log, group)

    def _group(self, log: _Log, group: Sequence[Found]) -> Iterator[Item]:
        ready: list[tuple[str, Record, Sequence[str]]] = []
        for found in group:
            place = shown(found.place)
            try:
                if found.record is None:
                    raise UnreadableError(found.problem)
                line = said(found.record, log.chat.names)
                for event, swipe in log.events(line):
                    files = [self._attached(one, log.chat, event) for one in attached(swipe.extra)]
                    yield from (kept.item for _, kept, _ in files if kept is not None and kept.item is not None)
                    ready.append((place, _with_files(event, swipe, files), [note for _, _, note in files if note]))
            except FullError:
                raise
            except CalotypeError as error:
                yield told(place, error)
        answers = self._events.put([body for _, body, _ in ready])
        for (place, body, notes), answer in zip(ready, answers, strict=True):
            yield told(place, answer, str(body["id"]), notes)

    def _attached(self, one: Attached, chat: Chat, event: Record) -> tuple[Attached, Kept | None, str]:
        use = Use(links={"chatId": chat.here, "messageId": str(event["id"])})
        if one.is_elsewhere:
            return one, None, f"{_clipped(one.url)} is on another server; nothing was fetched from there."
        if one.is_data:
            source = Source(f"{chat.path}#", one.filename(), use, str(event["createdAt"]))
            try:
                return one, self._keeper.keep_bytes(one.bytes(), source), ""
            except FullError:
                raise
            except CalotypeError as error:
                return one, None, f"{one.filename()} could not be stored: {error.message}"
        for path in one.paths():
            top, slash, rest = path.partition("/")
            here = f"{self._layout.top(top)}{slash}{rest}"
            if self._layout.folder.file(here) is not None:
                kept = self._keeper.keep(here, replace(self._use(here), links=use.links))
                return one, kept, "" if kept.id else f"{_clipped(one.url)} could not be stored: {kept.why or _NO_FILE}"
        return one, None, f"{_clipped(one.url)} is not in the folder."


class _Log:
    """One chat's lines becoming events."""

    def __init__(self, chat: Chat, target: Target) -> None:
        self.chat = chat
        self._target = target
        self._last = chat.created
        self._met: set[int] = set()
        self._again: Counter[int] = Counter()

    def events(self, line: Said) -> Iterator[tuple[Record, Swipe]]:
        """Yield the events of a line without what is attached, each with its alternative."""
        key = (*line.key, str(self._number(line.key)))
        group = self._target.id("swipes", self.chat.here, *key)
        for place, swipe in enumerate(line.swipes):
            self._last = swipe.moment or self._last
            event: Record = {
                "type": "message",
                "id": self._target.id("event", self.chat.here, *key, str(place)),
                "chatId": self.chat.here,
                "role": line.role,
                "content": swipe.text,
                **({"tokenCount": swipe.tokens} if swipe.tokens is not None else {}),
                **({"swipeGroupId": group, "swipeIndex": place} if line.has_swipes else {}),
                "attachments": [],
                "createdAt": self._last,
                **({"_chosenAt": self._last} if place == line.shown and len(line.swipes) > 1 else {}),
            }
            yield event, swipe

    def _number(self, key: tuple[str, ...]) -> int:
        """Return how many lines before this one had the same key; a number of each is remembered, and no more."""
        short = hash(key)
        if short in self._met:
            self._again[short] += 1
        self._met.add(short)
        return self._again.get(short, 0)


def _with_files(event: Record, swipe: Swipe, files: Sequence[tuple[Attached, Kept | None, str]]) -> Record:
    here = [(one, kept) for one, kept, _ in files if kept is not None and kept.id]
    addresses = {one.url: f"/blobs/{kept.sha256}" for one, kept in here if one.is_data}
    extra = with_addresses(swipe.extra, addresses)
    raw = {**swipe.rest, **({"extra": extra} if extra else {})}
    attachments = list(dict.fromkeys(kept.id for _, kept in here))
    members: Record = {**event, "rawResponse": {"sillyTavern": raw}, "attachments": attachments}
    return CATALOG["message"].model.from_record(members).to_record()


def _alike(current: Record, wanted: Record) -> bool:
    """Tell whether an event that is here says the same; what SillyTavern notes beside the words may change."""
    return all(current.get(name) == wanted.get(name) for name in ("role", "content"))


def _clipped(address: str) -> str:
    return address if len(address) <= _NAMED else f"{address[: _NAMED - 1]}…"
