"""Several workers and command lines writing to one folder at once."""

from __future__ import annotations

import itertools
import json
import os
import sqlite3
import threading
import time
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

SECONDS = 6


@pytest.mark.heavy
@pytest.mark.timeout(600)
def test_nothing_is_lost_between_four_workers_and_two_commands(tmp_path: Path, serving: ModuleType, scale: int) -> None:
    folder = tmp_path / "data"
    ids: list[str] = []
    errors: list[object] = []
    with serving.Server(folder, workers=4) as server:
        until = time.monotonic() + SECONDS * scale
        threads = [threading.Thread(target=_upload, args=(server, until, ids, errors)) for _ in range(4)]
        threads += [
            threading.Thread(target=_put, args=(serving, folder, tmp_path, until, ids, errors, n)) for n in (1, 2)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert errors == []
        assert len(ids) == len(set(ids)) > 20
        for _ in range(8):  # connections are spread over the workers
            with server.client() as client:
                assert _listed(client) == set(ids)
        listed = json.loads(serving.run(folder, "ls", "--json", "--limit", "500").stdout)
        assert listed["total"] == len(ids)
    _check_lines(folder, ids)
    before = _rows(folder / "cache" / "index.sqlite3")
    assert serving.run(folder, "reindex").returncode == 0
    assert _rows(folder / "cache" / "index.sqlite3") == before


def _upload(server: Any, until: float, ids: list[str], errors: list[object]) -> None:
    with server.client() as client:
        while time.monotonic() < until:
            answer = client.post("/api/assets", content=os.urandom(3_000), params={"filename": "a.bin", "tags": "x"})
            if answer.is_success:
                ids.append(answer.json()["id"])
            else:
                errors.append(answer.text)


def _put(
    serving: ModuleType, folder: Path, tmp_path: Path, until: float, ids: list[str], errors: list[object], number: int
) -> None:
    for turn in itertools.count():
        if time.monotonic() >= until:
            return
        file = tmp_path / f"{number}-{turn}.bin"
        file.write_bytes(os.urandom(2_000))
        done = serving.run(folder, "put", "--json", str(file))
        if done.returncode != 0:
            errors.append(done.stderr)
            continue
        ids.extend(item["asset"]["id"] for item in json.loads(done.stdout)["items"])


def _listed(client: Any) -> set[str]:
    found: set[str] = set()
    cursor: str | None = None
    while True:
        page = client.get("/api/assets", params={"limit": 500} | ({"cursor": cursor} if cursor else {})).json()
        found.update(item["id"] for item in page["items"])
        cursor = page["nextCursor"]
        if cursor is None:
            return found


def _check_lines(folder: Path, ids: list[str]) -> None:
    lines = (folder / "binaries" / "index.jsonl").read_bytes().split(b"\n")
    assert lines.pop() == b""
    assert {json.loads(line)["id"] for line in lines} == set(ids)


def _rows(index: Path) -> dict[str, list[tuple[object, ...]]]:
    """Return every row that speaks of records, in an order that does not depend on how the index came to be."""
    tables = {"k_asset": "key, path, rev, owner, created, updated, offset, length, body", "k_tag": "key, owner, body"}
    tables |= {"refs": "*", "mentions": "*", "uniques": "*", "counts": "*", "k_fact": "key, rev, offset, length, body"}
    with closing(sqlite3.connect(index)) as db:
        return {name: sorted(db.execute(f"SELECT {columns} FROM {name}")) for name, columns in tables.items()}  # noqa: S608 - constant names
