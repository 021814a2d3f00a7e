"""Load by `wrk`, and the ratio of two servers in rounds by turns."""

from __future__ import annotations

import re
import statistics
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.peers import program

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from bench.peers import Server

_RATE = re.compile(r"Requests/sec:\s+([0-9.]+)")
_P99 = re.compile(r"99%\s+([0-9.]+)(us|ms|s)")
_BAD = re.compile(r"Non-2xx or 3xx responses: \d+|Socket errors: .*")
_MS = {"us": 0.001, "ms": 1.0, "s": 1000.0}


@dataclass(frozen=True)
class Round:
    """What one server did in one round.

    Attributes:
        rate: requests a second.
        cpu: microseconds of processor time for a request, the server's own.
        p99: milliseconds.
    """

    rate: float
    cpu: float
    p99: float


@dataclass(frozen=True)
class Ratio:
    """Ours against a peer, pair by pair."""

    low: float
    median: float
    high: float

    @classmethod
    def of(cls, ours: Sequence[float], theirs: Sequence[float]) -> Ratio:
        """Compare the rounds that came one after the other."""
        found = sorted(one / other for one, other in zip(ours, theirs, strict=True))
        return cls(found[0], statistics.median(found), found[-1])

    def __str__(self) -> str:
        """Return the median, and the least and the most behind it."""
        return f"{self.median:.2f} ({self.low:.2f} to {self.high:.2f})"


def wrk(
    server: Server,
    path: str,
    *,
    connections: int,
    seconds: float,
    headers: Sequence[str] = (),
    script: Path | None = None,
) -> Round:
    """Ask one server for one thing, again and again.

    Raises:
        RuntimeError: an answer was not as it should be.
    """
    command = [program("wrk"), "-t1", f"-c{connections}", f"-d{seconds:g}s", "--latency"]
    command += [part for header in headers for part in ("-H", header)]
    command += ["-s", str(script)] if script is not None else []
    before = server.processor_s()
    told = subprocess.run([*command, server.url + path], capture_output=True, text=True, check=True).stdout
    used = server.processor_s() - before
    rate, slow, bad = _RATE.search(told), _P99.search(told), _BAD.search(told)
    if rate is None or bad is not None:
        raise RuntimeError(f"{server.name} {path}: {bad[0] if bad else told}")
    count = float(rate[1]) * seconds
    return Round(float(rate[1]), used / max(count, 1) * 1e6, float(slow[1]) * _MS[slow[2]] if slow else 0.0)


def by_turns(ours: Callable[[], Round], theirs: Callable[[], Round], rounds: int) -> tuple[list[Round], list[Round]]:
    """Measure two servers by turns, after a round of each that does not count."""
    ours()
    theirs()
    pairs = [(ours(), theirs()) for _ in range(rounds)]
    return [one for one, _ in pairs], [other for _, other in pairs]
