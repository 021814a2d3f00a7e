"""Backups of one store: what the command line and the routes use."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from metadata.clock import timestamp
from metadata.errors import InvalidError
from metadata.files import atomic
from metadata.files.folder import MARKER
from metadata.files.trouble import told

from ..blobs import layout
from .archives import ArchiveTarget, format_of
from .exporting import Exporting
from .report import Taken
from .restoring import require_empty
from .snapshot import Photographer
from .taking import Origin, Taking, Wishes
from .targets import FolderTarget, Target

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path
    from typing import IO

    from ..digest import Digest
    from .exporting import Exported

LOCK: Final = "locks/backing-up"
STAGE: Final = "backup"


class Backups:
    """Takes backups of one store.

    Args:
        origin: the store.
    """

    def __init__(self, origin: Origin) -> None:
        self._origin = origin
        self._engine = origin.engine

    def foresee(self, target: str) -> Taken:
        """Say what a backup would hold now, roughly: nothing is held still for it."""
        at = timestamp(self._engine.clock.now())
        photographer = Photographer(self._engine, self._origin.cache / STAGE)
        sizes = [self._size(path) for path in photographer.paths()]
        payloads = [size for digest in self._stored() if (size := self._size(layout.relative_path(digest)))]
        sealed = sum(self._origin.survey().values())
        return Taken(target, at, len(sizes) + len(payloads), len(payloads), sum(sizes) + sum(payloads), sealed=sealed)

    def take(
        self, target: str, place: Path | None, wishes: Wishes | None = None, stream: IO[bytes] | None = None
    ) -> Taken:
        """Take a backup.

        Args:
            target: a folder, a file ending in .zip, .tar, .tar.gz or .tgz, or `-` for a tar stream.
            place: where that is; None for the stream.
            wishes: how.
            stream: takes the bytes of a stream.

        Raises:
            BusyError: another backup is under way, or a sweep did not let go.
            ConflictError: there is something at the target.
            InvalidError: the target cannot hold this backup, or lies in the store.
            FullError: no room, at the target or for the copies of the records.
            UnreadableError: a file cannot be read or written, or what was written is not what is read again.
        """
        wishes = wishes or Wishes()
        self._check_place(place)
        began = time.monotonic()
        with self._alone(), self._engine.locks.lease_shared():
            generation = self._origin.ids.new()
            chosen = self._target(target, place, wishes, generation, stream)
            with self._stage() as stage, chosen:
                taken = Taking(self._origin, chosen, wishes, generation, stage).run()
        return replace(taken, target=target, seconds=time.monotonic() - began)

    def export(self, root: Path, *, include_sealed: bool = False) -> Exported:
        """Export the store into a new folder; see `exporting`.

        Args:
            root: the folder: absent, or empty.
            include_sealed: keep sealed values as they are sealed, password hashes and sign-ins.

        Raises:
            BusyError: a backup or another operation is under way.
            ConflictError: the folder is not empty.
            InvalidError: it lies in the store.
            FullError, UnreadableError: the disk refused; the folder is no store then.
        """
        self._check_place(root)
        require_empty(root)
        with self._alone(), self._engine.locks.lease_shared(), self._stage() as stage:
            return Exporting(self._origin, stage, root, include_sealed=include_sealed).run()

    def _target(
        self, target: str, place: Path | None, wishes: Wishes, generation: str, stream: IO[bytes] | None
    ) -> Target:
        form = format_of(target)
        if place is not None and form is None:
            return FolderTarget(
                self._engine.fs, place, generation, self._store_id(), renews=wishes.incremental, rehash=wishes.rehash
            )
        if wishes.incremental or wishes.rehash:
            raise InvalidError(
                "Only a folder can be brought up to date; an archive is written anew.", field="incremental"
            )
        return ArchiveTarget(self._engine.fs, place, form or "tar", self._engine.clock.now().timestamp(), stream)

    def _store_id(self) -> str:
        return str(self._engine.read_document(MARKER).value["storeId"])

    def _check_place(self, place: Path | None) -> None:
        root = self._engine.paths.root
        if place is None:
            return
        found = place.expanduser().resolve()
        if found.is_relative_to(root) or root.is_relative_to(found):
            raise InvalidError(
                f"{place} and the store {root} lie one in the other. Name a place of its own for backups, best on "
                "another disk.",
                path=str(place),
            )

    def _alone(self) -> AbstractContextManager[None]:
        return self._engine.locks.lock_of(LOCK).alone("Another backup of this store")

    @contextmanager
    def _stage(self) -> Iterator[Path]:
        """Make the folder for the copies; what a backup that was cut off left in it goes."""
        fs, stage = self._engine.fs, self._origin.cache / STAGE
        with told(stage, "made"):
            atomic.remove_tree(fs, stage)
            atomic.make_dirs(fs, stage, mode=0o700, sync=False)
        try:
            yield stage
        finally:
            with told(stage, "removed"):
                atomic.remove_tree(fs, stage)

    def _stored(self) -> Iterator[Digest]:
        return layout.digests(self._engine.list(layout.BINARIES))

    def _size(self, path: str) -> int:
        try:
            return self._engine.fs.stat(self._engine.paths.resolve(path)).st_size
        except OSError:
            return 0
