"""The hop from the event loop to a worker thread, where everything below the server runs: the core is synchronous."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from starlette.concurrency import run_in_threadpool

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


async def in_thread(call: Callable[[], T]) -> T:
    """Run a blocking call in a worker thread and return what it returns; at most 40 run at once, others wait."""
    return await run_in_threadpool(call)
