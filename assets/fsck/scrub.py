"""The full check: every payload is read and hashed again.

What was found sound is noted in its facts, some hundreds at a time (one sync for all of them) and every few seconds, so
that a scrub that was interrupted can leave out what it has done, and an upload knows how long ago a stored copy was
looked at. What was found rotten, or could not be read, is noted too: no upload trusts it any more, and the next quick
check looks at it.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from metadata.clock import timestamp
from metadata.documents.contract import Change
from metadata.errors import CalotypeError, InvalidError, NotFoundError, UnreadableError
from metadata.findings import Finding, Repair

from ..blobs.hashing import hash_of
from .pace import Pace
from .payloads import chunks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from metadata.clock import Clock
    from metadata.documents.contract import Documents, Record, Stored

    from ..blobs.base import BlobStore
    from ..digest import Digest
    from ..trash import Trash
    from .payloads import PayloadChecks

_NOTED_AT_ONCE = 200
_NOTED_AFTER_S = 10.0
"""Where payloads are large, or read slowly, that many of them would be too much to do again."""

_SPACE = 1 << 32


@dataclass(frozen=True, slots=True)
class Part:
    """One of several parts of all payloads, by their hashes; the same payload is always in the same part.

    Attributes:
        number: from 1.
        of: how many parts there are.
    """

    number: int = 1
    of: int = 1

    @classmethod
    def parse(cls, text: str) -> Part:
        """Read `n/t`.

        Raises:
            InvalidError: it is something else, or n is not from 1 to t.
        """
        number, _, of = text.partition("/")
        if not (
            number.isascii() and number.isdigit() and of.isascii() and of.isdigit() and 1 <= int(number) <= int(of)
        ):
            raise InvalidError(f"{text[:40]!r} is no part; the second of seven is 2/7.", field="part")
        return cls(int(number), int(of))

    def holds(self, digest: Digest) -> bool:
        """Tell whether a payload belongs to this part."""
        return int(digest[:8], 16) * self.of // _SPACE == self.number - 1


@dataclass(slots=True)
class Scrubbed:
    """How far a scrub has come.

    Attributes:
        payloads: payloads read and hashed.
        bytes: their bytes.
        skipped: payloads left out because they were looked at lately.
        total_bytes: about how many bytes there are to read.
    """

    payloads: int = 0
    bytes: int = 0
    skipped: int = 0
    total_bytes: int = 0

    def skip(self, fact: Stored | None) -> None:
        """Leave out a payload of which these facts are known."""
        size = None if fact is None else fact.body.get("size")
        self.skipped += 1
        self.total_bytes -= size if isinstance(size, int) else 0


class Scrub:
    """Hashes payloads again.

    Args:
        documents: the facts.
        blobs: the payloads.
        checks: looks again at what seems rotten.
        trash: what is hashed as well, for it may have to come back.
        clock: the time.
    """

    def __init__(
        self, documents: Documents, blobs: BlobStore, checks: PayloadChecks, trash: Trash, clock: Clock
    ) -> None:
        self._trash = trash
        self._documents = documents
        self._blobs = blobs
        self._checks = checks
        self._clock = clock

    def findings(
        self,
        part: Part,
        *,
        rate: float | None = None,
        older_than_s: float | None = None,
        noting: bool = True,
        progress: Callable[[Scrubbed], None] = lambda _: None,
    ) -> Iterator[Finding]:
        """Yield the payloads whose bytes are not what their names say.

        Args:
            part: which payloads.
            rate: bytes a second; None: no limit.
            older_than_s: leave out what was found sound within this time, seconds.
            noting: write down what was seen.
            progress: called after each payload.
        """
        pace, done, notes = Pace(self._clock, rate), Scrubbed(), _Notes(self._documents, self._clock)
        done.total_bytes = self._documents.total("fact", "size") // part.of
        since = None if older_than_s is None else timestamp(self._clock.now() - timedelta(seconds=older_than_s))
        wanted = (digest for digest in sorted(self._blobs.scan()) if part.holds(digest))
        try:
            for digests in chunks(wanted, _NOTED_AT_ONCE):
                facts = self._documents.many("fact", digests)
                for digest in digests:
                    if since is not None and _verified(facts.get(digest)) >= since:
                        done.skip(facts.get(digest))
                    else:
                        found = self._looked(digest, pace, done)
                        notes.add(digest, sound=found is None)
                        if found is not None:
                            yield found
                    progress(done)
                    if noting and notes.due:
                        notes.write()
        finally:  # interrupted, too
            if noting:
                notes.write()
        yield from self._in_the_trash(part, pace, done)
        progress(done)

    def _in_the_trash(self, part: Part, pace: Pace, done: Scrubbed) -> Iterator[Finding]:
        """Yield what rotted in the trash; it is read each time, for nothing that lies there notes when it was."""

        def passed(count: int) -> None:
            done.bytes += count
            pace.passed(count)

        for entry in self._trash.entries():
            if part.holds(entry.digest) and self._trash.size(entry) is not None:
                done.payloads += 1
                try:
                    rotten = not self._trash.sound(entry, passed)
                except UnreadableError as error:
                    yield Finding("payload-unreadable", entry.path, error.message)
                    continue
                if rotten and self._trash.size(entry) is not None:  # gone since, for good or to its place, is no rot
                    evidence = "Its bytes are not what its name says."
                    yield Finding("trash-rotten", entry.path, evidence, Repair.SET_ASIDE)

    def _looked(self, digest: Digest, pace: Pace, done: Scrubbed) -> Finding | None:
        def passed(count: int) -> None:
            done.bytes += count
            pace.passed(count)

        done.payloads += 1
        try:
            if hash_of(self._blobs, digest, passed) == digest:
                return None
        except (NotFoundError, UnreadableError):
            pass  # gone since; or refused, which the second look tells
        # A payload may have been healed while it was read.
        return self._checks.again(digest, self._checks.rotten)


class _Notes:
    """What was seen and is to be written down."""

    def __init__(self, documents: Documents, clock: Clock) -> None:
        self._documents = documents
        self._clock = clock
        self._changes: list[Change] = []
        self._written_at = clock.monotonic()

    @property
    def due(self) -> bool:
        """Whether there is enough, or it waited long enough."""
        waited = self._clock.monotonic() - self._written_at
        return len(self._changes) >= _NOTED_AT_ONCE or (bool(self._changes) and waited >= _NOTED_AFTER_S)

    def add(self, digest: Digest, *, sound: bool) -> None:
        """Take in what was seen of one payload."""
        now = timestamp(self._clock.now())
        self._changes.append(Change("fact", digest, partial(_sound if sound else _rotten, now)))

    def write(self) -> None:
        """Write it down."""
        changes, self._changes = self._changes, []
        self._written_at = self._clock.monotonic()
        with suppress(CalotypeError):  # a full disk, say: what could not be noted is read again the next time
            self._documents.each(changes)


def _verified(fact: Stored | None) -> str:
    said = None if fact is None else fact.body.get("verifiedAt")
    return said if isinstance(said, str) else ""


def _sound(now: str, record: Record | None) -> Record | None:
    if record is None:
        return None
    kept = {name: value for name, value in record.items() if name != "rottenAt"}
    return {**kept, "verifiedAt": now}


def _rotten(now: str, record: Record | None) -> Record | None:
    if record is None:
        return None
    kept = {name: value for name, value in record.items() if name != "verifiedAt"}
    return {**kept, "rottenAt": record.get("rottenAt", now)}
