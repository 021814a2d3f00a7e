"""Payloads in a folder, in processes of their own: bounded memory, and kills at any moment."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from assets.blobs.local import LocalBlobs
from assets.digest import digest_of
from metadata.clock import SystemClock
from metadata.files.filesystem import FileSystem
from metadata.files.paths import DataPaths

CHECKOUT = Path(__file__).parents[3]


def test_memory_does_not_grow_with_the_upload(root: Path) -> None:
    script = """
import resource, sys
from pathlib import Path
from assets.blobs.local import LocalBlobs
from metadata.clock import SystemClock
from metadata.files.filesystem import FileSystem
from metadata.files.paths import DataPaths
blobs = LocalBlobs(FileSystem(), DataPaths(Path(sys.argv[1])), SystemClock(), sync=False)
chunk = bytes(64 * 1024)
def upload(chunks):
    with blobs.stage() as staging:
        for _ in range(chunks):
            staging.write(chunk)
        blobs.publish(staging.finish())
def peak():
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # On Linux a child inherits ru_maxrss of the process which started it: that would hide what it takes itself.
    return next(int(line.split()[1]) * 1024 for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
upload(16)
before = peak()
upload(2048)
print(peak() - before)
"""
    done = subprocess.run(
        [sys.executable, "-c", script, str(root)], cwd=CHECKOUT, capture_output=True, text=True, check=True
    )
    assert int(done.stdout) < 2 * 1024 * 1024


PUBLISH_FOREVER = """
import sys
from pathlib import Path
from assets.blobs.local import LocalBlobs
from metadata.clock import SystemClock
from metadata.files.filesystem import FileSystem
from metadata.files.paths import DataPaths
blobs = LocalBlobs(FileSystem(), DataPaths(Path(sys.argv[1])), SystemClock())
number = 0
while True:
    with blobs.stage() as staging:
        for _ in range(20):
            staging.write(b"%06d" % number * 500)
        staged = staging.finish()
    blobs.publish(staged)
    print(staged.digest, flush=True)
    number += 1
"""


def test_killed_at_any_moment_every_published_payload_is_whole_and_the_rest_is_swept(root: Path) -> None:
    for _round in range(5):
        process = subprocess.Popen(
            [sys.executable, "-c", PUBLISH_FOREVER, str(root)], cwd=CHECKOUT, stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        told = [process.stdout.readline().strip() for _ in range(10 + 3 * _round)]
        process.kill()
        told += [line.strip() for line in process.communicate()[0].splitlines() if len(line.strip()) == 64]
        blobs = LocalBlobs(FileSystem(), DataPaths(root), SystemClock())
        blobs.sweep_staging()
        for digest in blobs.scan():
            assert digest_of(blobs.path(digest).read_bytes()) == digest
        assert set(told) <= set(blobs.scan())
        assert [path for path in (root / "uploads").iterdir() if path.is_dir()] == []
