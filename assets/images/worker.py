"""The decoding process: `python -m assets.images.worker`, started by `process.py` and by nothing else.

It gets its jobs over the socket that is its standard input: one line of JSON each, with the descriptors it may use;
it opens no path for a job. It ends with its parent, at once where the system can tell it (Linux), at its next look at
the socket elsewhere. What it may use of the machine is limited before the first byte of a picture is read.
"""

from __future__ import annotations

import ctypes
import json
import math
import os
import resource
import signal
import socket
import sys
import traceback
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from metadata.errors import CalotypeError
from metadata.files.trouble import told

from .derive import derive
from .glance import glance
from .limits import Limits, too_much_memory, too_slow
from .patience import Patience
from .variants import Fit, Format, Variant

if TYPE_CHECKING:
    from collections.abc import Mapping

JOB_BYTES: Final = 16 * 1024
"""The longest line of a job."""

_DESCRIPTORS: Final = 2
_DIE_WITH_PARENT: Final = 1  # PR_SET_PDEATHSIG, <linux/prctl.h>
_LARGEST_FILE: Final = 256 * 1024 * 1024
_SPENT_BYTES: Final = 256 * 1024 * 1024
_SPENT_JOBS: Final = 500
_MOVING_SHARE: Final = 0.6
_STATUS: Final = Path("/proc/self/status")


def main() -> None:
    """Work off jobs until the parent hangs up."""
    _die_with(int(sys.argv[1]))
    limits = Limits(**json.loads(sys.argv[2]))
    _restrict(limits)
    with socket.socket(fileno=os.dup(0)) as line:
        done = 0
        while (job := _next_job(line)) is not None:
            done += 1
            _budget(limits)
            answer = _work(job[0], limits, job[1])
            for descriptor in job[1]:
                os.close(descriptor)
            peak = _peak_bytes()
            spent = "spent" in answer or done >= _SPENT_JOBS or peak >= _SPENT_BYTES
            line.sendall(json.dumps({**answer, "peakBytes": peak, "spent": spent}).encode() + b"\n")


def _work(job: Mapping[str, Any], limits: Limits, descriptors: list[int]) -> dict[str, object]:
    try:
        return {"done": _WORKS[job["do"]](job, limits, descriptors)}
    except CalotypeError as error:
        return {"error": error.kind, "message": error.message, "details": error.details}
    except MemoryError:
        return {**_told(too_much_memory(limits.memory_bytes)), "spent": True}
    except TimeoutError:
        return _told(too_slow(limits.seconds))
    except Exception:  # noqa: BLE001 - the edge of a process: a mistake of ours must reach the log of the parent
        return {"mistake": traceback.format_exc()}


def _told(error: CalotypeError) -> dict[str, object]:
    return {"error": error.kind, "message": error.message, "details": error.details}


def _derive(job: Mapping[str, Any], limits: Limits, descriptors: list[int]) -> dict[str, object]:
    source, sink = descriptors
    variant = Variant(job["width"], job["height"], Fit(job["fit"]))
    with open(source, "rb", closefd=False) as file:
        # Most of the time, so that there is some left for a first frame.
        patience = None if job["still"] else Patience(limits.seconds * _MOVING_SHARE)
        picture = derive(file, job["mediaType"], variant, Format(job["format"]), limits, patience)
    with told("a smaller picture", "written"), open(sink, "wb", closefd=False) as out:
        out.write(picture.data)
    made = {"size": len(picture.data), "width": picture.width, "height": picture.height, "frames": picture.frames}
    return {**made, "cut": picture.cut}


def _glance(job: Mapping[str, Any], limits: Limits, descriptors: list[int]) -> dict[str, object]:
    with open(descriptors[0], "rb", closefd=False) as file:
        seen = glance(file, job["mediaType"], limits)
    return {
        "width": seen.width,
        "height": seen.height,
        "frames": seen.frames,
        "alpha": seen.alpha,
        "placeholder": seen.placeholder,
        "perceptualHash": seen.perceptual_hash,
    }


_WORKS: Final[Mapping[str, Any]] = {"derive": _derive, "glance": _glance}


def _next_job(line: socket.socket) -> tuple[Mapping[str, Any], list[int]] | None:
    """Wait for a job and its descriptors; None when the parent is gone."""
    text, descriptors = b"", []
    while not text.endswith(b"\n"):
        piece, passed, _, _ = socket.recv_fds(line, JOB_BYTES, _DESCRIPTORS)
        descriptors += passed
        text += piece
        if not piece or len(text) > JOB_BYTES:
            return None
    return json.loads(text), descriptors


def _peak_bytes() -> int:
    """Return the most memory this process had; what the system's own counter says began with the parent's."""
    if sys.platform == "darwin":
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    line = next(line for line in _STATUS.read_text(encoding="ascii").splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024


def _die_with(parent: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:  # it ended before it could be watched
        sys.exit(1)


def _restrict(limits: Limits) -> None:
    for what, most in (
        (resource.RLIMIT_AS, limits.memory_bytes),
        (resource.RLIMIT_FSIZE, _LARGEST_FILE),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, 64),
    ):
        with suppress(ValueError, OSError):  # a system without this limit, or with a lower one already
            resource.setrlimit(what, (most, most))


def _budget(limits: Limits) -> None:
    """Let the next job have as much processor time as it may take of the wall clock; the parent looks at that."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    soft = math.ceil(used.ru_utime + used.ru_stime + limits.seconds) + 1
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_CPU, (soft, resource.getrlimit(resource.RLIMIT_CPU)[1]))


if __name__ == "__main__":
    main()
