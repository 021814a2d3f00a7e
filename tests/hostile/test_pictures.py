"""Pictures of every kind through a real server: sound ones, ruined ones, bombs. It answers, and others meanwhile.

A sample every day, every file from scale 5 on. The most memory that a serving process had is printed with the promises.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import httpx2
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    Promise = Callable[[str, int, int], None]

pytestmark = pytest.mark.heavy

FORMATS = ("jpg", "png", "webp", "avif")
ALL_FROM = 5
SLOW_S = 50.0
"""Five times the ten seconds that a picture may take."""

MEMORY = 400 * 1024 * 1024
"""More than a serving process has whatever the pictures: they are decoded elsewhere."""

_WITHIN_S = 30


def picture_files(corpus: Path) -> list[Path]:
    return sorted(path for name in ("images", "tavern") for path in (corpus / name).rglob("*") if path.is_file())


def derive(http: httpx2.Client, data: bytes, formats: tuple[str, ...]) -> list[tuple[int, float]]:
    """Upload a file and ask for a small picture of it in some formats; return statuses and seconds."""
    stored = http.post("/api/assets", content=data)
    found = [(stored.status_code, stored.elapsed.total_seconds())]
    if stored.is_success:
        for form in formats:
            answer = http.get(f"/blobs/{stored.json()['sha256']}/256x256-cover.{form}")
            found.append((answer.status_code, answer.elapsed.total_seconds()))
    return found


def faults(answers: list[tuple[int, float]]) -> list[tuple[int, float]]:
    """Return the answers that no picture may lead to."""
    return [(status, seconds) for status, seconds in answers if status >= 500 or seconds > SLOW_S]


def processes(root: int) -> dict[int, str]:
    """Return the processes that come from one, by id, with their command lines; itself included."""
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except (FileNotFoundError, ProcessLookupError):
                continue
    found = {root}
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return {pid: command(pid) for pid in found}


def command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def peak_of(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:")), 0)


def check_memory(server: ModuleType, what: str, promise: Promise) -> None:
    """Tell what the serving processes had at most, and hold it to the bound."""
    serving = {pid for pid, said in processes(server.process.pid).items() if "assets.images.worker" not in said}
    peaks = sorted(peak_of(pid) for pid in serving)
    promise(f"MB that a serving process had at most: {what}", peaks[-1] // 10**6, 0)
    assert peaks[-1] < MEMORY


def gone_in_time(pids: list[int]) -> bool:
    deadline = time.monotonic() + _WITHIN_S
    while any("assets.images.worker" in command(pid) for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not any("assets.images.worker" in command(pid) for pid in pids)


def test_every_picture_is_shown_or_refused_and_no_decoder_outlives_a_kill(
    tmp_path: Path, serving: ModuleType, corpus: Path, scale: int, promise: Promise
) -> None:
    files = picture_files(corpus)
    chosen = files if scale >= ALL_FROM else files[:: max(1, len(files) // 9)]
    payloads = [path.read_bytes() for path in chosen]
    whole = [data for data in payloads if len(data) > 64][:: max(1, len(payloads) // 10)][:10]
    cuts = [data[: len(data) * part // 4] for data in whole for part in ((1, 2, 3) if scale >= ALL_FROM else (2,))]
    with serving.Server(tmp_path / "data", workers=2) as server, server.client() as http:
        with ThreadPoolExecutor(2) as pool:
            answers = [each for found in pool.map(lambda data: derive(http, data, FORMATS), payloads) for each in found]
            cut = [each for found in pool.map(lambda data: derive(http, data, FORMATS[2:3]), cuts) for each in found]
        promise(
            "pictures of the corpus in four formats, and cut short", len(payloads + cuts), len(faults(answers + cut))
        )
        assert faults(answers + cut) == []
        statuses = Counter(status for status, _ in answers)
        assert {status for status, _ in answers + cut} <= {200, 201, 415, 422}
        assert statuses[200] > 2 * len(payloads)
        check_memory(server, "pictures of every kind", promise)
        family = processes(server.process.pid)
        decoders = [pid for pid, said in family.items() if "assets.images.worker" in said]
        assert decoders
        for pid in set(family) - set(decoders):
            os.kill(pid, signal.SIGKILL)
        assert gone_in_time(decoders)
        server.stop()


def test_ruined_pictures_and_bombs_are_refused_while_others_are_served(
    tmp_path: Path,
    serving: ModuleType,
    corpus: Path,
    ruin: ModuleType,
    counts: Callable[[int, int, int], int],
    promise: Promise,
) -> None:
    originals = [path.read_bytes() for path in picture_files(corpus) if path.stat().st_size > 64][::7]
    copies, bombs = counts(15, 300, 20_000), ruin.bombs()
    with serving.Server(tmp_path / "data", workers=2) as server, server.client() as http:
        done, beside = threading.Event(), []

        def look() -> None:
            with server.client() as other:
                while not done.wait(0.05):
                    answer = other.get("/api/assets?limit=1")
                    beside.append((answer.status_code, answer.elapsed.total_seconds()))

        with ThreadPoolExecutor(3) as pool:
            looking = pool.submit(look)
            exploded = list(pool.map(lambda data: derive(http, data, ("webp",)), bombs.values()))

            def ruined(number: int) -> list[tuple[int, float]]:
                return derive(http, ruin.damaged(originals[number % len(originals)], number), ("webp",))

            answers = [each for found in pool.map(ruined, range(copies)) for each in found]
            done.set()
            looking.result()
        promise("ruined copies of pictures", copies, len(faults(answers)))
        promise("pictures that are bombs", len(bombs), sum(bool(faults(found)) for found in exploded))
        promise("answers to others meanwhile", len(beside), len(faults(beside)))
        assert faults(answers + beside + [each for found in exploded for each in found]) == []
        refused = {name: found[-1][0] for name, found in zip(bombs, exploded, strict=True)}
        assert {status for name, status in refused.items() if "png" in name or "gif" in name} == {422}
        assert {status for status, _ in beside} == {200}
        statuses = Counter(status for status, _ in answers)
        assert statuses[422] > copies // 10, "what is ruined is noticed, or the copies are not ruined"
        check_memory(server, "ruined pictures and bombs", promise)


def test_the_judge_notices_what_it_looks_for() -> None:
    assert faults([(200, 0.1), (422, 49.0)]) == []
    assert faults([(500, 0.1), (200, 51.0), (503, 0.1)]) == [(500, 0.1), (200, 51.0), (503, 0.1)]


def test_a_hundred_who_ask_at_once_for_the_first_time_cost_one_computation(
    tmp_path: Path, serving: ModuleType, corpus: Path
) -> None:
    data = max((path for path in picture_files(corpus) if path.suffix == ".jpg"), key=lambda path: path.stat().st_size)
    wide = httpx2.Limits(max_connections=100)
    with serving.Server(tmp_path / "data", workers=2) as server, server.client(limits=wide) as http:
        sha = http.post("/api/assets", content=data.read_bytes()).json()["sha256"]
        together = threading.Barrier(100)

        def ask(_: int) -> tuple[int, bytes]:
            together.wait()
            answer = http.get(f"/blobs/{sha}/thumb.webp")
            return answer.status_code, answer.content

        with ThreadPoolExecutor(100) as pool:
            found = set(pool.map(ask, range(100)))
        assert [status for status, _ in found] == [200]
        metrics = http.get("/metrics").text
        assert "calotype_derived_computed_total 1.0" in metrics.splitlines()
        http.get(f"/blobs/{sha}/thumb.jpg")
        assert "calotype_derived_computed_total 2.0" in http.get("/metrics").text.splitlines(), "and it does count"
