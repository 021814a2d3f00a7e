"""Pull the plug of a real file system under load, many times: what was promised before is there afterwards.

A small image is loop-mounted and told by the kernel to stop at once, without writing out anything more (the call that
ext4 and XFS have for their own tests of this): all that had not reached the device is gone. Then it is mounted again.
"""

from __future__ import annotations

import array
import fcntl
import json
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from tests.crash.endless import check
from tests.crash.states.promises import later_boot

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.heavy, pytest.mark.timeout(3_600)]
SHUTDOWN = 0x8004587D  # EXT4_IOC_SHUTDOWN and XFS_IOC_GOINGDOWN
WITHOUT_THE_LOG = 2
SIZES = {"ext4": 64 << 20, "xfs": 320 << 20}
FORCE = {"ext4": "-F", "xfs": "-f"}
_PATH = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin"


class Disk:
    """A file system on an image that can lose its power."""

    def __init__(self, place: Path, kind: str) -> None:
        self.mount_point = place / "mounted"
        self._image = place / "image"
        self.mount_point.mkdir()
        with self._image.open("wb") as file:
            file.truncate(SIZES[kind])
        _run(f"mkfs.{kind}", "-q", FORCE[kind], str(self._image))

    def mount(self) -> None:
        """Mount it; the file system finishes what its log holds."""
        _run("mount", "-o", "loop", str(self._image), str(self.mount_point))

    def cut(self) -> None:
        """Stop it at once."""
        descriptor = os.open(self.mount_point, os.O_RDONLY)
        fcntl.ioctl(descriptor, SHUTDOWN, array.array("I", [WITHOUT_THE_LOG]))
        os.close(descriptor)

    def unmount(self) -> None:
        """Take it off; descriptors of a killed process may take a moment to go."""
        deadline = time.monotonic() + 30
        while subprocess.run(["umount", str(self.mount_point)], capture_output=True, check=False).returncode:
            assert time.monotonic() < deadline, "it cannot be unmounted"
            time.sleep(0.05)

    def leave(self) -> None:
        """Take it off whatever still uses it, if it is there."""
        subprocess.run(["umount", "--lazy", str(self.mount_point)], capture_output=True, check=False)


@pytest.fixture(params=["ext4", "xfs"])
def disk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Disk]:
    """A disk of each kind, mounted."""
    kind: str = request.param
    if os.geteuid() != 0:
        pytest.skip("only root may mount")
    if shutil.which(f"mkfs.{kind}", path=_PATH) is None:
        pytest.skip(
            f"mkfs.{kind} is not installed (Debian: apt-get install {'xfsprogs' if kind == 'xfs' else 'e2fsprogs'})"
        )
    made = Disk(tmp_path, kind)
    try:
        made.mount()
    except subprocess.CalledProcessError as error:
        pytest.skip(f"images cannot be mounted here: {error.stderr.decode().strip()}")
    yield made
    made.leave()


def test_what_was_promised_survives_power_cuts(disk: Disk, tmp_path: Path, scale: int) -> None:
    cuts = 2 * scale if scale < 50 else 6 * scale
    promised = sum(_cut_once(disk, tmp_path, seed) for seed in range(cuts))
    print(f"{cuts} power cuts, {promised} promises, 0 bad")  # noqa: T201 - the figure that the reliability page names
    assert promised > 10 * cuts


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


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True, env={**os.environ, "PATH": _PATH})
