"""The hash of a stored payload, from its bytes as they are now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from metadata.errors import UnreadableError
from metadata.files.trouble import told

from ..digest import Hasher
from . import layout

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..digest import Digest
    from .base import BlobStore

_CHUNK = 1024 * 1024


def hash_of(blobs: BlobStore, digest: Digest, passed: Callable[[int], None] = lambda _: None) -> Digest:
    """Return the hash of what is stored under a digest; `passed` is told of every piece read, in bytes.

    Raises:
        NotFoundError: there is no such payload.
        UnreadableError: the system refuses it.
    """
    hasher = Hasher()
    with told(layout.relative_path(digest), "read"), blobs.open(digest) as source:
        while chunk := source.read(_CHUNK):
            hasher.update(chunk)
            passed(len(chunk))
    return hasher.digest()


def is_rotten(blobs: BlobStore, digest: Digest) -> bool:
    """Tell whether a stored payload is not what its name says, or cannot even be read.

    Raises:
        NotFoundError: there is no such payload.
    """
    try:
        return hash_of(blobs, digest) != digest
    except UnreadableError:
        return True
