"""Decoding processes together: how many there are, how long they stay, and that one dead one costs one request."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from assets.images.limits import Limits
from assets.images.workers import Slots, Workers
from metadata.clock import SystemClock
from metadata.errors import BusyError

if TYPE_CHECKING:
    from types import ModuleType

JOB = {"do": "glance", "mediaType": "image/png"}


@pytest.fixture
def source(load_beside: Callable[[Path], ModuleType], tmp_path: Path) -> Iterator[int]:
    path = tmp_path / "picture"
    path.write_bytes(load_beside(Path(__file__).with_name("conftest.py")).picture())
    with path.open("rb") as file:
        yield file.fileno()


Make = Callable[..., Workers]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    made: list[Workers] = []

    def workers(count: int = 2, **options: float) -> Workers:
        slots = Slots(tmp_path / "slots", count, SystemClock())
        made.append(Workers(slots, Limits(), **{"keep": 2, **options}))  # type: ignore[arg-type] # numbers of both kinds
        return made[-1]

    yield workers
    for each in made:
        each.close()


def _gone(pid: int) -> bool:
    return not Path(f"/proc/{pid}").exists()


def _until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_nothing_is_started_before_it_is_needed(make: Make) -> None:
    workers = make()
    assert (workers.started, workers.idle()) == (0, [])


def test_a_process_is_kept_warm(make: Make, source: int) -> None:
    workers = make()
    for _ in range(3):
        assert workers.run(JOB, [source]).done["width"] == 400
    assert workers.started == 1
    assert len(workers.idle()) == 1


def test_an_idle_process_ends_after_a_while(make: Make, source: int) -> None:
    workers = make(idle_s=0.05)
    workers.run(JOB, [source])
    _until(lambda: workers.idle() == [])
    assert workers.run(JOB, [source]).done["frames"] == 1
    assert workers.started == 2


def test_one_that_died_meanwhile_is_replaced_unseen(make: Make, source: int) -> None:
    workers = make()
    workers.run(JOB, [source])
    (pid,) = workers.idle()
    os.kill(pid, 9)
    _until(lambda: Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0] == "Z")
    assert workers.run(JOB, [source]).done["width"] == 400
    assert workers.started == 2
    assert _gone(pid)


def test_one_that_is_killed_at_work_costs_its_request_one_error(make: Make, source: int) -> None:
    """The job reads from a pipe that nobody writes to, so it is surely at work."""
    workers = make()
    workers.run(JOB, [source])
    (pid,) = workers.idle()
    reader, writer = os.pipe()
    try:
        with ThreadPoolExecutor(1) as pool:
            task = pool.submit(workers.run, JOB, [reader])
            _until(lambda: workers.idle() == [])
            os.kill(pid, 9)
            with pytest.raises(BusyError, match="from outside"):
                task.result()
    finally:
        os.close(reader)
        os.close(writer)
    assert workers.run(JOB, [source]).done["width"] == 400
    assert _gone(pid)


def test_closing_leaves_nothing_behind(make: Make, source: int) -> None:
    workers = make()
    workers.run(JOB, [source])
    (pid,) = workers.idle()
    workers.close()
    assert _gone(pid)


def test_no_more_are_kept_than_wanted(make: Make, source: int) -> None:
    workers = make(3, keep=1)

    def work(_: int) -> object:
        own = os.open(f"/proc/self/fd/{source}", os.O_RDONLY)  # a place to read from that is nobody else's
        try:
            return workers.run(JOB, [own]).done["width"]
        finally:
            os.close(own)

    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(work, range(9))) == [400] * 9
    assert len(workers.idle()) == 1


class Counting:
    """Counts who is inside at once."""

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self._inside = 0
        self.most = 0

    def __enter__(self) -> None:
        """Come in."""
        with self._mutex:
            self._inside += 1
            self.most = max(self.most, self._inside)

    def __exit__(self, *_: object) -> None:
        """Leave."""
        with self._mutex:
            self._inside -= 1


@pytest.mark.parametrize("apart", [False, True], ids=["one process", "several"])
def test_no_more_work_at_once_than_there_are_slots(tmp_path: Path, *, apart: bool) -> None:
    """Objects of their own share nothing but the folder, as server processes do."""
    shared = Slots(tmp_path / "slots", 2, SystemClock())
    counting = Counting()
    everybody = [Slots(tmp_path / "slots", 2, SystemClock()) if apart else shared for _ in range(8)]

    def work(slots: Slots) -> None:
        for _ in range(10):
            with slots.hold(60), counting:
                os.sched_yield()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, everybody))
    assert 1 <= counting.most <= 2


def test_a_job_that_finds_no_slot_in_time_is_told(tmp_path: Path, make: Make, source: int) -> None:
    other = Slots(tmp_path / "slots", 1, SystemClock())
    workers = make(1, wait_s=0.05)
    with other.hold(5), pytest.raises(BusyError, match="Try again"):
        workers.run(JOB, [source])
    with pytest.raises(BusyError), other.hold(5), other.hold(0.01):
        pytest.fail("two at once")
    assert workers.run(JOB, [source]).done["width"] == 400


HOLDER = """
import sys, time
from pathlib import Path
from assets.images.workers import Slots
from metadata.clock import SystemClock
with Slots(Path(sys.argv[1]), 1, SystemClock()).hold(10):
    print("held", flush=True)
    time.sleep(600)
"""


def test_a_slot_is_free_again_when_its_holder_is_killed(tmp_path: Path) -> None:
    slots = Slots(tmp_path / "slots", 1, SystemClock())
    with subprocess.Popen([sys.executable, "-c", HOLDER, str(tmp_path / "slots")], stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(BusyError), slots.hold(0.01):
            pytest.fail("two at once")
        holder.kill()
    with slots.hold(10):
        pass


def test_slots_survive_their_folder(tmp_path: Path) -> None:
    slots = Slots(tmp_path / "slots", 1, SystemClock())
    with slots.hold(1):
        pass
    for left in (tmp_path / "slots").iterdir():
        left.unlink()
    (tmp_path / "slots").rmdir()
    with slots.hold(1):
        pass
    slots.close()
