"""Where requests wait for pictures to be made: a few threads, a queue with a deadline, nobody in it who is gone."""

from __future__ import annotations

import asyncio
import threading
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeVar

from anyio import CapacityLimiter
from starlette.requests import ClientDisconnect

from metadata.errors import BusyError

from .payloads import until_gone
from .threads import in_thread

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request

T = TypeVar("T")

_PLACES: Final = 16
_WAIT_S: Final = 20.0


class Studio:
    """Threads for what waits for decoding processes, apart from all others.

    Args:
        places: how many there are.
        wait_s: how long a request waits for one of them.
    """

    def __init__(self, places: int = _PLACES, wait_s: float = _WAIT_S) -> None:
        self._free = asyncio.Semaphore(places)
        self._threads = CapacityLimiter(places)
        self._wait_s = wait_s

    async def make(self, request: Request, make: Callable[[Callable[[], bool]], T]) -> T:
        """Return what is made in a thread.

        Args:
            request: who asks for it.
            make: makes it; it is given what tells whether whoever asked is gone.

        Raises:
            BusyError: no thread was free in time.
            ClientDisconnect: whoever asked is gone before that.
        """
        gone = threading.Event()
        watch = asyncio.ensure_future(until_gone(request.receive))
        watch.add_done_callback(lambda _: gone.set())
        try:
            await self._turn(watch)
            try:
                return await in_thread(partial(make, gone.is_set), self._threads)
            except BusyError:
                if gone.is_set():
                    raise ClientDisconnect from None
                raise
            finally:
                self._free.release()
        finally:
            watch.cancel()

    async def _turn(self, watch: asyncio.Future[None]) -> None:
        turn: asyncio.Future[bool] = asyncio.ensure_future(self._free.acquire())
        either: set[asyncio.Future[Any]] = {turn, watch}
        try:
            await asyncio.wait(either, timeout=self._wait_s, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            self._leave(turn)
            raise
        if watch.done():
            self._leave(turn)
            raise ClientDisconnect
        if not turn.done():
            self._leave(turn)
            raise BusyError(f"So many pictures are being made that none was begun for {self._wait_s:g} seconds.")

    def _leave(self, turn: asyncio.Future[bool]) -> None:
        """Leave the queue, or the place that has just become free."""
        if not turn.cancel():
            self._free.release()
