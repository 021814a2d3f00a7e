"""The nginx configuration of docs/deploy.md works in front of a real server; skipped where there is no nginx."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import time
from typing import TYPE_CHECKING, Any

import httpx2
import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import ModuleType

LIMIT = 1_000_000


def written(repository: Path) -> str:
    """Return the `server` block of the page."""
    found = re.search(r"```nginx\n(.*?)```", (repository / "docs/deploy.md").read_text(), re.DOTALL)
    assert found is not None
    return found[1]


def here(block: str, port: int, server: int) -> str:
    """Return the block for this machine: no certificate, and ports of its own."""
    kept = [line for line in block.splitlines() if not re.match(r"\s*(http2|ssl_)", line)]
    text = "\n".join(kept).replace("listen 443 ssl", f"listen 127.0.0.1:{port}")
    assert "127.0.0.1:8256" in text
    return text.replace("127.0.0.1:8256", f"127.0.0.1:{server}")


@pytest.fixture(scope="module")
def behind(
    serving: ModuleType, repository: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Any, str]]:
    """A server and the address of an nginx before it."""
    tmp_path = tmp_path_factory.mktemp("behind")
    nginx = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
    if nginx is None:
        pytest.skip("no nginx: apt install nginx-light")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    extra = {"CALOTYPE_MAX_UPLOAD_BYTES": str(LIMIT), "CALOTYPE_BODY_TIMEOUT_S": "1"}
    with serving.Server(tmp_path / "data", extra=extra) as server:
        paths = "".join(
            f"{kind}_temp_path {tmp_path}/{kind};\n" for kind in ("proxy", "client_body", "fastcgi", "uwsgi", "scgi")
        )
        site = here(written(repository), port, server.port)
        text = f"daemon off; master_process off; pid {tmp_path}/pid; error_log {tmp_path}/errors;\nevents {{}}\n"
        (tmp_path / "nginx.conf").write_text(f"{text}http {{\naccess_log off;\n{paths}{site}\n}}\n")
        process = subprocess.Popen([nginx, "-c", str(tmp_path / "nginx.conf"), "-e", str(tmp_path / "errors")])
        try:
            _wait(port)
            yield server, f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(60)


def _wait(port: int) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=60).close()
        except ConnectionRefusedError:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        else:
            return


def test_behind_nginx_everything_is_as_without_it(behind: tuple[Any, str]) -> None:
    server, url = behind
    with httpx2.Client(base_url=url, headers=server.headers, timeout=60, trust_env=False) as client:
        kept = client.post("/api/assets", content=b"x" * LIMIT)
        assert kept.status_code == 201
        bytes_back = client.get(kept.json()["url"], headers={"Range": "bytes=-5"})
        assert (bytes_back.status_code, bytes_back.content) == (206, b"xxxxx")
        refused = client.post("/api/assets", content=b"x" * (20 * LIMIT))
        assert (refused.status_code, refused.json()["setting"]) == (413, "CALOTYPE_MAX_UPLOAD_BYTES")
        large = client.get("/healthz", headers={f"X-{at}": "a" * 7000 for at in range(4)})
        assert large.status_code == 200  # 28 kB of header fields pass both
        counted = client.get("/metrics").text
    assert 'calotype_requests_total{method="POST",route="/api/assets",status="413"} 1.0' in counted


def test_a_slow_body_is_ended_through_nginx_too(behind: tuple[Any, str]) -> None:
    server, url = behind
    head = (
        f"POST /api/assets HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {server.token}\r\nContent-Length: 99999\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2])), timeout=60) as connection:
        connection.sendall(head.encode() + b"some")
        assert connection.recv(65536).startswith(b"HTTP/1.1 408 ")
