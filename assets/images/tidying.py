"""Room for derived pictures: counting them, and removing those that were not used for longest."""

from __future__ import annotations

import re
import stat
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from math import inf
from typing import TYPE_CHECKING, Final

from metadata.files import atomic
from metadata.files.flock import EXCLUSIVE, KernelLock
from metadata.files.trouble import told

from ..blobs import layout
from .recipe import recipe

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from metadata.files.engine import FileEngine

    from .ledger import Account, Ledger

_LEFT: Final = 0.9
"""How much of the budget is left taken, so that there is not something to remove at once again."""

_OVERDRAWN: Final = 1.25
"""What it may grow to between two rounds of the upkeep; more makes room at once."""

_YOUNG_S: Final = 10
"""What was made so short a time ago is on its way to whoever asked for it."""

_NS: Final = 1_000_000_000
_CUT_OFF_S: Final = 3600
_TEMPORARY: Final = re.compile(r"\..{1,220}\.tmp")


@dataclass(frozen=True, slots=True)
class Kept:
    """A derived picture on the disk.

    Attributes:
        used_ns: when it was last used, about; nanoseconds since 1970.
        size: bytes.
        path: its file.
        current: it was made by the current recipe, so that it may still be asked for.
    """

    used_ns: int
    size: int
    path: Path
    current: bool


class Tidying:
    """Counts and removes derived pictures.

    Args:
        engine: the data folder's file engine.
        ledger: the account of all derived pictures.
        budget: how many bytes they may take (setting VARIANT_CACHE_BYTES).
        folder: where the lock lies that keeps two processes from tidying at once.
    """

    def __init__(self, engine: FileEngine, ledger: Ledger, budget: int, folder: Path) -> None:
        self.budget = budget
        self._relieved = -inf
        self._engine = engine
        self._ledger = ledger
        self._lock = KernelLock(folder / "tidying.lock", lambda: folder.mkdir(parents=True, exist_ok=True))

    def tidy(self, *, young: bool = False) -> int:
        """Make room if the budget is used up; return how many were removed.

        It looks at every payload then, and otherwise at one number. Where another process is doing the same it does
        nothing.

        Args:
            young: what was made a moment ago may go as well, because nobody is about to read it.

        Raises:
            UnreadableError: the folder cannot be read, or something in it not be removed.
        """
        account = self._ledger.read()
        if account.known and account.size <= self.budget:
            return 0
        return self._remove(partial(self._over_budget, 0 if young else _YOUNG_S))

    def relieve(self, account: Account) -> None:
        """Make room, if so much was made since the last round that the next one cannot be waited for.

        Not more often than every ten seconds: it looks at every payload, and what is younger stays anyway.

        Args:
            account: as it stands.

        Raises:
            UnreadableError: as `tidy`.
        """
        now = self._engine.clock.monotonic()
        if account.size > self.budget * _OVERDRAWN and now - self._relieved >= _YOUNG_S:
            self._relieved = now
            self.tidy()

    def purge(self, *, stale: bool = False) -> int:
        """Remove all derived pictures, or only those of other recipes (`stale`); return how many.

        Raises:
            UnreadableError: as `tidy`.
        """
        return self._remove(lambda kept: [each for each in kept if not (stale and each.current)])

    def all(self) -> Iterator[Kept]:
        """Yield every derived picture; what a dead process left half done is removed on the way.

        Raises:
            UnreadableError: as `tidy`.
        """
        fs = self._engine.fs
        long_ago = self._engine.clock.now().timestamp() - _CUT_OFF_S
        with told(layout.BINARIES, "listed"):
            for folder in self._folders():
                for entry in self._entries(folder):
                    recipe_used = layout.recipe_of(entry.name)
                    path = folder / entry.name
                    with suppress(FileNotFoundError):
                        found = fs.stat(path)
                        if recipe_used is not None and stat.S_ISREG(found.st_mode):
                            yield Kept(found.st_mtime_ns, found.st_size, path, recipe_used == recipe())
                        elif _TEMPORARY.fullmatch(entry.name) and found.st_mtime < long_ago:
                            fs.unlink(path)

    def close(self) -> None:
        """Let go of the lock file."""
        self._lock.close()

    def _folders(self) -> Iterator[Path]:
        root = self._engine.paths.resolve(layout.BINARIES)
        for digest in layout.digests(entry.name for entry in self._entries(root)):
            yield root / digest

    def _entries(self, folder: Path) -> list[os.DirEntry[str]]:
        try:
            return self._engine.fs.scandir(folder)
        except (FileNotFoundError, NotADirectoryError):  # it went meanwhile
            return []

    def _over_budget(self, young_s: float, kept: list[Kept]) -> list[Kept]:
        """Choose what goes: other recipes' first, then what was not used for longest, and nothing that is young."""
        now = self._engine.clock.now().timestamp()
        size = sum(each.size for each in kept if each.current)
        old = [each for each in kept if not 0 <= now - each.used_ns / _NS < young_s]
        chosen = [each for each in old if not each.current]
        rest = sorted((each for each in old if each.current), key=lambda each: each.used_ns)
        if size > self.budget:
            for each in rest:
                if size <= self.budget * _LEFT:
                    break
                chosen.append(each)
                size -= each.size
        return chosen

    def _remove(self, choose: Callable[[list[Kept]], list[Kept]]) -> int:
        with self._alone() as alone:
            if not alone:
                return 0
            before = self._ledger.read()
            kept = list(self.all())
            chosen = choose(kept)
            for each in chosen:
                with told(each.path, "removed"):
                    atomic.remove_file(self._engine.fs, each.path, sync=False)
            self._count(kept, chosen, before)
            return len(chosen)

    def _count(self, kept: list[Kept], gone: list[Kept], before: Account) -> None:
        size = sum(each.size for each in kept) - sum(each.size for each in gone)
        self._ledger.counted(size, len(kept) - len(gone), before)
        self._ledger.add(evicted=len(gone))

    @contextmanager
    def _alone(self) -> Iterator[bool]:
        descriptor = self._lock.take(EXCLUSIVE, 0)
        try:
            yield descriptor is not None
        finally:
            if descriptor is not None:
                self._lock.give(descriptor)
