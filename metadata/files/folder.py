"""Opening the data folder: is it ours, may it be used, and does everything stand in its place."""

from __future__ import annotations

import errno
import os
import stat
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

from ..clock import Clock, SystemClock, timestamp
from ..errors import InvalidError, NotFoundError, UnreadableError
from ..ids import Ids, RandomIds
from . import atomic
from .bundle import SECRET_FOLDERS
from .engine import FileEngine
from .trouble import told

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

FORMAT_VERSION = 1
MARKER = ".calotype"
SEED_FOLDERS = ("settings", "characters", "personas", "chats", "binaries", "auth", "tags", "image-profiles", "cache")
OWN_FOLDERS = ("locks", "intents", "uploads", "trash", "quarantine", "secrets")

RESTORING = ".calotype-restoring"
"""Present while a restore or an export fills a folder; becomes the marker, or goes, when all is there."""

_CREATING = "locks/creating"
"""Present from before the first file of a new store to after its marker, so that a killed `init` is finished."""

_NOTHING = frozenset({"locks", "lost+found", ".DS_Store"})
"""Names that do not make a folder somebody's: a fresh mount has them, or a lock was taken."""

_IGNORED = (
    "secrets/",
    "auth/",
    "settings/connection-profiles.json",
    "cache/",
    "uploads/",
    "trash/",
    "quarantine/",
    "locks/",
    "intents/",
    "*.lock",
)
_PRIVATE = ("chats/", "settings/")


@dataclass(frozen=True, slots=True)
class Opened:
    """A data folder that may be used.

    Attributes:
        store_id: the id in its marker.
        created: it was empty before.
        adopted: it had the original application's layout and no marker before.
        warnings: sentences for the log.
    """

    store_id: str
    created: bool
    adopted: bool
    warnings: tuple[str, ...]


class _State(Enum):
    ABSENT = "absent"
    EMPTY = "empty"
    STORE = "store"
    SEED = "seed"
    OTHER = "other"


def prepare(
    root: Path,
    baseline: Mapping[str, bytes],
    *,
    expect_store: bool = False,
    git_private: bool = False,
    allow_world_writable: bool = False,
    clock: Clock | None = None,
    ids: Ids | None = None,
) -> Opened:
    """Open a data folder, making a store of an empty one and adopting the original's layout.

    Args:
        root: the folder; it may be absent, or a symbolic link.
        baseline: the files of a new store by relative path.
        expect_store: an empty or absent folder is an error: a vanished mount must not become a new store.
        git_private: keep chats and settings out of version control too.
        allow_world_writable: go on with a folder that every user of the machine may write to.
        clock: for the marker's time.
        ids: for the store's id.

    Raises:
        BusyError: another process is opening it and did not finish in time.
        InvalidError: it is not ours, of a newer format, open to the whole machine, or holds symbolic links.
        NotFoundError: there is no store and one was expected.
        UnreadableError: it cannot be read or written; the message holds the line that helps.
    """
    opening = _Opening(root, baseline, clock or SystemClock(), ids or RandomIds(), git_private=git_private)
    return opening.run(expect_store=expect_store, allow_world_writable=allow_world_writable)


class _Opening:
    def __init__(self, root: Path, baseline: Mapping[str, bytes], clock: Clock, ids: Ids, *, git_private: bool) -> None:
        self._engine = FileEngine.open(root, clock=clock)
        self._root = self._engine.paths.root
        self._baseline = baseline
        self._ids = ids
        self._ignored = (*_IGNORED, *(_PRIVATE if git_private else ()))

    def run(self, *, expect_store: bool, allow_world_writable: bool) -> Opened:
        state = self._state()
        if expect_store and state in {_State.ABSENT, _State.EMPTY}:
            raise NotFoundError(
                f"{self._root} holds no store, and CALOTYPE_EXPECT_STORE says there is one. Is the disk mounted?",
                path=str(self._root),
            )
        if state is _State.ABSENT:
            self._make_root()
        self._require_writable()
        warnings = self._judge_permissions(allow_world_writable=allow_world_writable)
        try:
            with self._engine.locks.start():
                return self._open_locked(warnings)
        finally:
            self._engine.close()

    def _open_locked(self, warnings: tuple[str, ...]) -> Opened:
        state = self._state()  # again: another process may have made the store meanwhile
        if state is _State.EMPTY:
            self._engine.write_bytes(_CREATING, b"")
        self._make_folders()
        if state is _State.EMPTY:
            self._make_files()
        if state is not _State.STORE:
            self._ignore()
            self._close_secrets()
            self._write_marker()
            self._engine.remove(_CREATING)
        created, adopted = state is _State.EMPTY, state is _State.SEED
        if adopted:
            warnings += (f"{self._root} has the original application's layout; it is a Calotype store from now on.",)
        return Opened(self._marker()["storeId"], created, adopted, warnings)

    def _state(self) -> _State:
        """Tell what the folder is.

        Raises:
            InvalidError: it is nothing that we may open.
        """
        if not self._root.exists():
            return _State.ABSENT
        if not self._root.is_dir():
            raise InvalidError(f"{self._root} is not a folder. Set DATA_DIR to a folder.", setting="DATA_DIR")
        names = set(self._names()) - _NOTHING
        if MARKER in names:
            self._marker()
            return _State.STORE
        if RESTORING in names:
            raise InvalidError(
                f"What was being put into {self._root} is not whole: the restore or export was cut off. Empty the "
                "folder and begin again.",
                path=str(self._root),
            )
        if not names - {"cache"} or (self._root / _CREATING).exists():
            return _State.EMPTY  # an index alone is no store: it may be the mount of a volume of its own
        if any((self._root / path).is_file() for path in self._baseline if "/" in path):
            return _State.SEED
        raise InvalidError(
            f"{self._root} holds other things and no store ({', '.join(sorted(names)[:5])}). "
            "Set DATA_DIR to an empty folder or to a store.",
            setting="DATA_DIR",
        )

    def _names(self) -> list[str]:
        try:
            return [entry.name for entry in self._engine.fs.scandir(self._root)]
        except OSError as error:
            raise self._refused("read", error) from error

    def _marker(self) -> dict[str, Any]:
        marker = self._engine.read_document(MARKER).value
        version = marker.get("formatVersion") if isinstance(marker, dict) else None
        if not isinstance(version, int) or not isinstance(marker.get("storeId"), str):
            raise UnreadableError(f"{self._root / MARKER} is damaged; restore it from a backup.", path=MARKER)
        if version > FORMAT_VERSION:
            raise InvalidError(
                f"{self._root} has format {version} and this Calotype reads up to {FORMAT_VERSION}. "
                "Install the newer Calotype.",
                formatVersion=version,
            )
        return dict(marker)

    def _make_root(self) -> None:
        try:
            # Whatever the umask says, not open to the whole machine, which the next start would refuse.
            atomic.make_dirs(self._engine.fs, self._root, mode=0o775)
        except OSError as error:
            raise self._refused("made", error) from error

    def _require_writable(self) -> None:
        if not os.access(self._root, os.W_OK | os.X_OK):
            read_only = bool(os.statvfs(self._root).f_flag & os.ST_RDONLY)
            raise self._refused("written", OSError(errno.EROFS if read_only else errno.EACCES, ""))

    def _refused(self, doing: str, error: OSError) -> UnreadableError:
        if error.errno == errno.EROFS:
            help_line = f"mount -o remount,rw {self._root}"
        else:
            help_line = f"sudo chown -R {os.getuid()}:{os.getgid()} {self._root}"
        reason = os.strerror(error.errno or errno.EIO)
        return UnreadableError(
            f"The data folder {self._root} could not be {doing}: {reason}. This helps: {help_line}",
            path=str(self._root),
        )

    def _judge_permissions(self, *, allow_world_writable: bool) -> tuple[str, ...]:
        mode = self._root.stat().st_mode
        if mode & stat.S_IWOTH and not allow_world_writable:
            raise InvalidError(
                f"Every user of this machine may write to {self._root}. This helps: chmod o-w {self._root}",
                path=str(self._root),
            )
        if mode & (stat.S_IWGRP | stat.S_IWOTH):
            return (f"Others may write to {self._root}. To keep it to yourself: chmod go-w {self._root}",)
        return ()

    def _make_folders(self) -> None:
        for name in (*SEED_FOLDERS, *OWN_FOLDERS):
            path = self._engine.paths.resolve(name)  # refuses a symbolic link
            secret = name in SECRET_FOLDERS
            with told(name, "made"):
                atomic.make_dirs(self._engine.fs, path, mode=0o700 if secret else 0o777)
                if secret and stat.S_IMODE(path.stat().st_mode) != stat.S_IRWXU:
                    self._engine.fs.chmod(path, stat.S_IRWXU)

    def _make_files(self) -> None:
        for path, data in self._baseline.items():
            if not self._engine.paths.resolve(path).exists():
                self._engine.write_bytes(path, data)

    def _ignore(self) -> None:
        try:
            text = self._engine.read_bytes(".gitignore").decode(errors="surrogateescape")
        except NotFoundError:
            text = ""
        missing = [line for line in self._ignored if line not in text.splitlines()]
        if missing:
            start = text if not text or text.endswith("\n") else f"{text}\n"
            self._engine.write_bytes(".gitignore", (start + "\n".join(missing) + "\n").encode(errors="surrogateescape"))

    def _close_secrets(self) -> None:
        """Take everybody else's rights to the files that were there before."""
        for name in sorted(SECRET_FOLDERS):
            for folder, _, files in os.walk(self._root / name):
                for file in files:
                    path = self._engine.paths.resolve(f"{os.path.relpath(folder, self._root)}/{file}")
                    with told(path, "closed to others"):
                        self._engine.fs.chmod(path, stat.S_IRUSR | stat.S_IWUSR)

    def _write_marker(self) -> None:
        marker = {
            "storeId": self._ids.new(),
            "formatVersion": FORMAT_VERSION,
            "createdAt": timestamp(self._engine.clock.now()),
        }
        self._engine.write_document(MARKER, marker, stamp=False)
