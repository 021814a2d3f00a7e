"""Pull the plug of a real file system under load, many times: what was promised before is there afterwards.

A small image is loop-mounted and told by the kernel to stop at once, without writing out anything more (the call that
ext4 and XFS have for their own tests of this): all that had not reached the device is gone. Then it is mounted again.
"""

from __future__ import annotations

import json
import random
import shutil
import sqlite3
import subprocess
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from metadata.errors import CalotypeError
from tests.crash.disks import mounted
from tests.crash.endless import check
from tests.crash.states.promises import later_boot

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.crash.disks import Disk

    Counts = Callable[[int, int, int], int]
    Promise = Callable[[str, int, int], None]

pytestmark = [pytest.mark.heavy, pytest.mark.timeout(3_600)]


@pytest.fixture(params=["ext4", "xfs"])
def disk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Disk]:
    """A disk of each kind, mounted."""
    made = mounted(tmp_path, request.param)
    yield made
    made.leave()


def test_what_was_promised_survives_power_cuts(
    disk: Disk, tmp_path: Path, counts: Counts, promise: Promise, request: pytest.FixtureRequest
) -> None:
    cuts = counts(2, 20, 300)
    found = [_outcome(disk, tmp_path, seed) for seed in range(cuts)]
    bad = [f"cut {seed}: {why}" for seed, (_, why) in enumerate(found) if why]
    promise(f"power cuts, {request.node.callspec.params['disk']}", cuts, len(bad))
    assert bad == []
    assert sum(promised for promised, _ in found) > 10 * cuts


def test_it_finds_what_is_broken(disk: Disk, tmp_path: Path) -> None:
    """Negative control: without syncs, a cut loses what was promised."""
    lost = 0
    for seed in range(6):
        try:
            _cut_once(disk, tmp_path, seed, "no sync of files,no sync of directories")
        except Exception:  # noqa: BLE001 - a store that lost its files may fail in any way
            lost += 1
            break
    assert lost, "nothing was ever lost without syncs: the cuts cut nothing"


def _outcome(disk: Disk, tmp_path: Path, seed: int) -> tuple[int, str]:
    """Cut once; return how many promises there were, and why they were not all kept."""
    try:
        return _cut_once(disk, tmp_path, seed), ""
    except (AssertionError, CalotypeError) as error:
        return 0, str(error) or repr(error)


def _cut_once(disk: Disk, tmp_path: Path, seed: int, broken: str = "") -> int:
    """Write under load, cut, mount again and check; return how many promises there were."""
    folder, promises = disk.mount_point / f"store-{seed}", tmp_path / f"promises-{seed}"
    promises.touch()
    command = [sys.executable, "-m", "tests.crash.endless", str(folder), str(promises), str(seed), broken]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        try:
            _wait_for(promises, lines=random.Random(seed).randint(20, 120))  # noqa: S311 - when the plug is pulled
            # Read before the cut: a sync that is cut off in the middle may claim success.
            known = [json.loads(line) for line in promises.read_text().splitlines()]
            disk.cut()
        finally:
            process.kill()
    disk.unmount()
    disk.mount()
    with suppress(sqlite3.Error):  # the index may be anything; a store that it spoils fails below
        later_boot(folder / "cache")
    check(folder, known)
    shutil.rmtree(folder)
    return len(known)


def _wait_for(promises: Path, lines: int) -> None:
    deadline = time.monotonic() + 60
    while promises.read_bytes().count(b"\n") < lines:
        assert time.monotonic() < deadline, "the writers do not get on"
        time.sleep(0.01)
