"""Group commit inside a process: callers queue, one of them leads, all are answered together."""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Generic, TypeVar

from ..errors import CalotypeError, InternalError

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from .batch import Batch

T = TypeVar("T")


class Ticket(Generic[T]):
    """One caller's place in the queue.

    Args:
        work: stages lines into the batch and returns what the caller wants; it runs on the leader's thread.
    """

    def __init__(self, work: Callable[[Batch], T]) -> None:
        self._work = work
        self.born = time.monotonic()
        self.results: list[T] = []
        self.error: BaseException | None = None
        self.done = False
        self.turn = threading.Event()

    def run(self, batch: Batch) -> None:
        """Do the work; if it fails, its lines are dropped and the failure is its caller's alone."""
        staged = batch.count
        with self:
            self.results.append(self._work(batch))
        if self.error is not None:
            batch.cut(staged)

    def __enter__(self) -> None:
        """Begin the work."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        """Keep what the work raised for its caller; what stops the whole program passes."""
        self.error = error if isinstance(error, Exception) else None
        return self.error is not None

    def answer(self) -> T:
        """Return what the work returned, or raise what it or the write raised."""
        if self.error is not None:
            raise self.error
        return self.results[0]


class Group:
    """The queue of one journal.

    Args:
        perform: does one round: takes the lock, calls `take`, runs the tickets, writes. It is given the time at which
            the leader joined the queue, on the monotonic clock.
    """

    def __init__(self, perform: Callable[[float], None]) -> None:
        self._perform = perform
        self._mutex = threading.Lock()
        self._queue: deque[Ticket[object]] = deque()
        self._taken: list[Ticket[object]] = []
        self._leader: int | None = None

    def run(self, work: Callable[[Batch], T]) -> T:
        """Have the work done in this or the next round, and return what it returned.

        Raises:
            InternalError: called from within a work of the same journal.
        """
        ticket = Ticket(work)
        with self._mutex:
            if self._leader == threading.get_ident():
                raise InternalError("A journal's commit was called from within its own commit.")
            self._queue.append(ticket)  # type: ignore[arg-type]  # the queue only hands tickets back
            leads = self._leader is None
            if leads:
                self._leader = threading.get_ident()
        if not leads:
            self._await(ticket)
        if not ticket.done:
            self._lead(ticket)
        return ticket.answer()

    def take(self) -> list[Ticket[object]]:
        """Return all that queue now; the round that is being performed answers them."""
        with self._mutex:
            self._taken = list(self._queue)
            self._queue.clear()
        return self._taken

    def _await(self, ticket: Ticket[T]) -> None:
        woken = False
        try:
            ticket.turn.wait()
            woken = True
        finally:
            if not woken:  # the thread is being interrupted; nobody may wait for it to lead
                self._leave(ticket)
        if not ticket.done:
            self._leader = threading.get_ident()

    def _leave(self, ticket: Ticket[T]) -> None:
        with self._mutex:
            queued = ticket in self._queue
            leads = queued and ticket.turn.is_set()
            if queued:
                self._queue.remove(ticket)  # type: ignore[arg-type]  # as above
        if leads:
            self._pass_on()

    def _lead(self, ticket: Ticket[T]) -> None:
        failure: BaseException | None = InternalError("The write was interrupted; whether it happened is not known.")
        try:
            self._perform(ticket.born)
            failure = None
        except Exception as error:
            failure = error
            raise
        finally:
            self._settle(ticket, failure)
            self._pass_on()

    def _settle(self, leader: Ticket[T], failure: BaseException | None) -> None:
        with self._mutex:
            taken, self._taken = self._taken, []
            if leader in self._queue:  # it failed before it took anybody
                self._queue.remove(leader)  # type: ignore[arg-type]  # as above
        for ticket in taken:
            if failure is not None and ticket.error is None:
                ticket.error = _copied(failure)
            ticket.done = True
            ticket.turn.set()
        leader.done = True

    def _pass_on(self) -> None:
        with self._mutex:
            if self._queue:
                self._leader = -1  # somebody: who it is says itself when it wakes
                self._queue[0].turn.set()
            else:
                self._leader = None


def _copied(error: BaseException) -> BaseException:
    """Return an error of its own for each caller: one object raised in several threads mixes their tracebacks."""
    if isinstance(error, CalotypeError):
        copy: CalotypeError = type(error)(error.message, **error.details)
    else:
        copy = InternalError(f"The write failed: {error!r}.")
    copy.__cause__ = error
    return copy
