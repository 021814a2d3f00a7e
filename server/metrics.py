"""What a server counts, for Prometheus (`GET /metrics`, text format 0.0.4).

To count something more: give `Metrics` an attribute (`self._counter("things", "What they are.", "kind")`) and call
`service.metrics.things.labels("kind").inc()`; a floor below the server is handed the bound `inc`. Label values come
from a fixed, small set: never an id, a path or a name.

Several worker processes share one folder of memory-mapped files (`server.metricsfolder`, the multiprocess mode of
`prometheus_client`), so that whichever of them is asked answers for all, those that have ended included.
"""

from __future__ import annotations

import os
from bisect import bisect_left
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from assets.library import Stored

    from .accesslog import Visit

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_PREFIX = "calotype"
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class Metrics:
    """The counters of one server process.

    Args:
        shared: the folder shared with other workers; None where this process is the only one.

    Attributes:
        requests: by method, route (the template, `/blobs/{name}`) and status; status 0 is a request without an answer.
        seconds: from a request's first byte to its answer's last, by route.
        answered_bytes: of answers' bodies, by route.
        uploads: files taken in, by outcome: `created` a record, or `duplicate` of one that was there.
        uploaded_bytes: the same in bytes.
        connections: open now.
        refused: connections turned away, by the limit they met: `all` or `address`.
        cut: connections ended for slowness, by what was waited for: `headers`, `body`, `unread`.
        rejected: requests refused before they reached a route, by status.
        remembered: requests answered by the fast lane, among all the others.
    """

    def __init__(self, shared: Path | None = None) -> None:
        self._shared = shared
        self._registry = CollectorRegistry()
        self.requests = self._counter("requests", "Requests.", "method", "route", "status")
        self.seconds = Histogram(
            "request_seconds",
            "How long requests took.",
            ["route"],
            namespace=_PREFIX,
            registry=self._registry,
            buckets=_SECONDS,
        )
        self.answered_bytes = self._counter("answered_bytes", "Bytes of answers' bodies.", "route")
        self.uploads = self._counter("uploads", "Files taken in.", "outcome")
        self.uploaded_bytes = self._counter("uploaded_bytes", "Bytes of files taken in.", "outcome")
        self.connections = Gauge(
            "connections",
            "Connections open now.",
            namespace=_PREFIX,
            registry=self._registry,
            multiprocess_mode="livesum",
        )
        self.refused = self._counter("connections_refused", "Connections turned away, by limit.", "limit")
        self.cut = self._counter("connections_cut", "Connections ended for slowness.", "waited_for")
        self.rejected = self._counter("requests_rejected", "Requests refused before any route.", "status")
        self.remembered = self._counter("requests_remembered", "Requests answered from memory by the fast lane.")

    def record(self, visit: Visit) -> None:
        """Count a request."""
        route = visit.route or "none"
        method = visit.method if visit.method in _METHODS else "other"
        self.requests.labels(method, route, str(visit.status)).inc()
        self.seconds.labels(route).observe(visit.ms / 1000)
        self.answered_bytes.labels(route).inc(visit.bytes)

    def record_alike(self, visit: Visit, count: int, seconds: float) -> None:
        """Count so many answers from memory, that took so long in all; each is counted as long as the others."""
        route = visit.route or "none"
        self.requests.labels(visit.method, route, str(visit.status)).inc(count)
        self.answered_bytes.labels(route).inc(count * visit.bytes)
        self.remembered.inc(count)
        observed = self.seconds.labels(route)
        # One by one they would cost more than the answers: what `observe` does, for many at once.
        observed._buckets[bisect_left(_SECONDS, seconds / count)].inc(count)  # noqa: SLF001 - see above
        observed._sum.inc(seconds)  # noqa: SLF001 - see above

    def stored(self, stored: Stored) -> None:
        """Count a file that was taken in."""
        outcome = "duplicate" if stored.duplicate else "created"
        self.uploads.labels(outcome).inc()
        self.uploaded_bytes.labels(outcome).inc(stored.asset.size)

    def text(self, levels: Mapping[str, tuple[str, float]]) -> bytes:
        """Return everything in the text format.

        Args:
            levels: what is looked up rather than counted here: name, without prefix, to meaning and value; a name that
                ends with `_total` is a counter's.
        """
        registry = self._registry
        if self._shared is not None:
            _forget_dead(self._shared)
            registry = CollectorRegistry()
            MultiProcessCollector(registry, str(self._shared))  # type: ignore[no-untyped-call] # the library's
        looked_up = CollectorRegistry()
        looked_up.register(_Levels(levels))
        return generate_latest(registry) + generate_latest(looked_up)

    def _counter(self, name: str, meaning: str, *labels: str) -> Counter:
        return Counter(name, meaning, labels, namespace=_PREFIX, registry=self._registry)


class _Levels:
    """Values that are looked up when somebody asks."""

    def __init__(self, levels: Mapping[str, tuple[str, float]]) -> None:
        self._levels = levels

    def collect(self) -> Iterator[Metric]:
        """Return them as the library wants them."""
        for name, (meaning, value) in self._levels.items():
            kind = CounterMetricFamily if name.endswith("_total") else GaugeMetricFamily
            yield kind(f"{_PREFIX}_{name}", meaning, value)


def _forget_dead(shared: Path) -> None:
    """Take what dead workers had open out of the levels; what they counted stays."""
    for file in shared.glob("gauge_live*_*.db"):
        pid = int(file.stem.rpartition("_")[2])
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            mark_process_dead(pid, str(shared))  # type: ignore[no-untyped-call] # the library's
        except PermissionError:
            continue
