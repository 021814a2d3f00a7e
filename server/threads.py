"""The hop from the event loop to a worker thread, where everything below the server runs: the core is synchronous."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import anyio
import anyio.to_thread
from starlette.concurrency import run_in_threadpool

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


async def in_thread(call: Callable[[], T], limiter: anyio.CapacityLimiter | None = None) -> T:
    """Run a blocking call in a worker thread and return what it returns.

    At most 40 run at once, others wait; with a limiter as many as it says, and those 40 do not count them.
    """
    if limiter is None:
        return await run_in_threadpool(call)
    return await anyio.to_thread.run_sync(call, limiter=limiter)
