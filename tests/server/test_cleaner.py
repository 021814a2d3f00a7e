"""The thread that carries out great removals."""

from __future__ import annotations

import logging
import threading
import time
from types import SimpleNamespace
from typing import TYPE_CHECKING

from metadata.documents import retiring
from metadata.errors import UnreadableError
from server.cleaner import Cleaner
from server.settings import Settings
from server.wiring import open_store

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pytest

DEADLINE_S = 60


def wait_for(found: Callable[[], bool]) -> None:
    finished = time.monotonic() + DEADLINE_S
    while not found():
        assert time.monotonic() < finished
        time.sleep(0.01)


def test_what_is_handed_over_is_carried_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retiring, "AT_ONCE", 1)
    monkeypatch.setattr(retiring, "AWAITED", 0)
    work = threading.Event()
    with open_store(Settings(data_dir=tmp_path / "data"), hand_over=work.set) as store:
        tag = store.records.tags.create(name="x").id
        texts = {"description": "d", "personality": "p", "scenario": "s", "first_message": "f"}
        for number in range(3):
            store.records.characters.create(name=f"n{number}", tags=[tag], **texts)
        store.records.tags.delete(tag)
        assert list((tmp_path / "data/intents").glob("*.json"))
        assert work.is_set()
        cleaner = Cleaner(store, work)
        cleaner.start()
        wait_for(lambda: not list((tmp_path / "data/intents").glob("*.json")))
        store.records.tags.delete(store.records.tags.create(name="y").id)
        cleaner.stop()
        assert [found.tags for found in store.records.characters.find_all()] == [[]] * 3


def test_a_failure_is_logged_and_the_next_call_is_answered(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A server that ran in this process before may have kept its log to itself, or a test have silenced it.
    caplog.set_level(logging.WARNING, "calotype")
    monkeypatch.setattr(logging.getLogger("calotype"), "propagate", True)
    work, rounds = threading.Event(), threading.Semaphore(0)
    failures: list[Exception] = [UnreadableError("No."), ValueError("Ours.")]

    def work_off(stop: Callable[[], bool]) -> None:
        del stop
        rounds.release()
        if failures:
            raise failures.pop(0)

    cleaner = Cleaner(SimpleNamespace(documents=SimpleNamespace(work_off=work_off)), work)  # type: ignore[arg-type] # what it needs of a store
    cleaner.start()
    for _ in range(3):
        assert rounds.acquire(timeout=DEADLINE_S)
        work.set()
    cleaner.stop()
    assert "to be gone on with later" in caplog.text
    assert "failed unexpectedly" in caplog.text
