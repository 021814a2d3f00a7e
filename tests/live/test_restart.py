"""What a restart must not change: with the index deleted, and in the middle of an upload."""

from __future__ import annotations

import shutil
import socket
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx2
import pytest

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType


def answers(server: Any, asset_id: str, sha256: str) -> list[object]:
    """Return what the server says about its records, in a form to be compared."""
    with server.client() as client:
        queries = (
            {"limit": 3},
            {"sort": "-size"},
            {"q": "two"},
            {"tags": "red"},
            {"type": "image"},
            {"sha256": sha256},
        )
        found: list[object] = [client.get("/api/assets", params=query).json() for query in queries]
        one = client.get(f"/api/assets/{asset_id}")
        found += [one.json(), one.headers["ETag"], client.get(f"/api/assets/{asset_id}/references").json()]
        found.append(client.get(f"/blobs/{sha256}").content)
    return found


@pytest.mark.heavy
def test_the_index_may_be_deleted_between_two_runs(tmp_path: Path, serving: ModuleType) -> None:
    folder = tmp_path / "data"
    server = serving.Server(folder)
    with server.client() as client:
        for name in ("one.txt", "two.txt", "three.txt", "two again.txt"):
            body = f"this is {name}".encode()
            asset = client.post("/api/assets", content=body, params={"filename": name, "tags": "red"}).json()
        client.patch(f"/api/assets/{asset['id']}", json={"filename": "two, renamed.txt"})
    before = answers(server, asset["id"], asset["sha256"])
    assert server.stop() == 0
    shutil.rmtree(folder / "cache")
    server.start()
    assert answers(server, asset["id"], asset["sha256"]) == before
    shutil.rmtree(folder / "cache")
    assert answers(server, asset["id"], asset["sha256"]) == before, "while it runs, too"
    server.stop()


@pytest.mark.heavy
def test_a_running_upload_is_finished_before_the_server_ends(tmp_path: Path, serving: ModuleType) -> None:
    server = serving.Server(tmp_path / "data")
    place = urlsplit(server.url)
    body = b"half of it, " + b"and the other half"
    with socket.create_connection((place.hostname, place.port), timeout=30) as connection:
        head = f"POST /api/assets?filename=late.txt HTTP/1.1\r\nHost: {place.netloc}\r\nContent-Length: {len(body)}\r\n"
        connection.sendall(f"{head}Authorization: Bearer {server.token}\r\n\r\n".encode() + body[:12])
        with server.client() as client:  # so that the request has certainly begun
            assert client.get("/healthz").status_code == httpx2.codes.OK
        server.process.terminate()
        connection.sendall(body[12:])
        answer = connection.recv(65536)
    assert answer.startswith(b"HTTP/1.1 201"), answer
    assert server.stop() == 0
    listed = serving.run(tmp_path / "data", "ls", "--json")
    assert b"late.txt" in listed.stdout
