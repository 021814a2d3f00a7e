"""Do one operation in a child process whose file system fails, and tell what it said."""

from __future__ import annotations

import itertools
import os
import random
import resource
import shutil
import signal
import traceback
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from calotype import LocalStore
from metadata.errors import CalotypeError
from metadata.files.filesystem import FileSystem
from server.configuration import load_settings
from server.wiring import open_store
from tests.crash.states.operations import WHOLE
from tests.crash.states.workload import Snapshot, snapshot

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

DONE, REFUSED, BROKEN = 0, 3, 4
PATIENCE_S = 60
_CALLS = (
    *("open", "read", "pread", "write", "pwrite", "ftruncate", "fsync", "fdatasync", "fstat", "stat", "chmod"),
    *("fchmod", "rename", "unlink", "rmdir", "mkdir", "scandir"),
)
_START = datetime.now(UTC) + timedelta(hours=1)
_SECRET = frozenset({"tokenHash", "sessionToken", "ciphertext", "iv", "authTag"})


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong.

    Attributes:
        call: at which call on the data folder, counted from 1; 0: at none.
        errno: the error.
        lasting: all later calls fail too.
        longest: no file may grow beyond this many bytes; None: any length.
    """

    call: int = 0
    errno: int = 0
    lasting: bool = False
    longest: int | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it.

    Attributes:
        said: `DONE`, `REFUSED` (one of our errors), or `BROKEN`: another error, or it hung and was killed.
        calls: how many calls it made on the data folder.
        trace: the error that is not ours.
    """

    said: int
    calls: int
    trace: str


class SameIds:
    """The same ids in every run."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)  # noqa: S311 - not for secrets

    def new(self) -> str:
        """Return the next."""
        return str(uuid.UUID(int=self._chance.getrandbits(128), version=4))


class SameTime:
    """A clock that goes on by a millisecond whenever it is asked, the same in every run."""

    def __init__(self) -> None:
        self._asked = itertools.count()

    def now(self) -> datetime:
        """Return a time later than that of any record."""
        return _START + timedelta(milliseconds=next(self._asked))

    def monotonic(self) -> float:
        """Return the next millisecond, in seconds."""
        return next(self._asked) / 1000


def attempt(folder: Path, ids: dict[str, str], operation: str, fault: Fault) -> Outcome:
    """Do an operation under a fault in a child process."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        signal.alarm(PATIENCE_S)  # a hang ends by this signal
        said, calls, trace = _attempt(folder, ids, operation, fault)
        os.write(writing, f"{calls}\n{trace}"[:60_000].encode())
        os._exit(said)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        made, _, trace = pipe.read().partition("\n")
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if status < 0:
        return Outcome(BROKEN, 0, f"killed by signal {-status}: it hung" if status == -signal.SIGALRM else str(status))
    return Outcome(status, int(made), trace)


def records_of(folder: Path) -> Snapshot:
    """Open a store on a sound file system and return its records, but for times and for what is drawn at random."""
    with opened(folder) as store:
        found = snapshot(store)
    return {name: {key: body[key] for key in body if not _varies(key)} for name, body in found.items()}


def opened(folder: Path, seed: int = 0) -> LocalStore:
    """Open a store that makes the same ids and times in every run with the same seed."""
    settings = load_settings({"DATA_DIR": str(folder), "CALOTYPE_MIN_FREE_BYTES": "0"}).settings
    return LocalStore(open_store(settings, clock=SameTime(), ids=SameIds(seed)))


def copied(template: Path, folder: Path) -> Path:
    """Return a fresh copy of a store, without its index, whose files are others."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(template, folder, ignore=shutil.ignore_patterns("cache"))
    return folder


def _varies(member: str) -> bool:
    return member in _SECRET or member.endswith("At")


def _attempt(folder: Path, ids: dict[str, str], operation: str, fault: Fault) -> tuple[int, int, str]:
    counted = itertools.count(1)
    calls = [0]
    try:
        store = opened(folder)
        _arm(fault, counted, calls)
        WHOLE[operation](store, ids)
    except CalotypeError:
        return REFUSED, calls[0], ""
    except BaseException:  # noqa: BLE001 - told to the parent, whatever it is
        return BROKEN, calls[0], traceback.format_exc()
    return DONE, calls[0], ""


def _arm(fault: Fault, counted: itertools.count[int], calls: list[int]) -> None:
    def failing(method: Callable[..., Any]) -> Callable[..., Any]:
        def call(self: FileSystem, *args: Any) -> Any:
            number = calls[0] = next(counted)
            if fault.call and (number == fault.call or (fault.lasting and number > fault.call)):
                raise OSError(fault.errno, os.strerror(fault.errno))
            return method(self, *args)

        return call

    for name in _CALLS:
        setattr(FileSystem, name, failing(getattr(FileSystem, name)))
    if fault.longest is not None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (fault.longest, resource.RLIM_INFINITY))
