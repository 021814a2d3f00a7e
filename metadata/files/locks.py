"""Locks of the data folder.

Order, only downwards; whoever holds a lock of one level may wait only for locks of a later one:

    0  the backup lease (`locks/backup`): shared for a backup, exclusive for each batch of a sweep
    1  the gate (`locks/gate`): shared for a write that sets references, exclusive for what removes their targets
    2  payload shards (`locks/00` to `locks/ff`), ascending
    3  documents, collections and journals (`<path>.lock`, `<folder>/.lock`), by relative path
    4  the index's writer lock

Whoever carries out a great removal holds its intent's lock (`intents/<first two digits of its id>.lock`) around all
these, which is tried and never waited for. The start lock (`locks/start`) is taken before all of them, and so is the
lock that lets one garbage collection run at a time (`locks/gc.lock`). Lock files are left alone while any process has
the store open (`locks/open` is held shared by each); the janitor runs under the start lock. Never fork while holding a
lock.
"""

from __future__ import annotations

import threading
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

import filelock

from ..clock import Clock, SystemClock
from ..errors import InternalError
from .atomic import make_dirs
from .filesystem import FileSystem
from .flock import EXCLUSIVE, SHARED, KernelLock
from .gate import Gate
from .janitor import Janitor
from .kept import Kept
from .lock import Lock, busy
from .trouble import told

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from .paths import DataPaths

COLLECTIONS = ("characters", "personas", "settings/users")
"""Folders whose files share one lock."""

_KEPT_LOCKS = 128
_SHARDS = 256


def lock_path_of(path: str) -> str:
    """Return the relative path of the lock file that guards a document or journal."""
    folder, _, name = path.rpartition("/")
    return f"{folder}/.lock" if name and folder in COLLECTIONS else f"{path}.lock"


class Locks:
    """All the locks of one data folder.

    Args:
        paths: the data folder.
        timeout_ms: how long each waits unless told otherwise.
        clock: for deadlines and for the age of leftovers.
        fs: makes the directories of lock files.
    """

    def __init__(
        self, paths: DataPaths, timeout_ms: int = 5000, clock: Clock | None = None, fs: FileSystem | None = None
    ) -> None:
        self._paths = paths
        self._fs = fs or FileSystem()
        self._timeout_ms = timeout_ms
        self._clock = clock or SystemClock()
        self._locks: Kept[Lock] = Kept(self._make, _KEPT_LOCKS)
        self._mutex = threading.Lock()
        self._presence = KernelLock(self._path("locks/open"), lambda: self._make_parent(self._path("locks/open")))
        self._present: int | None = None
        self.gate = self._gate("locks/gate")
        self._lease = self._gate("locks/backup")

    def lock_of(self, path: str) -> Lock:
        """Return the lock that guards a document or journal, the same object for the same lock file.

        Raises:
            InvalidError: no path in the data folder.
        """
        return self._locks.get(lock_path_of(path))

    @contextmanager
    def hold_all(self, paths: Iterable[str], timeout_ms: int | None = None) -> Iterator[None]:
        """Hold the locks of several documents, each once, in the order of their lock files.

        Raises:
            BusyError: one was not free in time; none is held then.
        """
        with ExitStack() as held:
            for name in sorted({lock_path_of(path) for path in paths}):
                held.enter_context(self._locks.get(name).hold(timeout_ms))
            yield

    def shard(self, first_byte: int) -> Lock:
        """Return the lock of the payloads whose digest begins with this byte.

        Raises:
            InternalError: not a byte.
        """
        if not 0 <= first_byte < _SHARDS:
            raise InternalError(f"{first_byte} is not a byte.")
        return self._locks.get(f"locks/{first_byte:02x}")

    @contextmanager
    def start(self, timeout_ms: int = 600_000) -> Iterator[None]:
        """Hold the start lock: who builds or repairs what all processes share does it under this one.

        Raises:
            BusyError: another process did not finish in time.
        """
        path = self._path("locks/start")
        self._make_parent(path)
        # The library's own class here, so that other programs that know it can exclude us the same way.
        lock = filelock.FileLock(
            path, is_singleton=True, fallback_to_soft=False, preserve_lock_file=True, mode=0o600, poll_interval=0.02
        )
        with told(path, "locked"):
            try:
                lock.acquire(timeout=timeout_ms / 1000)
            except filelock.Timeout as error:
                raise busy("locks/start", timeout_ms, KernelLock(path, lambda: None).holder()) from error
        try:
            yield
        finally:
            lock.release()

    @contextmanager
    def lease_shared(self, timeout_ms: int | None = None) -> Iterator[None]:
        """Hold the backup lease as a backup does: payloads stay where they are meanwhile.

        Raises:
            BusyError: a sweep did not let go in time.
        """
        with self._lease.shared(timeout_ms):
            yield

    @contextmanager
    def lease_exclusive(self, timeout_ms: int | None = None) -> Iterator[None]:
        """Hold the backup lease as a sweep does, a batch at a time.

        Raises:
            BusyError: a backup did not finish in time.
        """
        with self._lease.exclusive(timeout_ms):
            yield

    def collect_leftovers(self, older_than_s: float = 30, *, only_if_alone: bool = True) -> int:
        """Remove lock files and temporary files that nobody uses, under the start lock; return how many.

        Args:
            older_than_s: younger files stay.
            only_if_alone: do nothing while another process has the store open. Without it lock files go, and holders
                notice and take the new ones, so nothing is lost, only slower; temporary files stay.

        Raises:
            BusyError: the start lock was not free in time.
        """
        with self.start():
            alone = self._alone()
            if only_if_alone and not alone:
                return 0
            limit_ns = int((self._clock.now().timestamp() - older_than_s) * 1e9)
            return Janitor(self._fs, self._paths, self._locks.get).collect(limit_ns, alone=alone)

    def close(self) -> None:
        """Let go of the descriptors; a later hold opens them again."""
        with self._mutex:
            if self._present is not None:
                self._presence.give(self._present)
                self._presence.close()
                self._present = None
        for lock in self._locks.all():
            lock.close()
        self._locks.clear()
        for gate in (self.gate, self._lease):
            gate.close()

    def _alone(self) -> bool:
        """Tell whether this process alone has the store open."""
        with self._mutex:
            if self._present is not None:
                self._presence.give(self._present)
            alone = self._presence.take(EXCLUSIVE, 0)
            if alone is not None:
                self._presence.give(alone)
            self._present = self._presence.take(SHARED, self._timeout_ms / 1000)
            return alone is not None

    def _enter(self) -> None:
        """Show the janitors of other processes that this one is here."""
        with self._mutex:
            if self._present is None:
                self._present = self._presence.take(SHARED, self._timeout_ms / 1000)

    def _make(self, name: str) -> Lock:
        return Lock(name, self._kernel(name), self._timeout_ms, self._clock)

    def _gate(self, name: str) -> Gate:
        turn = Lock(f"{name}.turn", self._kernel(f"{name}.turn"), self._timeout_ms, self._clock)
        return Gate(name, self._kernel(name), turn, self._timeout_ms, self._clock)

    def _kernel(self, name: str) -> KernelLock:
        path = self._path(name)

        def prepare() -> None:
            self._make_parent(path)
            self._enter()

        return KernelLock(path, prepare)

    def _path(self, name: str) -> Path:
        return self._paths.resolve(name)

    def _make_parent(self, path: Path) -> None:
        secret = self._paths.relative(path).split("/")[0] in {"auth", "secrets", "settings"}
        make_dirs(self._fs, path.parent, mode=0o700 if secret else 0o777, sync=False)
