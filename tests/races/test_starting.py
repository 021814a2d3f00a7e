"""A store that a crash left in disorder, opened by four workers and two commands at once: it is recovered once."""

from __future__ import annotations

import json
import os
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

import calotype
from metadata.files.engine import FileEngine

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

TORN = b'{"id":"torn, as a power cut leaves it'
LONG_AGO_S = 3_600


@pytest.mark.heavy
@pytest.mark.timeout(300)
def test_recovery_runs_once_however_many_start(tmp_path: Path, serving: ModuleType) -> None:
    folder = tmp_path / "data"
    tag = _left_by_a_crash(folder)
    with ThreadPoolExecutor(3) as pool:
        commands = [pool.submit(serving.run, folder, "ls", "--json") for _ in range(2)]
        server = pool.submit(serving.Server, folder, workers=4).result()
        printed = [command.result() for command in commands]
    with server, server.client() as client:
        for _ in range(8):  # whichever worker answers
            assert {item["name"] for item in client.get("/api/tags").json()["items"]} == {"after the crash"}
            assert client.get(f"/api/tags/{tag}").json()["name"] == "after the crash"
            listed = {item["id"] for item in client.get("/api/assets").json()["items"]}
            assert len(listed) == 2
    # Lock and temporary files go at a start that is alone; among six at once perhaps nobody was.
    with serving.Server(folder):
        deadline = time.monotonic() + 60
        while _leftovers(folder):
            assert time.monotonic() < deadline, f"leftovers stay: {_leftovers(folder)}"
            time.sleep(0.05)
    for command in printed:
        assert command.returncode == 0, command.stderr.decode()
        assert {item["id"] for item in json.loads(command.stdout)["items"]} == listed
    aside = [path.read_bytes() for path in (folder / "quarantine").iterdir() if not path.name.endswith(".note.json")]
    assert aside == [TORN], "the torn end was set aside once"
    assert list((folder / "intents").glob("*.json")) == []
    assert serving.run(folder, "verify").returncode == 0


def _left_by_a_crash(folder: Path) -> str:
    """Make a store with a torn journal, an operation half-way, and files of dead processes; return a tag's id."""
    with calotype.open(folder) as store:
        for body in (b"one", b"two"):
            store.assets.put(body)
        tag = store.tags.create(name="before the crash")
    body = json.loads((folder / "tags/tags.json").read_bytes())
    record = next(each for each in body["tags"] if each["id"] == tag.id)
    record |= {"name": "after the crash", "nameLower": "after the crash"}
    engine = FileEngine.open(folder)
    steps = [{"path": "tags/tags.json", "kind": "tag", "key": tag.id, "body": record}]
    engine.write_document(f"intents/{uuid4()}.json", {"version": 1, "steps": steps}, stamp=True)
    engine.close()
    with (folder / "binaries/index.jsonl").open("ab") as journal:
        journal.write(TORN)
    dead = folder / "uploads/999999.01234567.0123456789abcdef"
    dead.mkdir(parents=True)
    (dead / "raw").write_bytes(b"half an upl")
    for path in (folder / "tags/.tags.json.999999.01234567.tmp", folder / "tags/gone.json.lock", dead):
        if path != dead:
            path.touch()
        os.utime(path, (time.time() - LONG_AGO_S,) * 2)
    return tag.id


def _leftovers(folder: Path) -> list[str]:
    found = [folder / "tags/.tags.json.999999.01234567.tmp", folder / "tags/gone.json.lock"]
    found += (folder / "uploads").glob("999999.*")
    return [path.name for path in found if path.exists()]
