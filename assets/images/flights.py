"""One computation for everybody who asks for the same thing at the same time, over threads and processes."""

from __future__ import annotations

import hashlib
import threading
from concurrent.futures import Future
from concurrent.futures import TimeoutError as WaitedTooLongError
from contextlib import contextmanager
from typing import TYPE_CHECKING, Generic, TypeVar

from metadata.errors import BusyError
from metadata.files.flock import EXCLUSIVE, KernelLock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

T = TypeVar("T")


class AbandonedError(BusyError):
    """Nobody waits for it any more: whoever asked for it is gone."""


class Flights(Generic[T]):
    """Computations under way.

    Between processes the first one holds a lock on a file. A lost file, or one that a dead process left, costs a second
    computation at most.

    Args:
        folder: where the lock files are; it is made when it is missing.
        wait_s: how long to wait for somebody else's computation.
    """

    def __init__(self, folder: Path, wait_s: float = 60.0) -> None:
        self._folder = folder
        self._wait_s = wait_s
        self._mutex = threading.Lock()
        self._under_way: dict[str, Future[T]] = {}

    def fly(self, key: str, have: Callable[[], T | None], make: Callable[[], T]) -> T:
        """Return what there is, or make it; of all who ask at once, one makes it.

        Args:
            key: what it is.
            have: looks for it; None when it is not there.
            make: makes it. Where it is abandoned, the next who waits makes it.

        Raises:
            CalotypeError: what `make` raised, here or for whoever asked first.
            BusyError: somebody else's computation took too long.
        """
        while True:
            with self._mutex:
                flight = self._under_way.get(key)
                first = flight is None
                if flight is None:
                    flight = self._under_way[key] = Future()
            if first:
                self._lead(key, flight, have, make)
            try:
                return flight.result(self._wait_s)
            except WaitedTooLongError:
                raise self._too_long() from None
            except AbandonedError:
                if first:
                    raise

    def _lead(self, key: str, flight: Future[T], have: Callable[[], T | None], make: Callable[[], T]) -> None:
        try:
            with self._alone(key):
                found = have()
                result = make() if found is None else found
        except BaseException as error:
            self._land(key)
            flight.set_exception(error if isinstance(error, Exception) else self._too_long())
            if not isinstance(error, Exception):
                raise
        else:
            self._land(key)
            flight.set_result(result)

    def _land(self, key: str) -> None:
        """Let the next who asks begin anew; before the others are told, so that they do not meet this one again."""
        with self._mutex:
            del self._under_way[key]

    @contextmanager
    def _alone(self, key: str) -> Iterator[None]:
        name = hashlib.sha256(key.encode()).hexdigest()[:32]
        lock = KernelLock(self._folder / f"{name}.lock", lambda: self._folder.mkdir(parents=True, exist_ok=True))
        descriptor = lock.take(EXCLUSIVE, self._wait_s)
        if descriptor is None:
            raise self._too_long()
        try:
            yield
        finally:
            lock.path.unlink(missing_ok=True)  # whoever waits for it notices, and makes a new one
            lock.give(descriptor)
            lock.close()

    def _too_long(self) -> BusyError:
        return BusyError(f"The picture is being made by somebody else, for more than {self._wait_s:g} seconds now.")
