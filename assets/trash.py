"""The trash: payloads that nothing used, kept for a while in `trash/<sha256>.<unix seconds>/`.

An entry is the payload's own directory, moved by one rename, without what was derived from it and with a `note.json`
that keeps what was known of it: its line in `facts.jsonl`, and the deleted records that named it. Taking it back is one
rename, too. Whatever a crash leaves between the two is finished by the next collection: an entry without a note is a
sound entry. Bytes are hashed before they come back: they may have rotted where nobody reads them.
"""

from __future__ import annotations

import errno
import os
import re
import stat
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from metadata.errors import InvalidError, NotFoundError, UnreadableError
from metadata.files import atomic
from metadata.files.identity import identity_of
from metadata.files.trouble import told

from .blobs import layout
from .digest import Digest, Hasher

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from metadata.clock import Clock
    from metadata.documents.contract import Record
    from metadata.files.engine import FileEngine
    from metadata.files.identity import FileIdentity
    from metadata.repositories.facts import FactsRepository

TRASH: Final = "trash"
NOTE: Final = "note.json"
_GONE: Final = ".gone"
_READ = os.O_RDONLY | os.O_NOFOLLOW
_PIECE = 1024 * 1024
_ENTRY = re.compile(r"(?P<digest>[0-9a-f]{64})\.(?P<since>\d{1,12})")


@dataclass(frozen=True, slots=True, order=True)
class Entry:
    """A payload in the trash.

    Attributes:
        digest: its hash.
        since: when it was put there, unix seconds.
    """

    digest: Digest
    since: int

    @property
    def path(self) -> str:
        """Where it lies, relative to the data folder."""
        return f"{TRASH}/{self.digest}.{self.since}"


class Trash:
    """The trash of one data folder. Who changes it holds the lock of the payload's shard.

    Args:
        engine: the file engine.
        facts: what is known of payloads; it leaves with them and comes back with them.
        clock: names the entries.
    """

    def __init__(self, engine: FileEngine, facts: FactsRepository, clock: Clock) -> None:
        self._engine = engine
        self._fs = engine.fs
        self._facts = facts
        self._clock = clock
        self._mutex = threading.Lock()
        self._listed: tuple[FileIdentity, int, frozenset[Entry]] | None = None

    def entries(self) -> list[Entry]:
        """Return every entry, by hash and age."""
        return sorted(self._read())

    def of(self, digest: Digest) -> list[Entry]:
        """Return the entries of a payload, oldest first."""
        return sorted(entry for entry in self._entries() if entry.digest == digest)

    def size(self, entry: Entry) -> int | None:
        """Return the bytes of an entry; None when its payload is not there."""
        with told(entry.path, "looked at"):
            try:
                found = self._fs.stat(self._place(entry) / layout.RAW)
            except (FileNotFoundError, NotADirectoryError):
                return None
        return found.st_size if stat.S_ISREG(found.st_mode) else None

    def put(
        self, digests: Sequence[Digest], buried: Callable[[Digest], Sequence[Record]] = lambda _: ()
    ) -> list[Digest]:
        """Move payloads of one shard into the trash, durably, and forget their facts; return those that were there.

        A payload whose directory is gone already has only its facts forgotten: that is how an interrupted move is
        finished.

        Args:
            digests: the payloads.
            buried: returns the deleted records that named one. Their tombstones may go before the entry does.
        """
        now = int(self._clock.now().timestamp())
        there = [digest for digest in digests if self._exists(self._payload(digest))]
        made = [self._free(digest, now) for digest in there]
        with told(TRASH, "written"):
            atomic.make_dirs(self._fs, self._engine.paths.resolve(TRASH), mode=0o700)
            atomic.move_all(self._fs, [(self._payload(entry.digest), self._place(entry)) for entry in made])
        cut_off = [entry for digest in digests if digest not in there for entry in self.of(digest)]
        for entry in made + cut_off:
            self._settle(entry, buried)
        self._facts.forget_all([str(digest) for digest in digests])
        return there

    def take_back(self, digest: Digest) -> bool:
        """Give a payload its place back, with what was known of it; False when the trash has no sound copy of it.

        Where a sound one is in its place, nothing happens; anything else there goes to `quarantine/`.

        Raises:
            UnreadableError: it cannot be told what is sound.
        """
        entries = self.of(digest)
        if not entries or self.stands(digest):
            return False
        for entry in reversed(entries):
            if self.sound(entry):
                self._revive(entry)
                return True
        return False

    def stands(self, digest: Digest) -> bool:
        """Tell whether a payload is in its place and is what its name says; the whole of it is read.

        Raises:
            UnreadableError: that cannot be told.
        """
        return self._sound(f"{layout.BINARIES}/{digest}", digest)

    def sound(self, entry: Entry, passed: Callable[[int], None] = lambda _: None) -> bool:
        """Tell whether an entry's bytes are what its name says; `passed` is told of every piece read, in bytes.

        Raises:
            UnreadableError: that cannot be told.
        """
        return self._sound(entry.path, entry.digest, passed)

    def doom(self, entries: Iterable[Entry]) -> list[Entry]:
        """Let entries go for good, durably; `clear` frees their bytes. Return those that were still there."""
        there = [entry for entry in entries if self._exists(self._place(entry))]
        with told(TRASH, "written"):
            atomic.move_all(self._fs, [(self._place(entry), self._doomed(entry)) for entry in there])
        return there

    def clear(self) -> None:
        """Free the bytes of everything that was let go, by this process or by one that died over it."""
        folder = self._engine.paths.resolve(TRASH)
        for name in self._names():
            if name.endswith(_GONE) and _ENTRY.fullmatch(name.removesuffix(_GONE)):
                with told(f"{TRASH}/{name}", "removed"):
                    atomic.remove_tree(self._fs, folder / name)

    def fact(self, entry: Entry) -> Record | None:
        """Return what was known of an entry's payload; None when its note is missing or makes no sense."""
        fact = self._note(entry).get("fact")
        return fact if isinstance(fact, dict) and fact.get("sha256") == str(entry.digest) else None

    def buried(self, digest: Digest) -> dict[str, Record]:
        """Return the deleted records that named a payload, by id, as the notes of its entries keep them."""
        found = [self._note(entry).get("records") for entry in self.of(digest)]
        records = [record for kept in found if isinstance(kept, list) for record in kept if isinstance(record, dict)]
        return {str(record.get("id")): record for record in records if record.get("sha256") == str(digest)}

    def _note(self, entry: Entry) -> Record:
        try:
            found = self._engine.read_document(f"{entry.path}/{NOTE}").value
        except (NotFoundError, UnreadableError):
            return {}
        return found if isinstance(found, dict) else {}

    def _settle(self, entry: Entry, buried: Callable[[Digest], Sequence[Record]]) -> None:
        """Leave an entry with its payload and its note, and nothing else."""
        place = self._place(entry)
        with told(entry.path, "written"):
            for name in [found.name for found in self._fs.scandir(place)]:
                if name not in (layout.RAW, NOTE):
                    atomic.remove_tree(self._fs, place / name)
        fact, records = self._facts.find_by_id(str(entry.digest)), buried(entry.digest)
        if (fact is not None or records) and not self._exists(place / NOTE):
            note = {"version": 1, "fact": None if fact is None else fact.to_record(), "records": list(records)}
            self._engine.write_document(f"{entry.path}/{NOTE}", note, stamp=True)

    def _revive(self, entry: Entry) -> None:
        # The facts first and the note away before the move: at no point is there a payload with a foreign file beside.
        fact = self.fact(entry)
        if fact is not None:
            with suppress(InvalidError):  # nobody's loss: the bytes tell it again
                self._facts.revive(fact)
        self._engine.remove(f"{entry.path}/{NOTE}")
        with told(entry.path, "moved"):
            if self._exists(self._payload(entry.digest)):
                self._set_aside(entry.digest)
            atomic.make_dirs(self._fs, self._payload(entry.digest).parent)
            atomic.move(self._fs, self._place(entry), self._payload(entry.digest))
        self._engine.epochs.tell([entry.digest.shard])  # what stood there may have been told

    def _set_aside(self, digest: Digest) -> None:
        """Move what stands in the place of a payload to `quarantine/`."""
        name = layout.set_aside(digest, int(self._clock.now().timestamp()))
        aside = self._engine.paths.resolve(layout.QUARANTINE, name)
        atomic.make_dirs(self._fs, aside.parent, mode=0o700)
        atomic.move(self._fs, self._payload(digest), aside)

    def _sound(self, folder: str, digest: Digest, passed: Callable[[int], None] = lambda _: None) -> bool:
        """Tell whether a folder holds a payload; a disk that cannot give its bytes back any more has lost it."""
        path, hasher = f"{folder}/{layout.RAW}", Hasher()
        with told(path, "read"):
            try:
                if not stat.S_ISREG(self._fs.stat(self._engine.paths.resolve(path)).st_mode):
                    return False
                descriptor = self._fs.open(self._engine.paths.resolve(path), _READ)
            except (FileNotFoundError, NotADirectoryError):
                return False
            try:
                while piece := self._fs.pread(descriptor, _PIECE, hasher.size):
                    hasher.update(piece)
                    passed(len(piece))
            except OSError as error:
                if error.errno != errno.EIO:
                    raise
                return False
            finally:
                self._fs.close(descriptor)
        return hasher.digest() == digest

    def _entries(self) -> frozenset[Entry]:
        """Return the entries, read again only when the folder changed: every upload asks, and there may be many."""
        with told(TRASH, "looked at"):
            seen = identity_of(self._fs, self._engine.paths.resolve(TRASH))
        if seen is None:
            return frozenset()
        with self._mutex:
            # A folder that was so young when it was read may have changed since without showing it.
            if self._listed is None or self._listed[0] != seen or seen.racy(self._listed[1]):
                self._listed = (seen, time.time_ns(), self._read())
            return self._listed[2]

    def _read(self) -> frozenset[Entry]:
        matches = [_ENTRY.fullmatch(name) for name in self._names()]
        return frozenset(Entry(Digest(match["digest"]), int(match["since"])) for match in matches if match)

    def _names(self) -> list[str]:
        return self._engine.list(TRASH)

    def _free(self, digest: Digest, since: int) -> Entry:
        entry = Entry(digest, since)
        while self._exists(self._place(entry)) or self._exists(self._doomed(entry)):
            entry = Entry(digest, entry.since + 1)
        return entry

    def _exists(self, path: Path) -> bool:
        with told(TRASH, "looked at"):
            return identity_of(self._fs, path) is not None

    def _place(self, entry: Entry) -> Path:
        return self._engine.paths.resolve(entry.path)

    def _doomed(self, entry: Entry) -> Path:
        return self._engine.paths.resolve(entry.path + _GONE)

    def _payload(self, digest: Digest) -> Path:
        return self._engine.paths.resolve(layout.BINARIES, digest)
