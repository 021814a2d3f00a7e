"""When the worker has no descriptors left it says so at most once a second, and goes on when it has some again."""

from __future__ import annotations

import contextlib
import os
import resource
import socket
import time
from collections import Counter
from typing import TYPE_CHECKING

import httpx2
import pytest

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

SPARE = 6
CLIENTS = 60


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="another process's limits cannot be set here")
def test_a_worker_without_descriptors_recovers_and_is_quiet(serving: ModuleType, tmp_path: Path) -> None:
    # On a slow machine the clients, who never ask anything, would be let go meanwhile and give their descriptors back.
    with serving.Server(tmp_path / "data", extra={"CALOTYPE_HEADER_TIMEOUT_S": "600"}) as server:
        pid = server.process.pid
        before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        with server.client() as client, contextlib.ExitStack() as held:
            assert client.get("/healthz").status_code == 200  # its connection stays
            used = max(int(name) for name in os.listdir(f"/proc/{pid}/fd"))  # noqa: PTH208 - numbers, no paths
            resource.prlimit(pid, resource.RLIMIT_NOFILE, (used + SPARE, before[1]))
            for _ in range(CLIENTS):
                held.enter_context(socket.create_connection(("127.0.0.1", server.port), timeout=60))
            statuses = Counter(client.post("/api/assets", content=b"%d" % at).status_code for at in range(CLIENTS))
            assert statuses[500] > CLIENTS // 2, statuses  # else the descriptors were not gone
        resource.prlimit(pid, resource.RLIMIT_NOFILE, before)
        assert stored(server)
        server.stop()
        lines = [line for line in server.output if "Too many open files" in line]
        assert lines
        assert max(Counter(line[:19] for line in lines).values()) <= 2  # two fit into one second of the clock's
        assert not [line for line in server.output if "Traceback" in line]


def stored(server: object) -> bool:
    """Tell whether the server takes a file before a minute is over; it may have to see its clients go first."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with contextlib.suppress(httpx2.TransportError), server.client() as client:  # type: ignore[attr-defined] # by path
            if client.post("/api/assets", content=b"at last").status_code == 201:
                return True
        time.sleep(0.05)
    return False
