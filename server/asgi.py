"""What uvicorn runs: an application that opens the store when the server starts and closes it when it stops."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import threading
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING

from metadata.errors import CalotypeError, InternalError
from metadata.files.filesystem import WatchedFileSystem

from .accesslog import LogRecorder, Several
from .answercache import AnswerCache
from .app import create_app
from .cleaner import Cleaner
from .configuration import load_settings
from .glancer import Glancer
from .guard import GUARD, Guard
from .limits import limits_of
from .metrics import Metrics
from .metricsfolder import SHARED_IN
from .responses import status_answer
from .settings import BlobAccess
from .threads import in_thread
from .upkeep import Upkeep
from .wiring import open_store

if TYPE_CHECKING:
    from collections.abc import Callable, MutableMapping

    from starlette.types import ASGIApp, Receive, Scope, Send

    from .accesslog import Recorder
    from .settings import Settings
    from .wiring import Store

_log = logging.getLogger("calotype.server")


_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_BACK_IN_S = 1


def end_process() -> None:
    """Ask this process to end as its supervisor would: requests are answered first, then it is replaced."""
    signal.raise_signal(signal.SIGTERM)


def create(end: Callable[[], None] = end_process) -> ASGIApp:
    """Return the application for the settings in the environment; `uvicorn --factory server.asgi:create`.

    Args:
        end: called, on the loop's thread, when a sync failed: whoever runs the application is to end and replace it.

    Raises:
        InvalidError: a setting that cannot be used.
    """
    shared = os.environ.get(SHARED_IN)
    return Served(load_settings(os.environ).settings, Metrics(Path(shared) if shared else None), end)


class Served:
    """Opens the store at the server's start and passes requests to the application over it.

    At the server's stop uvicorn first lets running requests end, uploads among them; then the store is closed.
    Once a sync has failed no request that may write is taken any more, and the server is asked to stop.
    """

    def __init__(self, settings: Settings, metrics: Metrics, end: Callable[[], None] = end_process) -> None:
        self._end = end
        self._distrusted = threading.Event()
        self._settings = settings
        self._metrics = metrics
        self._log: Recorder = LogRecorder(settings.log_format) if settings.access_log else Several()
        self._app: ASGIApp | None = None
        self._store: Store | None = None
        self._upkeep: Upkeep | None = None
        self._cleaner: Cleaner | None = None
        self._glancer: Glancer | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take part in the server's start and stop, or answer a request."""
        if scope["type"] == "lifespan":
            await self._live(scope.get("state", {}), receive, send)
            return
        if self._app is None:
            raise InternalError("A request came before the store was open; run the server with its lifespan on.")
        app = self._app
        if self._distrusted.is_set() and scope["method"] not in _SAFE:
            detail = "A write did not reach the disk, and this process is being replaced. Try again in a moment."
            app = status_answer(HTTPStatus.SERVICE_UNAVAILABLE, detail, headers={"Retry-After": str(_BACK_IN_S)})
        await app(scope, receive, send)

    async def _live(self, state: MutableMapping[str, object], receive: Receive, send: Send) -> None:
        await receive()
        loop = asyncio.get_running_loop()
        try:
            await in_thread(lambda: self._open(loop))
        except CalotypeError as error:
            await send({"type": "lifespan.startup.failed", "message": error.message})
            return
        state[GUARD] = guard = self._guard()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        guard.tally.record()
        await in_thread(self._close)
        await send({"type": "lifespan.shutdown.complete"})

    def _open(self, loop: asyncio.AbstractEventLoop) -> None:
        left = threading.Event()
        store = open_store(self._settings, fs=WatchedFileSystem(lambda: self._sync_failed(loop)), hand_over=left.set)
        for warning in store.folder.warnings:
            _log.warning("%s", warning)
        self._store = store
        self._app = create_app(store, recorder=self._log, metrics=self._metrics)
        self._upkeep = Upkeep(store, self._settings.index_sweep_s, self._settings.gc_interval_s)
        self._upkeep.start()
        self._cleaner = Cleaner(store, left)
        self._cleaner.start()
        self._glancer = Glancer(store)
        self._glancer.start()

    def _sync_failed(self, loop: asyncio.AbstractEventLoop) -> None:
        if not self._distrusted.is_set():
            self._distrusted.set()
            _log.error("A sync failed: what was written may not be on the disk. This process is replaced.")
            loop.call_soon_threadsafe(self._end)

    def _guard(self) -> Guard:
        return Guard(
            limits_of(self._settings),
            trusted=self._settings.trusted_proxies,
            metrics=self._metrics,
            recorder=Several(self._log, self._metrics),
            cache=self._cache(),
            log=self._log if self._settings.access_log else None,
        )

    def _cache(self) -> AnswerCache | None:
        settings, store = self._settings, self._store
        if store is None or not settings.fastlane_bytes or settings.blob_access is BlobAccess.PRIVATE:
            return None
        return AnswerCache(settings.fastlane_bytes, store.engine.epochs.values, settings.root_path)

    def _close(self) -> None:
        self._app = None
        if self._glancer is not None:
            self._glancer.stop()
        if self._cleaner is not None:
            self._cleaner.stop()
        if self._upkeep is not None:
            self._upkeep.stop()
        if self._store is not None:
            self._store.close()
