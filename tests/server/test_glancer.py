"""Looking at pictures beside answering."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from server.glancer import Glancer

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

    from tests.server.conftest import Api

WITHIN_S = 60


def test_an_upload_is_looked_at_and_the_thread_ends(api: Api, png: bytes) -> None:
    glancer = Glancer(api.store)
    glancer.start()
    api.upload(png)
    deadline = time.monotonic() + WITHIN_S
    while api.store.records.facts.unseen(1) and time.monotonic() < deadline:
        time.sleep(0.02)
    glancer.stop()
    assert not api.store.records.facts.unseen(1)


@pytest.mark.heavy
def test_two_workers_look_once_and_end_cleanly(tmp_path: Path, serving: ModuleType, png: bytes) -> None:
    with serving.Server(tmp_path / "data", workers=2) as server, server.client() as http:
        asset = http.post("/api/assets", content=png).json()
        deadline = time.monotonic() + WITHIN_S
        while http.get(f"/api/assets/{asset['id']}").json()["placeholder"] is None and time.monotonic() < deadline:
            time.sleep(0.05)
        assert server.stop() == 0
    lines = (tmp_path / "data/binaries/facts.jsonl").read_text().splitlines()
    assert sum('"placeholder":"data:' in line.replace(" ", "") for line in lines) == 1
