"""The names of payloads in a data folder: `binaries/<sha256>/raw`, and `uploads/` while they are on their way in.

A staged upload is the directory `uploads/<pid>.<8 hex>.<16 hex>` holding `raw`. Its first two parts name the owner:
`uploads/<pid>.<8 hex>.lock` is a file on which the owning process keeps an flock for as long as it may have anything
staged. The kernel drops that lock with the process, so whether an owner lives is a question with an exact answer, in
containers with process ids of their own too.
"""

from __future__ import annotations

import re
import secrets
from typing import TYPE_CHECKING, Final

from metadata.errors import InvalidError

from ..digest import Digest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

BINARIES: Final = "binaries"
UPLOADS: Final = "uploads"
QUARANTINE: Final = "quarantine"
RAW: Final = "raw"
_STAGED = re.compile(r"(?P<owner>\d{1,10}\.[0-9a-f]{8})\.[0-9a-f]{16}")
_DERIVED = re.compile(r"[0-9a-z-]{2,40}\.r(?P<recipe>[0-9a-z-]{1,40})\.(?:jpg|png|webp|avif)")
_OWNER_LOCK = re.compile(r"(?P<owner>\d{1,10}\.[0-9a-f]{8})\.lock")


def relative_path(digest: Digest) -> str:
    """Return where a payload lies below the data folder, as records hold it in `relativePath`."""
    return f"{BINARIES}/{digest}/{RAW}"


def new_owner(pid: int) -> str:
    """Name one store object of one process, for all it will stage."""
    return f"{pid}.{secrets.token_hex(4)}"


def owner_lock(owner: str) -> str:
    """Return the name of the owner's lock file inside `uploads/`."""
    return f"{owner}.lock"


def new_staged(owner: str) -> str:
    """Name one staged directory of an owner."""
    return f"{owner}.{secrets.token_hex(8)}"


def owner_of(name: str) -> str | None:
    """Return the owner of an entry of `uploads/`, or None for a name that is not ours."""
    match = _STAGED.fullmatch(name) or _OWNER_LOCK.fullmatch(name)
    return match["owner"] if match else None


def set_aside(digest: Digest, unix_seconds: int) -> str:
    """Name the place in `quarantine/` of a payload directory that is not what its name says."""
    return f"{digest}.{unix_seconds}.{secrets.token_hex(4)}"


def derived(variant: str, recipe: str, extension: str) -> str:
    """Name the file of a derived picture beside the `raw` it comes from."""
    return f"{variant}.r{recipe}.{extension}"


def recipe_of(name: str) -> str | None:
    """Return the recipe that a file beside `raw` was made by, or None for a name that derived pictures do not have."""
    match = _DERIVED.fullmatch(name)
    return match["recipe"] if match else None


def digests(names: Iterable[str]) -> Iterator[Digest]:
    """Pick the payload directories out of the names in `binaries/`; the journals beside them are passed over."""
    for name in names:
        try:
            yield Digest(name)
        except InvalidError:
            continue
