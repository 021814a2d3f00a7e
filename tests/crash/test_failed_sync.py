"""A real server whose disk fails to sync once: nobody is told of success, and the process is replaced.

The calls are failed inside the serving processes, spawned workers among them, by a `sitecustomize` of the test.
"""

from __future__ import annotations

import hashlib
import os
import threading
import time
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING

import httpx2
import pytest

if TYPE_CHECKING:
    from types import ModuleType

pytestmark = [pytest.mark.heavy, pytest.mark.timeout(300)]

FAILING = """
import errno, os

def failing(name):
    from metadata.files.filesystem import FileSystem
    real = getattr(FileSystem, name)

    def call(self, descriptor):
        try:
            os.unlink(os.path.join(os.environ["FAIL_HERE"], name))
        except FileNotFoundError:
            return real(self, descriptor)
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    setattr(FileSystem, name, call)

for name in ("fsync", "fdatasync"):
    failing(name)
"""


class Reader:
    """Somebody who reads one payload without end, each time over a new connection."""

    def __init__(self, url: str, headers: dict[str, str], body: bytes) -> None:
        self._address = f"{url}/blobs/{hashlib.sha256(body).hexdigest()}"
        self._headers = {**headers, "Connection": "close"}
        self._body = body
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._read)
        self.served = 0
        self.failed: list[str] = []
        self._thread.start()

    def stop(self) -> None:
        """End."""
        self._stopping.set()
        self._thread.join()

    def _read(self) -> None:
        while not self._stopping.wait(0.01):
            # A connection that was taken in the moment of the end is closed unanswered: one more try, as browsers do.
            if self._once() or self._once():
                self.served += 1

    def _once(self) -> bool:
        try:
            answer = httpx2.get(self._address, headers=self._headers, timeout=60, trust_env=False)
        except httpx2.TransportError as error:
            self.failed.append(repr(error))
            return False
        assert answer.content == self._body
        return True


@pytest.mark.parametrize(("workers", "call"), [(1, "fsync"), (2, "fdatasync")])
def test_a_failed_sync_is_no_success_and_the_process_is_replaced(
    tmp_path: Path, serving: ModuleType, workers: int, call: str
) -> None:
    armed = tmp_path / "armed"
    armed.mkdir()
    (armed / "sitecustomize.py").write_text(FAILING)
    extra = {"PYTHONPATH": str(armed), "FAIL_HERE": str(armed)}
    kept, lost = os.urandom(5_000), os.urandom(5_000)
    with serving.Server(tmp_path / "data", workers=workers, extra=extra) as server:
        assert upload(server, kept) == HTTPStatus.CREATED
        inode, before = journal(tmp_path).stat().st_ino, processes(server)
        reader = Reader(server.url, server.headers, kept)
        assert not said(server)
        (armed / call).touch()
        answer = post(server, lost)
        assert answer.status_code == HTTPStatus.INTERNAL_SERVER_ERROR
        assert answer.json()["type"] == "urn:calotype:problem:unwritten"
        assert not (armed / call).exists()
        settled(server, lost)
        started = reader.served
        wait_until(lambda: reader.served > started + 5)
        reader.stop()
        assert len(reader.failed) <= 2, reader.failed
        if call == "fdatasync":
            assert journal(tmp_path).stat().st_ino != inode
        assert said(server)
        names = list((tmp_path / "data").rglob("*"))
        assert [name for name in names if name.suffix == ".tmp"] == []
        if workers > 1:
            wait_until(lambda: len(processes(server)) == len(before) and processes(server) != before)
        else:
            assert "The store is opened anew." in "".join(server.output)
        assert server.stop() == 0
    assert serving.run(tmp_path / "data", "verify").returncode == 0


def post(server: object, body: bytes) -> httpx2.Response:
    """Upload once, over a new connection."""
    url, headers = server.url, server.headers  # type: ignore[attr-defined]  # loaded by its path
    return httpx2.post(
        f"{url}/api/assets", params={"filename": "a"}, content=body, headers=headers, timeout=60, trust_env=False
    )


def upload(server: object, body: bytes) -> int:
    """Upload once; return the status, 0 for none."""
    try:
        return post(server, body).status_code
    except httpx2.TransportError:
        return 0


def settled(server: object, body: bytes) -> None:
    """Upload again until it is taken; meanwhile only being replaced is an excuse."""
    deadline = time.monotonic() + 60
    while (status := upload(server, body)) != HTTPStatus.CREATED:
        assert status in {0, HTTPStatus.SERVICE_UNAVAILABLE}
        assert time.monotonic() < deadline, "it never takes a write again"
        time.sleep(0.05)


def said(server: object) -> list[str]:
    """Return the lines of the log that tell of the failure."""
    return [line for line in server.output if "A sync failed" in line]  # type: ignore[attr-defined]  # as above


def processes(server: object) -> set[str]:
    """Return the ids of the server's children."""
    pid = server.process.pid  # type: ignore[attr-defined]  # as above
    return set(Path(f"/proc/{pid}/task/{pid}/children").read_text().split())


def journal(tmp_path: Path) -> Path:
    """Return the journal that an upload syncs first."""
    return tmp_path / "data/binaries/facts.jsonl"


def wait_until(true: object) -> None:
    """Wait until something holds."""
    deadline = time.monotonic() + 60
    while not true():  # type: ignore[operator]  # a lambda
        assert time.monotonic() < deadline, "it does not come to hold"
        time.sleep(0.02)
