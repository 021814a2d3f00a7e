"""One computation for everybody who asks for the same thing at the same time, over threads and processes."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from concurrent.futures import Future
from concurrent.futures import TimeoutError as WaitedTooLongError
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, Generic, TypeVar

from metadata.errors import BusyError, CalotypeError, InvalidError, UnsupportedError
from metadata.files.flock import EXCLUSIVE, KernelLock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from metadata.clock import Clock

_REMEMBERED: Final = 512
_REMEMBERED_S: Final = 60.0
_SOMEBODY_ELSES: Final = "exitStatus"
"""A detail of refusals that may not lie with the picture: a process was killed."""

T = TypeVar("T")


class Flights(Generic[T]):
    """Computations under way, and those that were refused a moment ago.

    Between processes the first one holds a lock on a file. A lost file, or one that a dead process left, costs a second
    computation at most.

    Args:
        folder: where the lock files are; it is made when it is missing.
        clock: for how long refusals are remembered.
        wait_s: how long to wait for somebody else's computation.
    """

    def __init__(self, folder: Path, clock: Clock, wait_s: float = 60.0) -> None:
        self._folder = folder
        self._clock = clock
        self._wait_s = wait_s
        self._mutex = threading.Lock()
        self._under_way: dict[str, Future[T]] = {}
        self._refused: OrderedDict[str, tuple[float, CalotypeError]] = OrderedDict()

    def fly(self, key: str, have: Callable[[], T | None], make: Callable[[], T]) -> T:
        """Return what there is, or make it; of all who ask at once, one makes it.

        Args:
            key: what it is.
            have: looks for it; None when it is not there.
            make: makes it.

        Raises:
            CalotypeError: what `make` raised, here or for whoever asked first. A picture that was refused is refused
                again for a minute without another look.
            BusyError: somebody else's computation took too long.
        """
        with self._mutex:
            self._refuse_again(key)
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

    def _lead(self, key: str, flight: Future[T], have: Callable[[], T | None], make: Callable[[], T]) -> None:
        try:
            with self._alone(key):
                found = have()
                flight.set_result(make() if found is None else found)
        except BaseException as error:
            self._remember(key, error)
            flight.set_exception(error if isinstance(error, Exception) else self._too_long())
            if not isinstance(error, Exception):
                raise
        finally:
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

    def _refuse_again(self, key: str) -> None:
        until, error = self._refused.get(key, (0.0, None))
        if error is not None and self._clock.monotonic() < until:
            raise type(error)(error.message, **error.details)

    def _remember(self, key: str, error: BaseException) -> None:
        if isinstance(error, InvalidError | UnsupportedError) and _SOMEBODY_ELSES not in error.details:
            with self._mutex:
                self._refused[key] = (self._clock.monotonic() + _REMEMBERED_S, error)
                self._refused.move_to_end(key)
                while len(self._refused) > _REMEMBERED:
                    self._refused.popitem(last=False)

    def _too_long(self) -> BusyError:
        return BusyError(f"The picture is being made by somebody else, for more than {self._wait_s:g} seconds now.")
