"""A large upload through a real server costs it no memory, raw or as a form."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

import httpx2
import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

MIB = 1024 * 1024
GROWTH = 32 * MIB


def peak(process: int) -> int:
    """Return the largest resident memory a process has had, in bytes."""
    for line in Path(f"/proc/{process}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise AssertionError("the kernel tells no peak")


def chunks(piece: bytes, count: int, before: bytes = b"", after: bytes = b"") -> Iterator[bytes]:
    yield before
    for number in range(count):
        yield number.to_bytes(8, "big") + piece
    yield after


@pytest.mark.heavy
@pytest.mark.timeout(600)
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peaks are read from /proc")
def test_memory_stays_flat(tmp_path: Path, serving: ModuleType, scale: int) -> None:
    count = min(256 * scale, 1024)
    piece = os.urandom(MIB - 8)
    whole = hashlib.sha256()
    for chunk in chunks(piece, count):
        whole.update(chunk)
    sha256 = whole.hexdigest()
    limit = {"CALOTYPE_MAX_UPLOAD_BYTES": "2GiB"}
    with serving.Server(tmp_path / "data", extra=limit) as server, server.client() as client:
        assert client.post("/api/assets", content=b"warm", params={"filename": "w"}).status_code == httpx2.codes.CREATED
        before = peak(server.process.pid)
        raw = client.put(f"/blobs/{sha256}", content=chunks(piece, count))
        assert raw.status_code == httpx2.codes.CREATED
        assert raw.json()["size"] == count * MIB
        head = b'--b\r\nContent-Disposition: form-data; name="file"; filename="x.bin"\r\n\r\nx'
        form = chunks(piece, count, head, b"\r\n--b--\r\n")
        answer = client.post("/api/assets", content=form, headers={"Content-Type": "multipart/form-data; boundary=b"})
        assert answer.status_code == httpx2.codes.CREATED
        assert answer.json()["items"][0]["asset"]["size"] == count * MIB + 1
        assert peak(server.process.pid) - before < GROWTH
