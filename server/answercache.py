"""Whole answers to plain requests for public bytes, kept in memory and written before anything else is asked.

Bytes never change, so an answer that everybody may keep may be kept here, too. The ordinary way makes every answer, and
what is kept is what it wrote, but for the date and the request's id: so both ways give the same, and this one can be
taken away (`CALOTYPE_FASTLANE_BYTES=0`). What a payload's records say can change; `metadata.files.epochs` tells.
"""

from __future__ import annotations

import logging
import re
import secrets
from typing import TYPE_CHECKING, Final

from metadata.errors import CalotypeError

from .plain import Plain, plain

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from .accesslog import Visit
    from .sending import Source

_log = logging.getLogger("calotype.server")

_SHARE: Final = 8
"""No answer takes more than this part of the budget, so that one cannot push out all others."""
_LARGEST: Final = 1024 * 1024
"""Bytes of content kept at most; of what is larger the head is kept, and where its content lies."""

_COST: Final = 2048
"""Bytes that an answer costs besides its own and those of its requests, about."""
_HEADS: Final = 8
"""How many different requests are remembered for one answer: browsers differ, and so does one over time."""
_DAY_S: Final = 86_400
_STATUSES: Final = frozenset({200, 206, 304})
_KEEPABLE: Final = re.compile(rb"public, max-age=([0-9]{1,10})(?:, immutable)?")
_ID: Final = b"x-request-id"
_ID_DIGITS: Final = 16
_IDS: Final = 256


class Entry:
    """An answer that is kept.

    Attributes:
        plain: the request it answers.
        start: its bytes up to the date.
        before: from there up to the request's id.
        after: from there to the end of the head.
        body: its content; None where it is only known where that lies.
        source: where the content lies, if a file holds it.
        visit: what is recorded of it, but for time, client, duration and id.
    """

    __slots__ = ("after", "before", "body", "epoch", "heads", "plain", "source", "start", "used", "visit")

    def __init__(
        self,
        plain: Plain,
        epoch: int,
        head: tuple[bytes, bytes, bytes],
        body: bytes | None,
        source: Source | None,
        visit: Visit,
    ) -> None:
        self.plain = plain
        self.epoch = epoch
        self.start, self.before, self.after = head
        self.body = body
        self.source = source
        self.visit = visit
        self.heads: list[bytes] = []
        self.used = False

    @property
    def cost(self) -> int:
        """Bytes of memory it takes."""
        asked = len(self.plain.line) + sum(len(value or b"") for value in self.plain.fields)
        answer = len(self.before) + len(self.after) + len(self.body or b"")
        return _COST + asked + answer + sum(map(len, self.heads))


class Filling:
    """An answer that the ordinary way is about to make, and that may be kept.

    Args:
        plain: the request.
        epoch: the value of its payload's epoch before anything was looked at.
        most: bytes of the largest content that is kept.
    """

    __slots__ = ("_body", "_fields", "_length", "_most", "_status", "epoch", "plain")

    def __init__(self, plain: Plain, epoch: int, most: int) -> None:
        self.plain = plain
        self.epoch = epoch
        self._most = most
        self._status = 0
        self._fields: Sequence[tuple[bytes, bytes]] = ()
        self._body: list[bytes] = []
        self._length = 0

    def start(self, status: int, fields: Sequence[tuple[bytes, bytes]]) -> None:
        """Take the head."""
        self._status, self._fields = status, fields

    def take(self, piece: bytes) -> None:
        """Take a piece of the content."""
        self._length += len(piece)
        if self._length <= self._most:
            self._body.append(piece)
        else:
            self._body.clear()

    def entry(self, visit: Visit | None, source: Source | None, status_lines: Mapping[int, bytes]) -> Entry | None:
        """Return what is to be kept; None when the answer is none that everybody may keep, or not whole.

        Args:
            visit: what was recorded of it.
            source: where its content lies, if a file holds it.
            status_lines: the first line of an answer by its status.
        """
        fields = [(name.lower(), value) for name, value in self._fields]
        named = dict(fields)
        kept = _KEEPABLE.fullmatch(named.get(b"cache-control", b""))
        names = [name for name, _ in fields]
        if visit is None or self._status not in _STATUSES or kept is None or int(kept[1]) < _DAY_S:
            return None
        if names.count(_ID) != 1 or not self._whole(named.get(b"content-length")):
            return None
        body = b"".join(self._body) if self._length <= self._most else None
        if body is None and source is None:
            return None
        at = names.index(_ID)
        lines = [name + b": " + value + b"\r\n" for name, value in fields]
        before, after = b"".join(lines[:at]) + _ID + b": ", b"\r\n" + b"".join(lines[at + 1 :]) + b"\r\n"
        head = (status_lines[self._status], before, after)
        return Entry(self.plain, self.epoch, head, body, source, visit)

    def _whole(self, length: bytes | None) -> bool:
        if self.plain.line.startswith(b"HEAD ") or self._status == 304:  # noqa: PLR2004 - neither has content
            return self._length == 0
        return length is not None and int(length) == self._length


class AnswerCache:
    """The answers that one worker keeps; used on the event loop alone.

    Args:
        budget: bytes of memory for them.
        epochs: returns the 256 values of `metadata.files.epochs` of the page that lies there now.
        prefix: what may stand before the service's own paths.
    """

    def __init__(self, budget: int, epochs: Callable[[], memoryview], prefix: str = "") -> None:
        self._budget = budget
        self._largest = min(_LARGEST, budget // _SHARE)
        self._epochs = epochs
        self._values: memoryview | None = epochs()
        self._prefix = prefix.encode("ascii")
        self._heads: dict[bytes, Entry] = {}
        self._entries: dict[Plain, Entry] = {}
        self._bytes = 0
        self._ids: list[bytes] = []
        self._fields: Sequence[tuple[bytes, bytes]] = ()
        self._lines = b""

    @property
    def held(self) -> int:
        """Bytes of memory that the answers take."""
        return self._bytes

    def find(self, head: bytes) -> Entry | Filling | None:
        """Return the answer to a piece of a connection, or what to put it into, or None when this is no plain request.

        Args:
            head: all that has come since the last request ended.
        """
        values = self._values
        if values is None:
            return None
        entry = self._heads.get(head)
        if entry is None:
            asked = plain(head, self._prefix)
            if asked is None:
                return None
            entry = self._entries.get(asked)
            if entry is None:
                return self._filling(asked, values)
            self._remember(entry, head)
        if entry.epoch != values[entry.plain.first_byte]:
            self._drop(entry)
            return self._filling(entry.plain, values)
        entry.used = True
        return entry

    def read(self, entry: Entry) -> bytes | None:
        """Return the content of an answer, from its file if need be; None when that is too large or not to be had."""
        if entry.body is not None or entry.source is None or entry.visit.bytes > self._largest:
            return entry.body
        body = entry.source.read(entry.visit.bytes)
        if body is not None and self._entries.get(entry.plain) is entry:
            entry.body = body
            self._bytes += len(body)
            self._make_room()
        return body

    def anew(self, entry: Entry) -> Filling | None:
        """Forget an answer that cannot be given and return what to put another one into."""
        self._drop(entry)
        return None if self._values is None else self._filling(entry.plain, self._values)

    def keep(self, entry: Entry) -> None:
        """Keep an answer, in place of those that were not asked for the longest."""
        before = self._entries.get(entry.plain)
        if before is not None:
            self._drop(before)
        self._entries[entry.plain] = entry
        self._bytes += entry.cost
        self._make_room()

    def look(self) -> None:
        """Follow the page of epochs if it was replaced, and keep nothing while there is none; called now and then."""
        try:
            values = self._epochs()
        except CalotypeError as error:
            if self._values is not None:
                _log.warning("Nothing is answered from memory: %s", error.message)
            values = None
        if values is not self._values:
            self._values = values
            self.clear()

    def clear(self) -> None:
        """Keep nothing."""
        self._heads.clear()
        self._entries.clear()
        self._bytes = 0

    def request_id(self) -> bytes:
        """Return 16 hex digits nobody has seen."""
        if not self._ids:
            digits = secrets.token_hex(_IDS * _ID_DIGITS // 2).encode("ascii")
            self._ids = [digits[at : at + _ID_DIGITS] for at in range(0, len(digits), _ID_DIGITS)]
        return self._ids.pop()

    def lines(self, fields: Sequence[tuple[bytes, bytes]]) -> bytes:
        """Return the header fields that the server gives every answer, the date among them, as they are written."""
        if fields is not self._fields:  # another list each second
            self._fields = fields
            self._lines = b"".join(name.lower() + b": " + value + b"\r\n" for name, value in fields)
        return self._lines

    def _filling(self, asked: Plain, values: memoryview) -> Filling:
        return Filling(asked, values[asked.first_byte], self._largest)

    def _remember(self, entry: Entry, head: bytes) -> None:
        if len(entry.heads) == _HEADS:
            oldest = entry.heads.pop(0)
            del self._heads[oldest]
            self._bytes -= len(oldest)
        entry.heads.append(head)
        self._heads[head] = entry
        self._bytes += len(head)
        self._make_room()

    def _make_room(self) -> None:
        """Let answers go, oldest first, their content before them where a file holds it.

        One that was asked for since it was last looked at stays for another round.
        """
        while self._bytes > self._budget:
            oldest = next(iter(self._entries.values()))
            if not oldest.used and (oldest.source is None or not oldest.body):
                self._drop(oldest)
                continue
            self._entries[oldest.plain] = self._entries.pop(oldest.plain)
            if not oldest.used and oldest.body:
                self._bytes -= len(oldest.body)
                oldest.body = None
            oldest.used = False

    def _drop(self, entry: Entry) -> None:
        if self._entries.pop(entry.plain, None) is None:
            return
        for head in entry.heads:
            del self._heads[head]
        self._bytes -= entry.cost
