"""What a serving process does beside answering."""

from __future__ import annotations

import logging
import os
import threading
import time
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from metadata.errors import BusyError
from server.upkeep import Upkeep
from server.wiring import open_store

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


class Steps:
    """A store that notes what is done to it; a step fails as long as `failing` names it.

    Attributes:
        done: the names of the steps.
        looked: released once a look.
    """

    def __init__(self) -> None:
        self.done: list[str] = []
        self.failing: dict[str, Exception] = {}
        self.looked = threading.Semaphore(0)
        self.assets = SimpleNamespace(blobs=SimpleNamespace(sweep_staging=self.step("staging")))
        self.engine = SimpleNamespace(locks=SimpleNamespace(collect_leftovers=self.step("leftovers")))
        self.documents = SimpleNamespace(
            sweep=self.step("sweep"), retry=self.step("retry"), tidy=self.step("tidy"), guard=self.guard
        )

    def step(self, name: str) -> Callable[..., None]:
        """Return a function that takes note of its call."""

        def take(*given: float) -> None:
            self.done.append(name)
            assert all(age >= 30 for age in given), "younger leftovers may be somebody's"
            if name in self.failing:
                self.looked.release()
                raise self.failing[name]

        return take

    def guard(self) -> Steps:
        """Return the block that finishes what was left."""
        return self

    def __enter__(self) -> None:
        """Finish it."""
        self.done.append("finish")

    def __exit__(self, *_: object) -> None:
        """Say that a look is over."""
        self.looked.release()


@pytest.fixture
def steps() -> Steps:
    """A store that notes what is done to it."""
    return Steps()


def upkeep(steps: Steps, every_s: float) -> Upkeep:
    """Return the upkeep of such a store."""
    store: Any = steps
    return Upkeep(store, every_s)


def test_the_clearing_up_comes_at_once_and_once_and_the_looking_again_and_again(steps: Steps) -> None:
    kept = upkeep(steps, 0.001)
    kept.start()
    for _ in range(3):
        assert steps.looked.acquire(timeout=20)
    kept.stop()
    assert steps.done[:2] == ["staging", "leftovers"]
    assert steps.done[2:14] == ["sweep", "retry", "tidy", "finish"] * 3
    assert "staging" not in steps.done[2:]


def test_stopping_waits_for_no_pause_and_nothing_is_done_afterwards(steps: Steps) -> None:
    kept = upkeep(steps, 3600)
    kept.start()
    kept.stop()
    assert steps.done in ([], ["staging", "leftovers"])
    assert not any(thread.name == "calotype-upkeep" for thread in threading.enumerate())


@pytest.mark.parametrize("error", [BusyError("somebody else has it"), OSError(5, "Input/output error")])
def test_a_failed_step_is_told_and_the_next_round_tries_again(
    steps: Steps, error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    steps.failing = {"staging": error, "sweep": error}
    kept = upkeep(steps, 0.001)
    with caplog.at_level(logging.WARNING, "calotype.upkeep"):
        kept.start()
        for _ in range(3):
            assert steps.looked.acquire(timeout=20)
        steps.failing = {}
        for _ in range(3):
            assert steps.looked.acquire(timeout=20)
        kept.stop()
    messages = [record.getMessage() for record in caplog.records]
    assert any("clearing up leftovers failed" in message and str(error) in message for message in messages)
    assert any("looking at the files failed" in message for message in messages)
    assert "finish" in steps.done


def test_over_a_real_store_leftovers_go_and_what_is_young_or_in_use_stays(api: Any) -> None:
    root: Path = api.store.engine.paths.root
    kept = Upkeep(api.store, 3600)
    leftovers = [root / "old.json.lock", root / ".a.json.1.0123abcd.tmp"]
    young = root / "young.json.lock"
    for path in (*leftovers, young):
        path.touch()
    for path in leftovers:
        os.utime(path, (0, 0))
    kept.clear_up()
    assert not any(path.exists() for path in leftovers)
    assert young.exists()


def test_over_a_real_store_an_edited_file_is_taken_over(api: Any) -> None:
    name = api.character(name="Ada")
    file: Path = api.store.engine.paths.root / "characters" / f"{name}.json"
    file.write_text(file.read_text().replace("Ada", "Grace"))
    Upkeep(api.store, 3600).look()
    found = api.store.documents.get("character", name)
    assert found.body["name"] == "Grace"


def test_over_a_real_store_garbage_is_collected_when_it_is_time(api: Any) -> None:
    for collect_s, ran in ((None, False), (3600.0, True)):
        Upkeep(api.store, 3600, collect_s).collect()
        assert bool(api.store.gc.last.at) is ran


def test_garbage_is_left_to_the_process_that_is_at_it(api: Any, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "calotype.upkeep"), open_store(api.store.settings) as other:
        with other.gc.premises.state.alone():
            Upkeep(api.store, 3600, 3600.0).collect()
        assert api.store.gc.last.at == ""
    assert caplog.records == []


def test_the_collection_has_its_turn_in_every_round(api: Any) -> None:
    kept = Upkeep(api.store, 0.001, 3600.0)
    kept.start()
    deadline = time.monotonic() + 60
    while not api.store.gc.last.at and time.monotonic() < deadline:
        time.sleep(0.005)
    kept.stop()
    assert api.store.gc.last.at
