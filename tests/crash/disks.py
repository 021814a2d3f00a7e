"""Small file systems of their own for tests: images that are loop-mounted, or memory."""

from __future__ import annotations

import array
import fcntl
import os
import shutil
import subprocess
import time
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

SHUTDOWN = 0x8004587D  # EXT4_IOC_SHUTDOWN and XFS_IOC_GOINGDOWN
WITHOUT_THE_LOG = 2
SIZES = {"ext4": 64 << 20, "xfs": 320 << 20, "btrfs": 256 << 20, "tmpfs": 48 << 20}
QUOTA = 48 << 20
"""The most that the mounted part of a btrfs may hold: a quota that root is under, too."""
# No blocks kept for root, so that full is full for it too.
FORMAT = {"ext4": ("-F", "-m", "0"), "xfs": ("-f",), "btrfs": ("-f",)}
PACKAGES = {"ext4": "e2fsprogs", "xfs": "xfsprogs", "btrfs": "btrfs-progs"}
_PATH = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin"


class Disk:
    """A file system that can be full, or lose its power.

    Args:
        place: a folder for the image and the mount point.
        kind: ext4, xfs, btrfs with a quota, or tmpfs.

    Attributes:
        copies: writes even what it overwrites to a new place. Without room it ends whoever changes a mapped page by
            SIGBUS, as those do who have an SQLite database in WAL mode open there.
    """

    def __init__(self, place: Path, kind: str) -> None:
        self.mount_point = place / "mounted"
        self._image = place / "image"
        self._kind = kind
        self.copies = kind == "btrfs"
        self.mount_point.mkdir()
        if kind == "tmpfs":
            return
        with self._image.open("wb") as file:
            file.truncate(SIZES[kind])
        _run(f"mkfs.{kind}", "-q", *FORMAT[kind], str(self._image))
        if kind == "btrfs":
            self._limit()

    def mount(self) -> None:
        """Mount it; the file system finishes what its log holds."""
        if self._kind == "tmpfs":
            _run("mount", "-t", "tmpfs", "-o", f"size={SIZES[self._kind]}", "tmpfs", str(self.mount_point))
        else:
            options = "loop,subvol=part" if self._kind == "btrfs" else "loop"
            _run("mount", "-o", options, str(self._image), str(self.mount_point))

    def _limit(self) -> None:
        """Make the part that will be mounted, and its quota."""
        whole = str(self.mount_point)
        _run("mount", "-o", "loop", str(self._image), whole)
        try:
            _run("btrfs", "quota", "enable", whole)
            _run("btrfs", "subvolume", "create", f"{whole}/part")
            _run("btrfs", "qgroup", "limit", str(QUOTA), f"{whole}/part")
        finally:
            self.unmount()

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


def mounted(place: Path, kind: str) -> Disk:
    """Return a mounted disk of this kind; where there can be none, the test is skipped with the reason."""
    if os.geteuid() != 0:
        pytest.skip("only root may mount")
    if kind in FORMAT and shutil.which(f"mkfs.{kind}", path=_PATH) is None:
        pytest.skip(f"mkfs.{kind} is not installed (Debian: apt-get install {PACKAGES[kind]})")
    try:
        disk = Disk(place, kind)
        disk.mount()
    except subprocess.CalledProcessError as error:
        pytest.skip(f"{kind} cannot be mounted here: {error.stderr.decode().strip()}")
    return disk


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True, env={**os.environ, "PATH": _PATH})
