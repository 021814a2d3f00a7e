"""Kill -9 of a real server during uploads: what was answered is there, no record lacks its payload, nobody waits."""

from __future__ import annotations

import hashlib
import json
import os
import random
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import httpx2
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType
    from typing import Any

    Counts = Callable[[int, int, int], int]
    Promise = Callable[[str, int, int], None]

pytestmark = [pytest.mark.heavy, pytest.mark.timeout(7_200)]
UPLOADS = 200
THREADS = 24
WRITERS = 6
WAIT_S = 5.0
"""Five times what is promised: this asserts that nobody waits for the dead, not how fast the machine is."""
TOO_EARLY = """
import threading
from assets.blobs.local import LocalSpool
from metadata.files import atomic

def publish_as(self, target):
    self._gone = True
    threading.Timer(0.2, atomic.publish_directory, (self._fs, self.directory, target)).start()
    return True

LocalSpool.publish_as = publish_as
"""


def test_every_answered_upload_survives_kill_9(
    tmp_path: Path, serving: ModuleType, scale: int, promise: Promise
) -> None:
    server = serving.Server(tmp_path / "data", workers=4)
    acknowledged: dict[str, str] = {}
    kills_in_flight = 0
    for number in range(2 * scale):
        answered, broken = _round(server, number)
        acknowledged |= answered
        kills_in_flight += broken > 0
        server.start()
        with server.client() as client:
            for sha256, asset_id in answered.items():
                content = client.get(f"/blobs/{sha256}").content
                assert hashlib.sha256(content).hexdigest() == sha256
                assert client.get(f"/api/assets/{asset_id}").json()["sha256"] == sha256
            assert client.get("/readyz").status_code == httpx2.codes.OK
    server.stop()
    assert kills_in_flight > 0, "no kill hit a running upload, so nothing was proven"
    assert acknowledged
    wrong = _wrong(tmp_path / "data", acknowledged)
    promise("kill -9 of a server and its 4 workers under load", 2 * scale, len(wrong))
    assert wrong == []


def test_the_same_loop_catches_a_server_that_answers_too_early(
    tmp_path: Path, serving: ModuleType, promise: Promise
) -> None:
    """Negative control: a server whose uploads are answered before their payload has its name."""
    planted = tmp_path / "planted"
    planted.mkdir()
    (planted / "sitecustomize.py").write_text(TOO_EARLY)
    server = serving.Server(tmp_path / "data", workers=4, extra={"PYTHONPATH": str(planted)})
    answered, _ = _round(server, 0)
    wrong = _wrong(tmp_path / "data", answered)
    promise("control, must be bad: uploads answered too early, and kill -9", len(answered), len(wrong))
    assert [found for found in wrong if "not its bytes" in found]


def test_killed_workers_lose_nothing_and_hold_nobody_up(
    tmp_path: Path, serving: ModuleType, scale: int, counts: Counts, promise: Promise
) -> None:
    kills = counts(6, 50, 2_000)
    chance = random.Random(scale)  # noqa: S311 - which worker it is
    with serving.Server(tmp_path / "data", workers=4) as server:
        writers = [Writer(server, number) for number in range(WRITERS)]
        cut = 0
        for _ in range(kills):
            known = [len(writer.answered) for writer in writers]
            broken = sum(writer.broken for writer in writers)
            os.kill(chance.choice(_workers(server)), signal.SIGKILL)
            _until(lambda known=known: all(len(w.answered) > n + 1 for w, n in zip(writers, known, strict=True)))  # type: ignore[misc]  # mypy cannot type a default argument of a lambda
            cut += sum(writer.broken for writer in writers) > broken
            _until(lambda: len(_workers(server)) == 4)
        for writer in writers:
            writer.stop()
    acknowledged = {sha256: asset_id for writer in writers for sha256, asset_id in writer.answered.items()}
    longest = max(writer.longest_s for writer in writers)
    wrong = _wrong(tmp_path / "data", acknowledged)
    promise("kill -9 of one of 4 workers under load", kills, len(wrong))
    promise("the longest that a writer waited meanwhile, in milliseconds (bad: over 5,000)", round(longest * 1000), 0)
    assert cut > 0, "no kill hit a running upload, so nothing was proven"
    assert wrong == []
    assert longest < WAIT_S
    assert [error for writer in writers for error in writer.errors] == []


class Writer:
    """Somebody who uploads without end and notes what was answered, and how long the longest answer took."""

    def __init__(self, server: Any, number: int) -> None:
        self._server = server
        self._number = number
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._write, daemon=True)
        self.answered: dict[str, str] = {}
        self.broken = 0
        self.longest_s = 0.0
        self.errors: list[str] = []
        self._thread.start()

    def stop(self) -> None:
        """End."""
        self._stopping.set()
        self._thread.join()

    def _write(self) -> None:
        with self._server.client() as client:
            while not self._stopping.is_set():
                body = os.urandom(3_000)
                began = time.monotonic()
                try:
                    answer = client.post("/api/assets", params={"filename": f"{self._number}.bin"}, content=body)
                except httpx2.TransportError:
                    self.broken += 1
                    continue
                self.longest_s = max(self.longest_s, time.monotonic() - began)
                if answer.is_success:
                    self.answered[hashlib.sha256(body).hexdigest()] = answer.json()["id"]
                else:
                    self.errors.append(answer.text)


def _workers(server: Any) -> list[int]:
    """Return the ids of the processes that serve; beside them the supervisor has one that tracks resources."""
    pid = server.process.pid
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(child) for child in children if b"spawn_main" in _command(child)]


def _command(pid: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except FileNotFoundError:  # it ended meanwhile
        return b""


def _until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline, "it does not go on after a kill"
        time.sleep(0.01)


def _round(server: Any, number: int) -> tuple[dict[str, str], int]:
    """Upload from many threads and kill the server meanwhile; return what was answered, and how many were cut."""
    answered: dict[str, str] = {}
    broken: list[int] = []
    some = threading.Event()

    def upload(index: int) -> None:
        body = os.urandom(2_000 + 37 * index)
        sha256 = hashlib.sha256(body).hexdigest()
        try:
            answer = client.post("/api/assets", params={"filename": f"{number}-{index}.bin"}, content=body)
        except httpx2.TransportError:
            broken.append(index)
            return
        if answer.is_success:
            answered[sha256] = answer.json()["id"]
            if len(answered) >= 20 + 7 * (number % 20):
                some.set()

    limits = httpx2.Limits(max_connections=THREADS)
    with server.client(limits=limits) as client, ThreadPoolExecutor(THREADS) as pool:
        for index in range(UPLOADS):
            pool.submit(upload, index)
        assert some.wait(60)
        server.kill()
    return answered, len(broken)


def _wrong(folder: Path, acknowledged: dict[str, str]) -> list[str]:
    """Return what was answered and is not there, and every record without its payload."""
    lines = (folder / "binaries" / "index.jsonl").read_bytes().split(b"\n")
    records = [json.loads(line) for line in lines if line.strip()]
    named = {record["sha256"] for record in records if "_deleted" not in record}
    lost = [f"{sha256} was answered and has no record" for sha256 in acknowledged.keys() - named]
    return lost + [f"{sha256} has a record and not its bytes" for sha256 in named if not _whole(folder, sha256)]


def _whole(folder: Path, sha256: str) -> bool:
    raw = folder / "binaries" / sha256 / "raw"
    return raw.exists() and hashlib.sha256(raw.read_bytes()).hexdigest() == sha256
