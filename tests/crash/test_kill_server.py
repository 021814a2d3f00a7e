"""Kill -9 of a real server during uploads: what was answered is there, and no record lacks its payload."""

from __future__ import annotations

import hashlib
import json
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import httpx2
import pytest

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType
    from typing import Any

UPLOADS = 200
THREADS = 24


@pytest.mark.heavy
@pytest.mark.timeout(600)
def test_every_answered_upload_survives_kill_9(tmp_path: Path, serving: ModuleType, scale: int) -> None:
    server = serving.Server(tmp_path / "data", workers=2)
    acknowledged: dict[str, str] = {}
    kills_in_flight = 0
    for number in range(5 * scale):
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
    _check_folder(tmp_path / "data", acknowledged)


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
            if len(answered) >= 20 + 7 * number:
                some.set()

    limits = httpx2.Limits(max_connections=THREADS)
    with server.client(limits=limits) as client, ThreadPoolExecutor(THREADS) as pool:
        for index in range(UPLOADS):
            pool.submit(upload, index)
        assert some.wait(60)
        server.kill()
    return answered, len(broken)


def _check_folder(folder: Path, acknowledged: dict[str, str]) -> None:
    lines = (folder / "binaries" / "index.jsonl").read_bytes().split(b"\n")
    records = [json.loads(line) for line in lines if line.strip()]
    named = {record["sha256"] for record in records if "_deleted" not in record}
    for sha256 in named:
        raw = folder / "binaries" / sha256 / "raw"
        assert hashlib.sha256(raw.read_bytes()).hexdigest() == sha256
    assert set(acknowledged) <= named
