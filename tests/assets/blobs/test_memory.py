"""What only the store in memory does; the rest is in the contract."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from assets.blobs.local import LocalBlobs
from assets.blobs.memory import MemoryBlobs
from assets.digest import digest_of
from metadata.clock import SystemClock
from metadata.errors import InternalError, UnsupportedError
from metadata.files.filesystem import FileSystem
from metadata.files.paths import DataPaths

if TYPE_CHECKING:
    from pathlib import Path


def test_a_payload_in_memory_has_no_path() -> None:
    blobs = MemoryBlobs()
    with blobs.stage() as staging:
        staging.write(b"x")
        staged = staging.finish()
    blobs.publish(staged)
    assert blobs.stat(digest_of(b"x")).path is None
    with pytest.raises(UnsupportedError, match="open the payload instead"):
        blobs.path(digest_of(b"x"))


def test_bytes_staged_in_a_folder_are_refused(tmp_path: Path) -> None:
    with LocalBlobs(FileSystem(), DataPaths(tmp_path), SystemClock()).stage() as staging:
        staged = staging.finish()
    with pytest.raises(InternalError, match="another store"):
        MemoryBlobs().publish(staged)
