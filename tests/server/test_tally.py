"""What the fast lane gave is counted and logged like everything else."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from metadata.clock import SystemClock
from server.accesslog import Visit
from server.answercache import Entry
from server.metrics import Metrics
from server.plain import Plain
from server.tally import Tally

VISIT = Visit("then", "nobody", "GET", "/blobs/x", 200, 5, 9.9, "theirs", "/blobs/{name}")


def entry() -> Entry:
    return Entry(Plain(b"GET / HTTP/1.1", 0, ()), 0, (b"", b"", b""), b"", None, VISIT)


def counted(metrics: Metrics) -> list[str]:
    return [line for line in metrics.text({}).decode().splitlines() if line.startswith("calotype_request")]


@pytest.mark.parametrize("seconds", [0.00001, 0.001, 0.004, 40.0])
def test_many_at_once_count_as_each_by_itself(seconds: float) -> None:
    one_by_one, at_once = Metrics(), Metrics()
    for _ in range(7):
        one_by_one.record(Visit("", "", "GET", "", 200, 5, seconds * 1000, "", "/blobs/{name}"))
    at_once.record_alike(VISIT, 7, 7 * seconds)

    def shown(metrics: Metrics) -> list[str]:
        return [line for line in counted(metrics) if "_created" not in line and "remembered" not in line]

    def total(lines: list[str]) -> list[str]:
        return [line for line in lines if "_sum" not in line]

    assert total(shown(at_once)) == total(shown(one_by_one))
    sums = [float(line.rpartition(" ")[2]) for each in (one_by_one, at_once) for line in shown(each) if "_sum" in line]
    assert sums[0] == pytest.approx(sums[1])
    assert "calotype_requests_remembered_total 7.0" in counted(at_once)


def test_each_has_a_line_of_its_own_in_the_log(recorded: Any) -> None:
    async def give() -> None:
        loop = asyncio.get_running_loop()
        for number in range(3):
            tally.given(given, f"203.0.113.{number}", b"%016d" % number, 0.0004, loop)
        while not recorded.visits:  # noqa: ASYNC110 - a timer's doing
            await asyncio.sleep(0.01)

    given, metrics = entry(), Metrics()
    tally = Tally(metrics, recorded, SystemClock())
    asyncio.run(give())
    assert [(visit.client, visit.id, visit.ms) for visit in recorded.visits] == [
        (f"203.0.113.{number}", f"{number:016}", 0.4) for number in range(3)
    ]
    assert all((visit.path, visit.status, visit.bytes) == ("/blobs/x", 200, 5) for visit in recorded.visits)
    assert all(visit.time != "then" for visit in recorded.visits)
    assert "calotype_requests_remembered_total 3.0" in counted(metrics)
    tally.record()
    assert len(recorded.visits) == 3


def test_what_was_cut_short_is_counted_as_far_as_it_came(recorded: Any) -> None:
    metrics = Metrics()
    Tally(metrics, recorded, SystemClock()).cut_short(entry(), 3, "203.0.113.9", b"0" * 16, 0.0004)
    (visit,) = recorded.visits
    assert (visit.client, visit.status, visit.bytes, visit.ms, visit.id) == ("203.0.113.9", 200, 3, 0.4, "0" * 16)
    assert 'calotype_answered_bytes_total{route="/blobs/{name}"} 3.0' in metrics.text({}).decode()
    assert "calotype_requests_remembered_total 1.0" in counted(metrics)


def test_without_a_log_nothing_is_gathered_for_it() -> None:
    async def give() -> None:
        for _ in range(3):
            tally.given(given, "-", b"", 0.0, asyncio.get_running_loop())

    given, metrics = entry(), Metrics()
    tally = Tally(metrics, None, SystemClock())
    asyncio.run(give())
    tally.record()
    assert "calotype_requests_remembered_total 3.0" in counted(metrics)
