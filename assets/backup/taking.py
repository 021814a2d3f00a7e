"""Taking a backup while everybody goes on writing.

The lease is held shared from the beginning to the end, so that nothing is swept meanwhile. Then the records of one
moment are copied (`snapshot`), and after them the payloads: whatever those records name was there at that moment and is
there still. Payloads never change, so copying them needs no further lock. The list comes last.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from metadata.clock import timestamp
from metadata.errors import UnreadableError
from metadata.files.folder import FORMAT_VERSION, MARKER
from metadata.files.trouble import told

from ..blobs import layout
from ..digest import Digest
from .copying import opened, sha256_of
from .manifest import MASTER_KEY, URL_KEY, Entry, Head, Manifest
from .report import Taken
from .snapshot import Photographer, Snapshot

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from metadata.documents.contract import Documents
    from metadata.documents.usage import Usage
    from metadata.files.engine import FileEngine
    from metadata.ids import Ids

    from ..trash import Trash
    from .targets import Target

_KEYS: Final = (MASTER_KEY, URL_KEY)


@dataclass(frozen=True, slots=True)
class Wishes:
    """How a backup is to be taken.

    Attributes:
        incremental: bring a folder up to date that holds a backup, or begin one there.
        include_key: take the keys in `secrets/` too.
        rehash: hash the payloads that are there already instead of trusting their sizes.
    """

    incremental: bool = False
    include_key: bool = False
    rehash: bool = False


@dataclass(frozen=True, slots=True)
class Origin:
    """What a backup is taken of.

    Attributes:
        engine: the file engine of the store.
        documents: the records.
        usage: which payloads are used.
        trash: what was removed.
        survey: tells how many values each master key has sealed.
        cache: the folder for the copies of the records on their way.
        ids: names the backups.
        version: of Calotype.
    """

    engine: FileEngine
    documents: Documents
    usage: Usage
    trash: Trash
    survey: Callable[[], Mapping[str, int]]
    cache: Path
    ids: Ids
    version: str


class Taking:
    """One backup under way; the lock of backups and the lease are held.

    Args:
        origin: what it is taken of.
        target: what it is written to.
        wishes: how.
        generation: names it.
        stage: an empty folder for the copies of the records.
    """

    def __init__(self, origin: Origin, target: Target, wishes: Wishes, generation: str, stage: Path) -> None:
        self._origin = origin
        self._engine = origin.engine
        self._target = target
        self._wishes = wishes
        self._generation = generation
        self._stage = stage
        self._entries: dict[str, Entry] = {}
        self._sealed: dict[str, int] = {}
        self._damage: dict[str, None] = {}
        self._trashed: dict[Digest, str] = {}
        self._copied = 0
        self._reused = 0

    def run(self) -> Taken:
        """Take it; errors as `Backups.take`."""
        photographer = Photographer(self._engine, self._stage, _KEYS if self._wishes.include_key else ())
        photographer.prepare()
        at, paused, snapshot = self._still(photographer)
        self.records(snapshot)
        missing = tuple(sorted(self.payloads()))
        head = Head(
            store_id=str(self._engine.read_document(MARKER).value["storeId"]),
            format_version=FORMAT_VERSION,
            taken_at=at,
            by=self._origin.version,
            generation=self._generation,
            includes_key=MASTER_KEY in self._entries,
            sealed=self._sealed,
            missing=missing,
        )
        manifest = Manifest(head, self._entries)
        verified = self._target.finish(manifest)
        return self._told(manifest, snapshot, paused, verified=verified)

    def _told(self, manifest: Manifest, snapshot: Snapshot, paused: float, *, verified: bool) -> Taken:
        return Taken(
            target="",
            at=manifest.head.taken_at,
            files=len(manifest.entries),
            payloads=manifest.payloads,
            bytes=manifest.size,
            copied_bytes=self._copied,
            reused=self._reused,
            paused_s=paused,
            verified=verified,
            includes_key=manifest.head.includes_key,
            sealed=sum(manifest.head.sealed.values()),
            missing=manifest.head.missing,
            passed_over=tuple(snapshot.passed_over),
            damaged=tuple(self._damage),
        )

    def _still(self, photographer: Photographer) -> tuple[str, float, Snapshot]:
        """Take the snapshot, and what goes with its moment: the sealed values, and the used payloads in the trash."""
        # Beforehand, so that little is left to be taken over in the pause. Damaged files are copied as they are.
        self._damage.update((problem.path, None) for problem in self._origin.usage.catch_up())
        with self._origin.documents.guard(exclusive=True):
            began = time.monotonic()
            at = timestamp(self._engine.clock.now())
            snapshot = photographer.finish()
            self._sealed = self._survey()
            entries = self._origin.trash.entries()
            live = self._origin.usage.live_among([entry.digest for entry in entries])
            self._trashed = {entry.digest: f"{entry.path}/{layout.RAW}" for entry in entries if entry.digest in live}
            return at, time.monotonic() - began, snapshot

    def _survey(self) -> dict[str, int]:
        try:
            return dict(self._origin.survey())
        except UnreadableError as error:
            self._damage[str(error.details.get("path"))] = None
            return {}

    def records(self, snapshot: Snapshot) -> None:
        """Hand on the copies."""
        for path, size in snapshot.files.items():
            with told(path, "read"), opened(self._engine.fs, snapshot.stage / path) as source:
                digest = self._target.add(path, source, size)
            if digest is None:
                raise UnreadableError(f"{path} changed while it was being copied; try again.", path=path)
            self._note(Entry(path, size, digest), fresh=True)

    def payloads(self) -> set[str]:
        """Hand on the payloads; return the hashes of those that the records need and that could not be had."""
        needed = self._origin.usage.named()  # before the look into the folder, where a payload is before its record
        stored = layout.digests(self._engine.list(layout.BINARIES))
        for digest in dict.fromkeys([*stored, *self._trashed, *map(Digest, sorted(needed))]):
            place = layout.relative_path(digest)
            held = self._target.holds(place)
            if held is not None:
                self._note(held, fresh=False)
                continue
            # In its place; else in the trash; and if it was taken back or healed in between, in its place again.
            for path in (place, self._trashed.get(digest, place), place):
                if self._payload(digest, path):
                    break
        return {one for one in needed if layout.relative_path(Digest(one)) not in self._entries}

    def _payload(self, digest: Digest, path: str) -> bool:
        """Hand on a payload; false when it is not there, cannot be read, or is not what its name says."""
        place = self._engine.paths.resolve(path)
        try:
            with told(path, "read"), opened(self._engine.fs, place) as source:
                if not self._target.discerning and not self._right(place, digest):
                    return False
                entry = Entry(layout.relative_path(digest), source.size, digest)
                if self._target.add(entry.path, source, entry.size, digest) is None:
                    return False
        except UnreadableError as error:
            if error.details.get("path") not in {path, str(place)}:
                raise  # it is the target that failed
            return False
        self._note(entry, fresh=True)
        return True

    def _right(self, place: Path, digest: Digest) -> bool:
        with opened(self._engine.fs, place) as source:
            return sha256_of(source, source.size) == digest

    def _note(self, entry: Entry, *, fresh: bool) -> None:
        self._entries[entry.path] = entry
        self._copied += entry.size if fresh else 0
        self._reused += not fresh
