"""Looking at pictures after they were stored: a placeholder and a perceptual hash for each, found once.

What is to be looked at stands in the facts (`unseen`), so there is no queue to be lost or to overflow: a restart goes
on where the last process stopped, and of several processes one does it at a time.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from metadata.errors import BusyError, CalotypeError
from metadata.files.flock import EXCLUSIVE, KernelLock

from ..digest import Digest
from .recipe import recipe

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from metadata.repositories.facts import FactsRepository

    from .derivatives import Derivatives

_log = logging.getLogger("calotype.images")

_AT_ONCE: Final = 16
_TRIES: Final = 3
_TOLD: Final = ("placeholder", "perceptualHash")


class Glances:
    """Looks at pictures that nobody has looked at yet.

    Args:
        facts: say which, and take what was seen.
        derivatives: have the decoding processes.
        folder: where the lock lies that lets one process do it; it is made when it is missing.
    """

    def __init__(self, facts: FactsRepository, derivatives: Derivatives, folder: Path) -> None:
        self._facts = facts
        self._derivatives = derivatives
        self._killed: dict[str, int] = {}
        self._recipe = ""
        self._lock = KernelLock(folder / "glances.lock", lambda: folder.mkdir(parents=True, exist_ok=True))

    def work_off(self, stopping: Callable[[], bool] = bool) -> int:
        """Look at every picture that is left, unless another process is at it; return at how many.

        A picture that cannot be decoded is not looked at again before its bytes are uploaded again, or another recipe
        is there that may do better.

        Args:
            stopping: asked before each picture; what was seen until then is kept.

        Raises:
            BusyError: every decoding process is at work for others; it is to be gone on with later.
        """
        if self._recipe == recipe() and not self._facts.unseen(1):
            return 0
        descriptor = self._lock.take(EXCLUSIVE, 0)
        if descriptor is None:
            return 0
        try:
            if self._recipe != recipe():
                self._facts.see_again(recipe())
                self._recipe = recipe()
            done = 0
            while not stopping() and (left := self._facts.unseen(_AT_ONCE)):
                done += self._look_at(left, stopping)
            return done
        finally:
            self._lock.give(descriptor)

    def close(self) -> None:
        """Let go of the lock file."""
        self._lock.close()

    def _look_at(self, digests: list[str], stopping: Callable[[], bool]) -> int:
        seen: dict[str, Mapping[str, object]] = {}
        try:
            for digest in digests:
                if stopping():
                    break
                seen[digest] = self._glance(Digest(digest))
        finally:
            self._facts.note_seen(seen)
        return len(seen)

    def _glance(self, digest: Digest) -> Mapping[str, object]:
        try:
            told = self._derivatives.glance(digest)
        except BusyError as error:
            if not self._kills(digest, error):
                raise
            why = error.message
        except CalotypeError as error:
            why = error.message
        else:
            return {name: told[name] for name in _TOLD}
        _log.info("%s has no placeholder: %s", digest, why)
        return {"refusedBy": recipe()}

    def _kills(self, digest: Digest, error: BusyError) -> bool:
        """Tell whether the system ended a decoder over this picture again and again; others must have their turn."""
        if "exitStatus" not in error.details:
            return False
        self._killed = {digest: self._killed.get(digest, 0) + 1}
        return self._killed[digest] >= _TRIES
