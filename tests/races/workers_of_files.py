"""What the processes of the file engine's races do; spawned processes find it by its path.

Run as `python workers_of_files.py <what> <arguments>`.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from metadata.files.engine import FileEngine
from metadata.store import JsonStore

if TYPE_CHECKING:
    from collections.abc import Callable


def edit(folder: str, number: str, count: str) -> None:
    """Add one to a counter, each time in a locked read-modify-write."""
    del number
    store = JsonStore(folder, lock_timeout=60_000)
    for _ in range(int(count)):
        with store.edit("counter.json", default={"n": 0}) as document:
            document["n"] += 1


def count_up(folder: str, number: str, count: str, way: str, seed: str) -> None:
    """Add one to this process's own counter in a document that all share, and print a sign once it is acknowledged.

    Ways: `plain`; `sleeping` or `dying` now and then inside the lock; `unlocked`, as nobody may do it.
    """
    store, chance = JsonStore(folder, lock_timeout=60_000), random.Random(seed)  # noqa: S311 - when it sleeps or dies
    for _ in range(int(count)):
        if way == "unlocked":
            document = dict(store.read_json("counters.json"))
            document[number] = document.get(number, 0) + 1
            store.write_json("counters.json", document)
        else:
            with store.edit("counters.json", default={}) as document:
                document[number] = document.get(number, 0) + 1
                if way == "sleeping" and chance.random() < 0.1:
                    time.sleep(0.005)
                if way == "dying" and chance.random() < 0.01:
                    os.kill(os.getpid(), signal.SIGKILL)
        print("+", end="", flush=True)  # noqa: T201 - the parent counts what was acknowledged


def append(folder: str, number: str, count: str) -> None:
    """Append durably, one record a commit, and print each id once it is acknowledged."""
    journal = FileEngine.open(Path(folder), lock_timeout_ms=60_000).journal("log.jsonl")
    for index in range(int(count)):
        record = {"id": f"{number}-{index}"}
        journal.commit(lambda batch, record=record: batch.stage(record))  # type: ignore[misc]  # mypy cannot type a default argument of a lambda
        print(record["id"], flush=True)  # noqa: T201 - the parent reads what was acknowledged


def compact(folder: str, number: str, count: str) -> None:
    """Compact the journal again and again."""
    del number
    journal = FileEngine.open(Path(folder), lock_timeout_ms=60_000).journal("log.jsonl")
    for _ in range(int(count)):
        journal.compact(iter)
        time.sleep(0.01)


def hold(folder: str, path: str) -> None:
    """Hold a document's lock until killed."""
    with FileEngine.open(Path(folder)).locks.lock_of(path).hold():
        print("held", flush=True)  # noqa: T201 - the parent waits for it
        signal.pause()


def share(folder: str, seconds: str) -> None:
    """Go through the gate shared, without a pause between two holds, for some seconds."""
    gate = FileEngine.open(Path(folder)).locks.gate
    print("sharing", flush=True)  # noqa: T201 - the parent waits for it
    end = time.monotonic() + float(seconds)
    while time.monotonic() < end:
        with gate.shared():
            time.sleep(0.002)


def sweep(folder: str, number: str, count: str) -> None:
    """Remove every lock file that nobody holds at the moment, again and again."""
    del number
    locks = FileEngine.open(Path(folder)).locks
    for _ in range(int(count)):
        locks.collect_leftovers(0, only_if_alone=False)


WORK: dict[str, Callable[..., None]] = {
    "edit": edit,
    "count_up": count_up,
    "append": append,
    "compact": compact,
    "hold": hold,
    "share": share,
    "sweep": sweep,
}

if __name__ == "__main__":
    WORK[sys.argv[1]](*sys.argv[2:])
