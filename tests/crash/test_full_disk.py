"""A server on a disk that is really full: writes are refused, everything else goes on, and it recovers by itself."""

from __future__ import annotations

import errno
import hashlib
import os
import time
from http import HTTPStatus
from typing import TYPE_CHECKING

import pytest

from metadata.files import ballast
from tests.crash.disks import mounted

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import ModuleType

    import httpx2

    from tests.crash.disks import Disk

pytestmark = [pytest.mark.heavy, pytest.mark.timeout(300)]
PAYLOAD = 200_000


@pytest.fixture
def disk(request: pytest.FixtureRequest, tmp_path: Path, scale: int) -> Iterator[Disk]:
    """A small disk of the kind that the test names, mounted."""
    if request.param == "btrfs" and scale == 1:
        pytest.skip("quotas are reached from scale 5 on (make verify)")
    made = mounted(tmp_path, request.param)
    yield made
    made.leave()


@pytest.mark.parametrize("disk", ["ext4", "btrfs"], indirect=True)
def test_a_full_disk_refuses_writes_and_nothing_else(disk: Disk, serving: ModuleType, tmp_path: Path) -> None:
    """A full ext4, and a quota that is reached, which no number of free bytes tells."""
    settings = {"CALOTYPE_TRASH_S": "0", "CALOTYPE_GC_GRACE_S": "0", "CALOTYPE_INDEX_SWEEP_S": "1"}
    if disk.copies:
        settings["CALOTYPE_CACHE_DIR"] = str(tmp_path / "cache")
    with serving.Server(disk.mount_point / "data", extra=settings) as server, server.client() as client:
        kept, gone = put(client, 2), put(client, 8)
        tag = client.post("/api/tags", json={"name": "before"}).json()["id"]
        wait_for(disk.mount_point / "data/locks" / ballast.NAME)
        fill(disk.mount_point / "filler")
        for _ in range(2):  # what was refused once leaves nothing that keeps others from being answered
            refused(client, tag)
            served(client, kept)
        for asset_id in gone.values():
            assert client.delete(f"/api/assets/{asset_id}").status_code == HTTPStatus.NO_CONTENT
        served(client, kept)
        for _ in range(2):  # into the trash, and out of it
            assert client.post("/api/admin/gc", json={"force": True}).status_code == HTTPStatus.OK
        assert not any((disk.mount_point / "data/binaries" / sha256).exists() for sha256 in gone)
        put(client, 3)  # with the room that this made, and no restart
        (disk.mount_point / "filler").unlink()
        put(client, 1)
        assert client.get("/readyz").status_code == HTTPStatus.OK
        wait_for(disk.mount_point / "data/locks" / ballast.NAME)  # for the next time


@pytest.mark.parametrize("disk", ["tmpfs"], indirect=True)
def test_a_full_disk_under_the_index_alone_stops_no_reader(disk: Disk, serving: ModuleType, tmp_path: Path) -> None:
    cache = disk.mount_point / "cache"
    settings = {"CALOTYPE_CACHE_DIR": str(cache), "CALOTYPE_INDEX_SWEEP_S": "1"}
    with serving.Server(tmp_path / "data", extra=settings) as server, server.client() as client:
        kept = put(client, 2)
        wait_for(cache / ballast.NAME)
        fill(disk.mount_point / "filler")
        answers: list[int] = []
        for number in range(4_000):
            answers.append(client.post("/api/tags", json={"name": f"tag {number} {'x' * 90}"}).status_code)
            if answers[-1] == HTTPStatus.INSUFFICIENT_STORAGE:
                break
        assert answers[-1] == HTTPStatus.INSUFFICIENT_STORAGE
        assert set(answers[:-1]) <= {HTTPStatus.CREATED}
        served(client, kept)
        assert client.get("/api/tags", params={"limit": 1}).json()["total"] == len(answers) - 1
        assert client.delete(f"/api/assets/{kept.popitem()[1]}").status_code == HTTPStatus.NO_CONTENT
        served(client, kept)
        (disk.mount_point / "filler").unlink()
        put(client, 1)


def put(client: httpx2.Client, count: int) -> dict[str, str]:
    """Upload new payloads; return their records' ids by hash."""
    made = {}
    for number in range(count):
        body = os.urandom(PAYLOAD)
        answer = client.post("/api/assets", params={"filename": f"{number}.bin"}, content=body)
        assert answer.status_code == HTTPStatus.CREATED, answer.text
        made[hashlib.sha256(body).hexdigest()] = answer.json()["id"]
    return made


def refused(client: httpx2.Client, tag: str) -> None:
    """Try uploads and changes; all are told that there is no room."""
    answers = [
        client.post("/api/assets", params={"filename": "large.bin"}, content=os.urandom(PAYLOAD)),
        client.post("/api/assets", params={"filename": "small.bin"}, content=b"small"),
        client.post("/api/tags", json={"name": "new"}),
        client.patch(f"/api/tags/{tag}", json={"name": "renamed"}),
    ]
    assert [answer.status_code for answer in answers] == [HTTPStatus.INSUFFICIENT_STORAGE] * 4
    assert {answer.json()["type"] for answer in answers} == {"urn:calotype:problem:full"}


def served(client: httpx2.Client, kept: dict[str, str]) -> None:
    """Read payloads, records and lists."""
    for sha256, asset_id in kept.items():
        assert hashlib.sha256(client.get(f"/blobs/{sha256}").content).hexdigest() == sha256
        assert client.get(f"/api/assets/{asset_id}").json()["sha256"] == sha256
    listed = client.get("/api/assets").json()["items"]
    assert set(kept) <= {item["sha256"] for item in listed}
    assert client.get("/api/tags").status_code == HTTPStatus.OK


def fill(path: Path) -> None:
    """Write to a file until the disk takes no byte more."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    try:
        for piece in (os.urandom(1 << 20), os.urandom(4_096), b"x"):
            while _written(descriptor, piece):
                pass
    finally:
        os.close(descriptor)


def _written(descriptor: int, piece: bytes) -> bool:
    try:
        return os.write(descriptor, piece) > 0
    except OSError as error:
        if error.errno not in {errno.ENOSPC, errno.EDQUOT}:
            raise
        return False


def wait_for(path: Path) -> None:
    """Wait until the upkeep has laid the ballast whole."""
    deadline = time.monotonic() + 60
    while not (path.exists() and path.stat().st_size == ballast.SIZE):
        assert time.monotonic() < deadline, f"there is no {path}"
        time.sleep(0.05)
