"""What the operating system refuses, said as one of our errors."""

from __future__ import annotations

import errno
import os
import sys
import tempfile
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ..errors import CalotypeError, FullError, InvalidError, UnreadableError, UnwrittenError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT})
_READING = frozenset({"read", "listed", "looked at", "opened", "copied", "used"})
_LITTLE = 1 << 20
_FORBIDDEN = frozenset({errno.EACCES, errno.EPERM})


def as_ours(error: OSError, path: str | Path, doing: str) -> CalotypeError:
    """Return our error for a failed call.

    Args:
        error: what the operating system said.
        path: the file it was about.
        doing: what was tried, as in "written" or "read".
    """
    reason = error.strerror or str(error)
    if error.errno in _NO_ROOM:
        return FullError(f"{path} could not be {doing}: {reason}. Free some space and try again.", path=str(path))
    if error.errno == errno.ELOOP:
        return InvalidError(f"{path} is a symbolic link; links inside the data folder are refused.", path=str(path))
    if error.errno in _FORBIDDEN:
        reason += ". Let this user have it: chown or chmod u+rw"
    kind = UnreadableError if doing in _READING else UnwrittenError
    return kind(f"{path} could not be {doing}: {reason}.", path=str(path), errno=error.errno)


def has_room(folder: Path, size: int = _LITTLE) -> bool:
    """Tell whether the disk of a folder takes so many bytes more; nothing but trying tells of a quota."""
    try:
        with tempfile.TemporaryFile(dir=folder, buffering=0) as probe:
            if sys.platform == "linux":
                os.posix_fallocate(probe.fileno(), 0, size)
            else:
                probe.write(os.urandom(size))
    except OSError as error:
        return error.errno not in _NO_ROOM
    return True


@contextmanager
def told(path: str | Path, doing: str) -> Iterator[None]:
    """Turn every `OSError` of the block into our error about this path.

    Raises:
        FullError: no room.
        InvalidError: a symbolic link stands in the way.
        UnreadableError: anything else the system refused; UnwrittenError, if something was to be changed.
    """
    try:
        yield
    except OSError as error:
        raise as_ours(error, path, doing) from error
