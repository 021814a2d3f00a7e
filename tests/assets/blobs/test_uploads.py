"""Staging of the dead is swept, that of the living never: real processes, really killed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from assets.blobs.uploads import Uploads
from metadata.clock import SystemClock
from metadata.files.filesystem import FileSystem
from metadata.files.paths import DataPaths

if TYPE_CHECKING:
    from assets.blobs.local import LocalBlobs

CHECKOUT = Path(__file__).parents[3]
STAGE_AND_WAIT = """
import sys
from pathlib import Path
from assets.blobs.local import LocalBlobs
from metadata.clock import SystemClock
from metadata.files.filesystem import FileSystem
from metadata.files.paths import DataPaths
blobs = LocalBlobs(FileSystem(), DataPaths(Path(sys.argv[1])), SystemClock())
staging = blobs.stage()
staging.write(b"half an upload")
staged = blobs.stage()
staged.write(b"a whole one")
kept = staged.finish()
print("staged", flush=True)
sys.stdin.read()
"""


def _process(root: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", STAGE_AND_WAIT, str(root)],
        cwd=CHECKOUT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "staged\n"
    return process


def _uploads(root: Path) -> list[str]:
    return sorted(path.name for path in (root / "uploads").iterdir())


def test_a_killed_process_is_swept_and_a_living_one_is_not(blobs: LocalBlobs, root: Path) -> None:
    living, killed = _process(root), _process(root)
    try:
        killed.kill()
        killed.communicate()
        assert len(_uploads(root)) == 6
        assert blobs.sweep_staging() == 2
        names = _uploads(root)
        assert len(names) == 3
        assert all(name.startswith(f"{living.pid}.") for name in names)
        assert blobs.sweep_staging() == 0
    finally:
        living.communicate("")
    assert _uploads(root) == []


def test_young_leftovers_wait_for_their_age(blobs: LocalBlobs, root: Path) -> None:
    killed = _process(root)
    killed.kill()
    killed.communicate()
    assert blobs.sweep_staging(older_than_s=3600) == 0
    assert len(_uploads(root)) == 3
    for path in (root / "uploads").iterdir():
        os.utime(path, (1, 1))
    assert blobs.sweep_staging(older_than_s=3600) == 2
    assert _uploads(root) == []


def test_names_that_are_not_ours_stay(blobs: LocalBlobs, root: Path) -> None:
    (root / "uploads").mkdir(exist_ok=True)
    (root / "uploads" / "notes.txt").write_text("mine")
    assert blobs.sweep_staging() == 0
    assert _uploads(root) == ["notes.txt"]


def test_no_staging_area_is_nothing_to_sweep(blobs: LocalBlobs) -> None:
    assert blobs.sweep_staging() == 0


def test_one_process_claims_once_and_a_store_gone_leaves_nothing(root: Path) -> None:
    uploads = Uploads(FileSystem(), DataPaths(root), SystemClock())
    first, claim = uploads.new_directory()
    second, same = uploads.new_directory()
    assert claim is same
    assert {first.name.rsplit(".", 1)[0], second.name.rsplit(".", 1)[0]} == {claim.owner}
    other = Uploads(FileSystem(), DataPaths(root), SystemClock())
    assert other.sweep(0) == 0
    del uploads
    assert other.sweep(0) == 0, "the claim still holds"
    del claim, same
    assert other.sweep(0) == 2
    assert _uploads(root) == []


def test_a_forked_child_leaves_its_parents_staging_alone(blobs: LocalBlobs, root: Path) -> None:
    script = """
import os, sys
from pathlib import Path
from assets.blobs.local import LocalBlobs
from metadata.clock import SystemClock
from metadata.files.filesystem import FileSystem
from metadata.files.paths import DataPaths
blobs = LocalBlobs(FileSystem(), DataPaths(Path(sys.argv[1])), SystemClock())
staging = blobs.stage()
staging.write(b"the parent's")
uploads = Path(sys.argv[1], "uploads")
before = {path.name for path in uploads.iterdir()}
child = os.fork()
if child == 0:
    own = blobs.stage()
    mine = {path.name for path in uploads.iterdir()} - before
    assert all(name.startswith(f"{os.getpid()}.") for name in mine), mine
    sys.exit(0 if len(mine) == 2 else 1)
assert os.waitpid(child, 0)[1] == 0
assert {path.name for path in uploads.iterdir()} == before
staging.write(b" own")
staged = staging.finish()
assert blobs.publish(staged)
print(blobs.open(staged.digest).read().decode())
"""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script, str(root)],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "the parent's own\n", done.stderr
    assert _uploads(root) == []
    assert blobs.sweep_staging() == 0
