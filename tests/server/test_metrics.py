"""What is counted, and that several workers answer as one."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx2
import pytest
from prometheus_client.parser import text_string_to_metric_families

from server.accesslog import Visit
from server.metrics import Metrics

if TYPE_CHECKING:
    from types import ModuleType


def values(text: bytes) -> dict[tuple[str, ...], float]:
    """Return each sample: its name without our prefix and its labels' values by label name, to its value."""
    return {
        (sample.name.removeprefix("calotype_"), *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text.decode())
        for sample in family.samples
    }


def visit(*, method: str = "GET", status: int = 200, ms: float = 2, route: str = "/blobs/{name}") -> Visit:
    return Visit("2026-01-31T12:00:00.000Z", "203.0.113.9", method, "/blobs/a", status, 12, ms, "abc", route)


def test_what_is_counted_of_requests() -> None:
    metrics = Metrics()
    for each in (visit(), visit(), visit(method="BREW", status=405, ms=40_000, route="")):
        metrics.record(each)
    found = values(metrics.text({"payloads": ("Stored.", 7)}))
    assert found["requests_total", "GET", "/blobs/{name}", "200"] == 2
    assert found["requests_total", "other", "none", "405"] == 1
    assert found["answered_bytes_total", "/blobs/{name}"] == 24
    assert found["request_seconds_bucket", "0.0025", "/blobs/{name}"] == 2
    assert found["request_seconds_bucket", "0.001", "/blobs/{name}"] == 0
    assert found["request_seconds_bucket", "30.0", "none"] == 0
    assert found["request_seconds_count", "none"] == 1
    assert found["payloads",] == 7


def test_two_applications_in_one_process_count_apart() -> None:
    one, other = Metrics(), Metrics()
    one.record(visit())
    assert ("requests_total", "GET", "/blobs/{name}", "200") not in values(other.text({}))


def uploaded(found: dict[tuple[str, ...], float]) -> tuple[float, float]:
    return found["uploads_total", "created"], found["uploaded_bytes_total", "created"]


@pytest.mark.heavy
def test_workers_answer_as_one_and_what_a_dead_one_counted_stays(serving: ModuleType, tmp_path: Path) -> None:
    """Each connection may meet another worker; the sums are the same whoever is asked, also after a kill -9."""
    with serving.Server(tmp_path / "data", workers=2, extra={"TMPDIR": str(tmp_path)}) as server:
        for number in range(12):
            with server.client() as client:
                assert client.post("/api/assets", content=f"file {number}".encode()).status_code == 201
        until_counted(server, 12)
        os.kill(_workers(server.process.pid)[-1], signal.SIGKILL)
        for _ in range(12):
            found = asked(server)
            assert uploaded(found) == (12, sum(len(f"file {number}") for number in range(12)))
            assert found["requests_total", "POST", "/api/assets", "201"] == 12
        assert len(list(tmp_path.glob("calotype-metrics-*"))) == 1
        server.stop()
    assert list(tmp_path.glob("calotype-metrics-*")) == []


def until_counted(server: Any, uploads: int) -> None:
    """Wait for the last visits: a worker counts one after its answer is out, and one killed in between never does."""
    deadline = time.monotonic() + 60
    while asked(server)["requests_total", "POST", "/api/assets", "201"] != uploads:
        assert time.monotonic() < deadline


def asked(server: Any) -> dict[tuple[str, ...], float]:
    """Ask over a new connection, and again where that met the worker that was killed."""
    deadline = time.monotonic() + 60
    while True:
        try:
            with server.client() as client:
                return values(client.get("/metrics").raise_for_status().content)
        except httpx2.TransportError:
            assert time.monotonic() < deadline


def _workers(pid: int) -> list[int]:
    """Return the supervisor's children, without the resource tracker that Python puts beside them."""
    listed = Path(f"/proc/{pid}/task/{pid}/children")
    if not listed.exists():
        pytest.skip("no /proc to find the workers in")
    found = map(int, listed.read_text(encoding="ascii").split())
    return [each for each in found if b"spawn_main" in Path(f"/proc/{each}/cmdline").read_bytes()]
