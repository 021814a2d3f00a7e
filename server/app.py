"""The application over an opened store: the routes, behind the door, every error a problem document."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.applications import Starlette

from .accesslog import LogRecorder, Several
from .calls import Service
from .door import door
from .metrics import Metrics
from .problems import exception_handlers
from .routes.table import all_operations, routes

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from .accesslog import Recorder
    from .wiring import Store


def create_app(store: Store, *, recorder: Recorder | None = None, metrics: Metrics | None = None) -> ASGIApp:
    """Return the application; closing the store stays the caller's.

    Args:
        store: an opened data folder.
        recorder: takes the visits; by default the access log.
        metrics: counts them and whatever else; by default counters of this application's own.
    """
    counted = metrics or Metrics()
    inside = Starlette(
        routes=routes(all_operations(), Service(store, counted)), exception_handlers=exception_handlers()
    )
    # An address with a slash too many is nothing here, rather than a redirect to a host that the request named.
    inside.router.redirect_slashes = False
    log = recorder or (LogRecorder(store.settings.log_format) if store.settings.access_log else Several())
    visits = Several(log, counted)
    return door(inside, store.settings, recorder=visits, clock=store.clock)
