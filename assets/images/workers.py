"""The decoding processes of one server process, and their number over all of them."""

from __future__ import annotations

import threading
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from metadata.errors import BusyError, CalotypeError
from metadata.files.flock import EXCLUSIVE, KernelLock

from .process import Process

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from metadata.clock import Clock

    from .limits import Limits
    from .process import Answer
    from .refusals import Asking

_LOOK_AGAIN_S: Final = 0.01


class Slots:
    """How many pictures are decoded at once, counted over every process that uses the same folder.

    A slot is a lock on a file, so that it is free again when its holder dies.

    Args:
        folder: where the lock files are; it is made when it is missing.
        count: how many slots there are.
        clock: for deadlines.
    """

    def __init__(self, folder: Path, count: int, clock: Clock) -> None:
        self._locks = [
            KernelLock(folder / f"slot-{number}.lock", lambda: folder.mkdir(parents=True, exist_ok=True))
            for number in range(count)
        ]
        self._own = threading.BoundedSemaphore(count)
        self._clock = clock
        self._never = threading.Event()

    @contextmanager
    def hold(self, wait_s: float, wanted: Callable[[], object] = bool) -> Iterator[None]:
        """Hold a slot for a block.

        Args:
            wait_s: how long to wait for it.
            wanted: called while it waits and when its turn has come; what it raises ends that.

        Raises:
            BusyError: none was free in time.
        """
        deadline = self._clock.monotonic() + wait_s
        while not self._own.acquire(timeout=_LOOK_AGAIN_S):
            wanted()
            if self._clock.monotonic() >= deadline:
                raise _none_free(wait_s)
        try:
            lock, descriptor = self._take(deadline, wait_s, wanted)
            try:
                wanted()
                yield
            finally:
                lock.give(descriptor)
        finally:
            self._own.release()

    def close(self) -> None:
        """Let go of the lock files."""
        for lock in self._locks:
            lock.close()

    def _take(self, deadline: float, wait_s: float, wanted: Callable[[], object]) -> tuple[KernelLock, int]:
        while True:
            wanted()
            for lock in self._locks:
                descriptor = lock.take(EXCLUSIVE, 0)
                if descriptor is not None:
                    return lock, descriptor
            if self._clock.monotonic() >= deadline:
                raise _none_free(wait_s)
            self._never.wait(_LOOK_AGAIN_S)


class Workers:
    """Decoding processes: started when they are needed, kept warm for a while, replaced when a picture kills one.

    Args:
        slots: how many may work at once.
        limits: what one picture may ask for.
        keep: how many idle ones are kept.
        idle_s: how long.
        wait_s: how long a job waits for its turn.
        lost: called whenever a process was ended over a picture, or by the machine.

    Attributes:
        started: how many processes were started so far.
    """

    def __init__(
        self,
        slots: Slots,
        limits: Limits,
        *,
        keep: int = 1,
        idle_s: float = 20.0,
        wait_s: float = 30.0,
        lost: Callable[[], object] = bool,
    ) -> None:
        self.limits = limits
        self.started = 0
        self._slots = slots
        self._keep = keep
        self._idle_s = idle_s
        self._wait_s = wait_s
        self._lost = lost
        self._idle: deque[tuple[Process, threading.Timer]] = deque()
        self._mutex = threading.Lock()
        # One thread that lasts as long as this object: a process ends with the thread that started it.
        self._nursery = ThreadPoolExecutor(1, "decoding-processes")
        self._closed = False

    def run(self, job: Mapping[str, object], descriptors: Sequence[int], asking: Asking | None = None) -> Answer:
        """Have a job done by a process.

        Args:
            job: what to do.
            descriptors: open files it may use.
            asking: who asks; checked while it waits for its turn, and told of a refusal before the next one's comes.

        Raises:
            UnsupportedError, InvalidError, InternalError: as `Process.ask`.
            BusyError: no process was free in time, or it was ended from outside.
        """
        with self._slots.hold(self._wait_s, asking.check if asking is not None else bool):
            process = self._take()
            try:
                return process.ask(job, descriptors)
            except CalotypeError as error:
                if asking is not None:
                    asking.note(error)
                raise
            finally:
                self._give_back(process)

    def idle(self) -> list[int]:
        """Return the ids of the processes that wait for work."""
        with self._mutex:
            return [process.pid for process, _ in self._idle]

    def close(self) -> None:
        """End the processes; those at work end with their jobs."""
        with self._mutex:
            self._closed = True
            idle, self._idle = list(self._idle), deque()
        for process, timer in idle:
            timer.cancel()
            process.end()
        self._nursery.shutdown()
        self._slots.close()

    def _take(self) -> Process:
        with self._mutex:
            while self._idle:
                process, timer = self._idle.pop()
                timer.cancel()
                if process.alive:
                    return process
                process.end()
            self.started += 1
        return self._nursery.submit(Process, self.limits).result()

    def _give_back(self, process: Process) -> None:
        if process.lost:
            self._lost()
        if not process.usable:
            process.end()
            return
        timer = threading.Timer(self._idle_s, self._retire, [process])
        timer.daemon = True
        with self._mutex:
            if not self._closed and len(self._idle) < self._keep:
                self._idle.append((process, timer))
                timer.start()
                return
        process.end()

    def _retire(self, process: Process) -> None:
        with self._mutex:
            found = [entry for entry in self._idle if entry[0] is process]
            for entry in found:
                self._idle.remove(entry)
        if found:
            process.end()


def _none_free(wait_s: float) -> BusyError:
    return BusyError(f"Every decoding process was at work for {wait_s:g} seconds. Try again in a moment.")
