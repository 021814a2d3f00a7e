"""Waiting for pictures: a place at a time, not for ever, and not for those who are gone."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

import pytest
from starlette.requests import ClientDisconnect, Request

from metadata.errors import BusyError
from server.studio import Studio

if TYPE_CHECKING:
    from collections.abc import Callable


class Client:
    """Somebody who asks, and may go away."""

    def __init__(self) -> None:
        self._gone = asyncio.Event()

    @property
    def request(self) -> Request:
        """What they ask."""
        return Request({"type": "http", "method": "GET", "headers": []}, self._receive)

    def leave(self) -> None:
        """Go away."""
        self._gone.set()

    async def _receive(self) -> dict[str, Any]:
        await self._gone.wait()
        return {"type": "http.disconnect"}


class Work:
    """Something that is made until it is told to be done."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.done = threading.Event()
        self.abandoned: Callable[[], bool] = bool

    def __call__(self, abandoned: Callable[[], bool]) -> str:
        """Make it."""
        self.abandoned = abandoned
        self.begun.set()
        assert self.done.wait(30)
        return "made"


async def _begun(work: Work) -> None:
    assert await asyncio.to_thread(work.begun.wait, 30)


def test_what_is_made_is_returned() -> None:
    async def play() -> None:
        assert await Studio().make(Client().request, lambda abandoned: ("made", abandoned())) == ("made", False)

    asyncio.run(play())


def test_who_finds_no_place_in_time_is_told() -> None:
    async def play() -> None:
        studio, work = Studio(places=1, wait_s=0.01), Work()
        first = asyncio.ensure_future(studio.make(Client().request, work))
        await _begun(work)
        with pytest.raises(BusyError):
            await studio.make(Client().request, lambda _: "never")
        work.done.set()
        assert await first == "made"
        assert await studio.make(Client().request, lambda _: "next") == "next"

    asyncio.run(play())


def test_who_is_gone_leaves_the_queue_to_others() -> None:
    async def play() -> None:
        studio, work, leaver, made = Studio(places=1), Work(), Client(), []
        first = asyncio.ensure_future(studio.make(Client().request, work))
        await _begun(work)
        second = asyncio.ensure_future(studio.make(leaver.request, lambda _: made.append("for nobody")))
        third = asyncio.ensure_future(studio.make(Client().request, lambda _: "third"))
        leaver.leave()
        with pytest.raises(ClientDisconnect):
            await second
        work.done.set()
        assert (await first, await third, made) == ("made", "third", [])

    asyncio.run(play())


def test_what_is_being_made_learns_that_nobody_waits() -> None:
    async def play() -> None:
        studio, client = Studio(places=1), Client()
        seen = threading.Event()

        def make(abandoned: Callable[[], bool]) -> str:
            while not abandoned():
                seen.set()
            raise BusyError("gone")

        task = asyncio.ensure_future(studio.make(client.request, make))
        assert await asyncio.to_thread(seen.wait, 30)
        client.leave()
        with pytest.raises(ClientDisconnect):
            await task
        assert await studio.make(Client().request, lambda _: "next") == "next"

    asyncio.run(play())


def test_a_cancelled_request_leaves_its_place() -> None:
    async def play() -> None:
        studio, work = Studio(places=1), Work()
        first = asyncio.ensure_future(studio.make(Client().request, work))
        await _begun(work)
        second = asyncio.ensure_future(studio.make(Client().request, lambda _: "never"))
        await asyncio.sleep(0)
        second.cancel()
        with pytest.raises(asyncio.CancelledError):
            await second
        work.done.set()
        assert await first == "made"
        assert await studio.make(Client().request, lambda _: "next") == "next"

    asyncio.run(play())
