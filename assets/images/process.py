"""One decoding process, seen from the process that uses it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Final

from metadata.errors import (
    BusyError,
    CalotypeError,
    FullError,
    InternalError,
    InvalidError,
    UnsupportedError,
    UnwrittenError,
)

from .limits import too_slow

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .limits import Limits

_ANSWER_BYTES: Final = 64 * 1024
_ENDS_WITHIN_S: Final = 2.0
_KINDS: Final = {kind.kind: kind for kind in (InvalidError, UnsupportedError, FullError, UnwrittenError)}
_MODULE: Final = "assets.images.worker"

_KEPT_BYTES: Final = str(32 * 1024 * 1024)
_FROM_OUTSIDE: Final = frozenset({signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP})
"""What neither a decoder's crash nor one of the limits set here ends a process with: a system that has no memory left
does, or whoever stops the service."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a job.

    Attributes:
        done: what the job tells.
        peak_bytes: the most memory the process has had so far.
    """

    done: Mapping[str, object]
    peak_bytes: int


class Process:
    """A decoding process with nothing of this one's: its environment is empty, its descriptors are what jobs bring.

    Start it from a thread that lasts: Linux ends the process with the thread that started it.

    Args:
        limits: what one picture may ask of it.

    Attributes:
        usable: it lives and may be given another job.
        lost: a picture ended it, or was too slow for it to be kept.
    """

    def __init__(self, limits: Limits) -> None:
        self._seconds = limits.seconds
        self._line, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
                [sys.executable, "-P", "-m", _MODULE, str(os.getpid()), json.dumps(asdict(limits))],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=_environment(),
                cwd="/",
            )
        self.usable = True
        self.lost = False

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether the process is still there."""
        return self._process.poll() is None

    def ask(self, job: Mapping[str, object], descriptors: Sequence[int]) -> Answer:
        """Have a job done; afterwards the process may be of no more use, see `usable`.

        Args:
            job: what to do.
            descriptors: open files it may use, in the order the job needs them.

        Raises:
            UnsupportedError, InvalidError: what the job says of the picture; or it took too long, or the process
                ended over it.
            FullError, UnwrittenError: there is no room for the result, or the system refuses it.
            BusyError: the process was ended from outside, which says nothing of the picture.
            InternalError: a mistake of ours, with the process's traceback.
        """
        self.usable = False  # until all of the answer is there
        self._line.settimeout(self._seconds)
        try:
            socket.send_fds(self._line, [json.dumps(job).encode() + b"\n"], list(descriptors))
            return self._answer()
        except TimeoutError:
            self.lost = True
            raise too_slow(self._seconds) from None
        except OSError as error:
            raise self._ended() from error

    def end(self) -> None:
        """End the process and wait for that; doing so again does nothing."""
        self.usable = False
        self._line.close()
        self._process.kill()
        self._process.wait()

    def _answer(self) -> Answer:
        text = b""
        while not text.endswith(b"\n"):
            piece = self._line.recv(_ANSWER_BYTES)
            text += piece
            if not piece or len(text) > _ANSWER_BYTES:
                raise self._ended()
        told = json.loads(text)
        self.usable = not told["spent"]
        if "done" in told:
            return Answer(told["done"], told["peakBytes"])
        if "mistake" in told:
            raise InternalError(f"A decoding process made a mistake:\n{told['mistake']}")
        raise _KINDS.get(told["error"], InternalError)(told["message"], **told["details"])

    def _ended(self) -> CalotypeError:
        """Return the error of a process that ended by itself, by a limit or by a crash of a decoder."""
        self.lost = True
        try:
            status = self._process.wait(_ENDS_WITHIN_S)
        except subprocess.TimeoutExpired:
            status = 0
        if -status in _FROM_OUTSIDE:
            return BusyError(
                "The program that decodes pictures was ended from outside, perhaps because the machine has no memory "
                "left. Another one takes its place; try again in a moment.",
                exitStatus=status,
            )
        if -status == signal.SIGXCPU:
            return too_slow(self._seconds)
        return InvalidError(
            "The picture brought the program down that decodes pictures, so it is damaged or made to do that. Another "
            "program has taken its place.",
            exitStatus=status,
        )


def _environment() -> dict[str, str]:
    """Return what the interpreter needs to find the same modules, and nothing else."""
    return {
        "PYTHONPATH": os.pathsep.join(place for place in sys.path if place),
        "PYTHONDONTWRITEBYTECODE": "1",
        "LANG": "C.UTF-8",
        "MALLOC_ARENA_MAX": "2",
        # Memory is kept for the next picture: fetching it anew is a seventh of what a small one costs. A process that
        # had a large one is not kept, and an idle one ends.
        "MALLOC_MMAP_THRESHOLD_": _KEPT_BYTES,
        "MALLOC_TRIM_THRESHOLD_": _KEPT_BYTES,
    }
