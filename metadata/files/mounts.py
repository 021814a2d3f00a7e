"""Which file system a folder lies on: network file systems do not keep the promises that locks and syncs rest on."""

from __future__ import annotations

import re
from pathlib import Path

_MOUNTS = Path("/proc/self/mountinfo")
_ESCAPED = re.compile(r"\\([0-7]{3})")

NETWORK = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "ncpfs", "afs", "9p", "ceph", "lustre", "glusterfs", "ocfs2", "gfs2"}
    | {"fuse.sshfs", "fuse.glusterfs", "fuse.rclone", "fuse.s3fs", "fuse.gcsfuse", "fuse.davfs", "davfs", "beegfs"}
)
"""Type names of file systems whose bytes or locks are on another machine (Linux, `proc_pid_mountinfo(5)`)."""


def network_file_system(folder: Path, mounts: Path = _MOUNTS) -> str | None:
    """Return the type of the network file system that a folder lies on, None when it is local or not known.

    Args:
        folder: an existing folder, or one whose parents exist.
        mounts: the kernel's table of mounts; absent elsewhere than on Linux.
    """
    try:
        table = mounts.read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return None
    real = folder.resolve()
    under = [(point, kind) for point, kind in map(_entry, table.splitlines()) if real.is_relative_to(point)]
    # Of the mounts above a folder the deepest one holds it, and of several at one point the last one made.
    kind = max(enumerate(under), key=lambda found: (len(found[1][0].parts), found[0]))[1][1] if under else ""
    return kind if kind in NETWORK else None


def _entry(line: str) -> tuple[Path, str]:
    before, _, after = line.partition(" - ")
    point = _ESCAPED.sub(lambda code: chr(int(code[1], 8)), before.split(" ")[4])
    return Path(point), after.split(" ")[0]
