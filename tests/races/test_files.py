"""Locks and journals under many processes: nothing is lost, nobody waits for the dead."""

from __future__ import annotations

import itertools
import json
import os
import signal
import threading
import time
import warnings
from typing import TYPE_CHECKING, cast

import pytest

from metadata.errors import BusyError, InternalError
from metadata.files.engine import FileEngine
from metadata.files.lines import Line
from metadata.store import JsonStore

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable
    from pathlib import Path

    from metadata.files.batch import Batch

    Worker = Callable[..., subprocess.Popen[str]]
    Together = Callable[..., list[str]]
    Counts = Callable[[int, int, int], int]


def ids_in(folder: Path) -> list[str]:
    """Return the ids of the journal's records; damage fails the test."""
    items = list(FileEngine.open(folder).journal("log.jsonl").read())
    assert all(isinstance(item, Line) and item.check == "sound" for item in items)
    return [item.record["id"] for item in items if isinstance(item, Line)]


def counted(folder: Path, worker: Worker, way: str, each: int) -> tuple[int, int]:
    """Let 8 processes count up, starting those anew that die; return how many updates were told, and how many lost."""
    told, seeds = [0] * 8, itertools.count()
    while any(count < each for count in told):
        running = {
            number: worker("count_up", folder, number, each - count, way, next(seeds))
            for number, count in enumerate(told)
            if count < each
        }
        for number, process in running.items():
            told[number] += len(process.communicate()[0])
            assert process.returncode == 0 or (way == "dying" and process.returncode == -signal.SIGKILL)
    found = cast("dict[str, int]", JsonStore(folder).read_json("counters.json"))
    return sum(told), sum(count - found.get(str(number), 0) for number, count in enumerate(told))


@pytest.mark.heavy
@pytest.mark.timeout(3_600)
@pytest.mark.parametrize("way", ["plain", "dying", "sleeping"])
def test_eight_processes_lose_no_update(
    tmp_path: Path, worker: Worker, counts: Counts, promise: Callable[[str, int, int], None], way: str
) -> None:
    told, lost = counted(tmp_path, worker, way, counts(40, 250, 2_500))
    promise(f"updates by 8 processes, {way}{'' if way == 'plain' else ' inside the lock'}", told, lost)
    assert lost == 0
    assert way == "dying" or list(tmp_path.glob(".*.tmp")) == []


def test_without_the_lock_updates_are_lost(
    tmp_path: Path, worker: Worker, promise: Callable[[str, int, int], None]
) -> None:
    """Negative control: the same processes, reading and writing without the lock."""
    JsonStore(tmp_path).write_json("counters.json", {})
    told, lost = counted(tmp_path, worker, "unlocked", 50)
    promise("control, must be bad: updates of one document without the lock", told, lost)
    assert lost > 0


def test_eight_processes_append(tmp_path: Path, together: Together, scale: int) -> None:
    each = 80 * scale
    printed = together(*[("append", tmp_path, number, each) for number in range(8)])
    acknowledged = [name for text in printed for name in text.split()]
    assert len(acknowledged) == 8 * each
    found = ids_in(tmp_path)
    assert sorted(found) == sorted(acknowledged)
    for number in range(8):
        mine = [name for name in found if name.startswith(f"{number}-")]
        assert mine == [f"{number}-{index}" for index in range(each)]


def test_appends_while_the_journal_is_compacted(tmp_path: Path, together: Together, scale: int) -> None:
    each = 70 * scale
    together(*[("append", tmp_path, number, each) for number in range(4)], ("compact", tmp_path, 0, 30 * scale))
    found = ids_in(tmp_path)
    assert len(found) == len(set(found)) == 4 * each


def test_janitor_takes_lock_files_from_under_the_writers(tmp_path: Path, together: Together, scale: int) -> None:
    each = 40 * scale
    FileEngine.open(tmp_path).journal("log.jsonl").commit(lambda batch: batch.stage({"id": "first"}))
    together(
        *[("edit", tmp_path, number, 2 * each) for number in range(3)],
        *[("append", tmp_path, number, each) for number in range(3)],
        ("sweep", tmp_path, 0, 2 * each),
        ("sweep", tmp_path, 1, 2 * each),
    )
    assert JsonStore(tmp_path).read_json("counter.json") == {"n": 6 * each}
    assert len(set(ids_in(tmp_path))) == 3 * each + 1


def test_killed_appenders_lose_nothing_they_acknowledged(tmp_path: Path, worker: Worker, scale: int) -> None:
    acknowledged: set[str] = set()
    log = tmp_path / "log.jsonl"
    for round_ in range(2 * scale):
        processes = [worker("append", tmp_path, f"{round_}.{number}", 100_000) for number in range(4)]
        wanted = (log.stat().st_size if log.exists() else 0) + 10_000
        deadline = time.monotonic() + 60
        while not (log.exists() and log.stat().st_size > wanted) and time.monotonic() < deadline:
            time.sleep(0.01)
        for process in processes:
            process.kill()
        acknowledged |= {name for process in processes for name in process.communicate()[0].split("\n")[:-1]}
    FileEngine.open(tmp_path).journal("log.jsonl").recover()
    assert len(acknowledged) > 40
    assert acknowledged <= set(ids_in(tmp_path))


def test_killed_holder_never_blocks(tmp_path: Path, worker: Worker) -> None:
    holder = worker("hold", tmp_path, "tags/tags.json")
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    lock = FileEngine.open(tmp_path).locks.lock_of("tags/tags.json")
    with lock.hold(0):  # at once: a dead process holds nothing
        assert lock.held


def test_waiter_gets_the_lock_as_soon_as_its_holder_is_killed(tmp_path: Path, worker: Worker) -> None:
    holder = worker("hold", tmp_path, "tags/tags.json")
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    killer = threading.Thread(target=kill_when_somebody_waits, args=(holder,), daemon=True)
    killer.start()
    # Far beyond the limit of a test: a waiter that sleeps until its deadline would never be seen to end.
    with FileEngine.open(tmp_path).locks.lock_of("tags/tags.json").hold(600_000):
        killer.join(10)
        assert holder.wait(10) == -signal.SIGKILL


def kill_when_somebody_waits(holder: subprocess.Popen[str]) -> None:
    """Kill the process once a thread of this one is queued in the kernel."""
    while not any(thread.name == "lock-waiter" for thread in threading.enumerate()):
        time.sleep(0.005)
    holder.kill()


def test_timeout_names_path_and_process_and_leaves_no_trace(tmp_path: Path, worker: Worker) -> None:
    holder = worker("hold", tmp_path, "characters/a.json")
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    lock = FileEngine.open(tmp_path).locks.lock_of("characters/b.json")
    for _ in range(3):
        started = time.monotonic()
        with pytest.raises(BusyError) as caught, lock.hold(150):
            pass
        assert started + 0.15 <= time.monotonic()
        assert caught.value.details == {"path": "characters/.lock", "pid": holder.pid, "waitedMs": 150}
        assert "characters/.lock" in caught.value.message
        assert str(holder.pid) in caught.value.message
    assert sum(thread.name == "lock-waiter" for thread in threading.enumerate()) == 1
    assert lock.probe() is False
    holder.kill()
    holder.wait()
    with lock.hold(2000):  # the abandoned waiter gave back what it got
        pass
    assert lock.probe() is True


def test_gate_lets_the_exclusive_one_in_although_readers_never_pause(tmp_path: Path, worker: Worker) -> None:
    readers = [worker("share", tmp_path, 20) for _ in range(4)]
    for reader in readers:
        assert reader.stdout is not None
        assert reader.stdout.readline() == "sharing\n"
    gate = FileEngine.open(tmp_path).locks.gate
    for _ in range(5):
        with gate.exclusive(5000):
            assert all(reader.poll() is None for reader in readers)


def test_lock_of_a_forked_parent_is_not_the_childs(tmp_path: Path) -> None:
    locks = FileEngine.open(tmp_path).locks
    lock = locks.lock_of("a.json")
    with lock.hold():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # newer Pythons warn: that is why nobody forks here
            pid = os.fork()
        if pid == 0:
            with pytest.raises(BusyError), lock.hold(100):
                pass
            os._exit(7)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 7
        with pytest.raises(InternalError), lock.hold():
            pass


def test_threads_share_commits_and_each_gets_its_own_answer(tmp_path: Path) -> None:
    journal = FileEngine.open(tmp_path).journal("log.jsonl")
    answers: dict[int, object] = {}

    def write(number: int) -> None:
        def work(batch: Batch) -> int:
            if number % 5 == 0:
                batch.stage({"id": f"dropped-{number}"})
                raise ValueError(number)
            batch.stage({"id": str(number)})
            return number

        try:
            answers[number] = journal.commit(work)
        except ValueError as error:
            answers[number] = error.args[0] * -1

    threads = [threading.Thread(target=write, args=(number,)) for number in range(1, 101)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert answers == {number: -number if number % 5 == 0 else number for number in range(1, 101)}
    assert sorted(ids_in(tmp_path), key=int) == [str(number) for number in range(1, 101) if number % 5]


def test_document_is_never_seen_half_written(tmp_path: Path, worker: Worker) -> None:
    editor = worker("edit", tmp_path, 0, 300)
    seen = 0
    while editor.poll() is None:
        try:
            seen = json.loads((tmp_path / "counter.json").read_bytes())["n"]
        except FileNotFoundError:
            continue
    assert editor.returncode == 0
    assert seen <= 300
