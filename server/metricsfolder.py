"""The folder in which the workers of one server keep their counters, for as long as it runs."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

SHARED_IN = "PROMETHEUS_MULTIPROC_DIR"
"""The variable by which `prometheus_client` knows the folder; it is read when the library is imported."""

_FOLDERS = "calotype-metrics-"


@contextmanager
def shared_folder() -> Iterator[Path]:
    """Make a folder for workers to share and remove it at the end; folders whose makers were killed go first.

    The maker keeps a lock on its folder, which the kernel frees when it dies.
    """
    _remove_abandoned()
    folder, descriptor = _locked_folder()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(descriptor)


def _locked_folder() -> tuple[Path, int]:
    while True:
        folder = Path(tempfile.mkdtemp(prefix=_FOLDERS))
        descriptor = os.open(folder, os.O_RDONLY)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        if folder.exists():  # else another start took it for abandoned before it was locked
            return folder, descriptor
        os.close(descriptor)


def _remove_abandoned() -> None:
    for folder in Path(tempfile.gettempdir()).glob(f"{_FOLDERS}*"):
        try:
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        except OSError:  # somebody else's, or just gone
            continue
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            continue
        else:
            shutil.rmtree(folder, ignore_errors=True)
        finally:
            os.close(descriptor)
