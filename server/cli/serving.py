"""uvicorn as a library: the socket, one process or several, and an end that lets running uploads finish."""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import socket
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

import uvicorn
from uvicorn.importer import import_from_string
from uvicorn.supervisors import Multiprocess

from metadata.errors import BusyError, InvalidError

from ..configuration import variable
from ..logs import log_config
from ..metricsfolder import SHARED_IN, shared_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

    from starlette.types import ASGIApp

    from ..configuration import Loaded
    from ..settings import Settings

BACKLOG = 64
"""Connections that wait to be taken; more would wait so long that refusing them is kinder."""
GRACE_S = 55
"""How long running requests may take to finish at the end; below systemd's TimeoutStopSec of our unit."""
_PARENT_LOOKED_FOR_S = 1
_log = logging.getLogger("calotype.server")

_FAILED = 1
_APPLICATION = "server.asgi:create"
_WILDCARDS = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}  # noqa: S104 - recognised, not bound to


class Ending:
    """Lets a signal be a good end from now on, at whatever moment it comes.

    The handler only takes note. One that raised would be lost where Python ignores what is raised, in a destructor for
    one, and the server would go on. uvicorn has handlers of its own while it runs, and puts these back afterwards.

    Attributes:
        asked: a signal has come.
    """

    def __init__(self) -> None:
        self.asked = False
        self._renewing = False
        self._server: uvicorn.Server | None = None
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._take)

    def govern(self, server: uvicorn.Server) -> None:
        """Have a server end, as soon as it has begun, if a signal comes before it looks for signals itself."""
        self._server = server
        server.should_exit = self.asked

    def renew(self) -> None:
        """Have the server end and another one, with the store opened anew, take its place."""
        self._renewing = True
        if self._server is not None:
            self._server.should_exit = True

    def renewed(self) -> bool:
        """Tell, once, whether another server is to take the place of the one that has ended."""
        wanted, self._renewing = self._renewing and not self.asked, False
        return wanted

    def _take(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        self.asked = True
        if self._server is not None:
            self._server.should_exit = True


@contextmanager
def listen(host: str, port: int) -> Iterator[socket.socket]:
    """Return a socket that listens; connections wait until the server takes them.

    Raises:
        InvalidError: there is no such address here.
        BusyError: somebody else has the port.
    """
    bare = host.removeprefix("[").removesuffix("]")
    try:
        family, kind, protocol, _, place = socket.getaddrinfo(
            bare, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise InvalidError(f"There is no address {host!r} to listen on.", setting="CALOTYPE_HOST") from error
    with listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(place)
            listener.listen(BACKLOG)
        except OSError as error:
            raise BusyError(
                f"Port {port} of {host} cannot be had: {error.strerror}. Is another server running? --port takes"
                " another, --port 0 a free one.",
                setting="CALOTYPE_PORT",
            ) from error
        listener.set_inheritable(True)
        yield listener


def address_of(settings: Settings, listener: socket.socket) -> str:
    """Return the address to type on this machine: the port is the real one, a wildcard host is loopback."""
    host = _WILDCARDS.get(settings.host, settings.host)
    if ":" in host and not host.startswith("["):
        host = f"[{host}]"
    return f"http://{host}:{listener.getsockname()[1]}{settings.root_path}"


def announce_to_workers(loaded: Loaded) -> None:
    """Put what the command line said into the environment, where every worker reads its settings."""
    settings = loaded.settings
    for field, origin in loaded.origins.items():
        if origin == "command line":
            value = getattr(settings, field)
            os.environ[variable(field)] = " ".join(value) if isinstance(value, tuple) else str(value)
    os.environ[variable("data_dir")] = str(settings.data_dir.resolve())


def run_server(settings: Settings, listener: socket.socket, ending: Ending) -> int:
    """Serve until a signal says to end; return the exit status."""
    if settings.workers == 1:
        return _serve_alone(settings, listener, ending)
    with shared_folder() as shared:
        os.environ[SHARED_IN] = str(shared)
        return _supervise(Multiprocess(_config(settings, _APPLICATION), sockets=[listener]), ending)


def _config(settings: Settings, application: Callable[..., ASGIApp] | str) -> uvicorn.Config:
    return uvicorn.Config(
        application,
        factory=True,
        host=settings.host,
        port=settings.port,
        workers=settings.workers,
        loop="uvloop",
        http="server.fastlane:FastLane" if settings.fastlane_bytes else "server.protocol:Protocol",
        ws="none",
        lifespan="on",
        log_config=log_config(settings),
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=settings.keep_alive_s,
        date_header=True,
        backlog=BACKLOG,
        timeout_graceful_shutdown=GRACE_S,
        callback_notify=leave_with_parent,
        timeout_notify=_PARENT_LOOKED_FOR_S,
    )


def _serve_alone(settings: Settings, listener: socket.socket, ending: Ending) -> int:
    while True:
        create = import_from_string(_APPLICATION)
        server = uvicorn.Server(_config(settings, partial(create, ending.renew)))
        ending.govern(server)
        # A copy, for the server closes it: connections that come between two servers wait in the listener's queue.
        server.run(sockets=[listener.dup()])
        if not ending.renewed():
            return 0
        _log.warning("The store is opened anew.")


def _supervise(supervisor: Multiprocess, ending: Ending) -> int:
    if ending.asked:  # before it looked for signals itself
        return 0
    supervisor.run()
    return _FAILED if any((process.exitcode or 0) > 0 for process in supervisor.processes) else 0


async def leave_with_parent() -> None:
    """End this worker when its supervisor was killed: nobody else would, and it would keep the port."""
    parent = multiprocessing.parent_process()
    if parent is not None and not parent.is_alive():
        signal.raise_signal(signal.SIGTERM)
