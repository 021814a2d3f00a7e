"""Parsed documents kept in memory, each believed only while the file is exactly the one it was read from."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .codec import Check
    from .identity import FileIdentity

_LIMIT_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Document:
    """A whole-file document as it was read.

    Attributes:
        value: any JSON value, without `_crc`; the reader's own copy.
        identity: the file it was read from.
        check: what its check value says.
    """

    value: Any
    identity: FileIdentity
    check: Check


class DocumentCache:
    """Documents by path, the least recently used ones dropped when they are too many bytes.

    Args:
        enabled: False keeps nothing.
        limit_bytes: how many bytes of files it stands for at most.
    """

    def __init__(self, *, enabled: bool = True, limit_bytes: int = _LIMIT_BYTES) -> None:
        self.enabled = enabled
        self._limit = limit_bytes
        self._bytes = 0
        self._known: OrderedDict[str, Document] = OrderedDict()
        self._mutex = threading.Lock()
        self._hits = 0
        self._misses = 0

    def get(self, path: str, identity: FileIdentity) -> Document | None:
        """Return the document if the file is still this one; its value is a copy."""
        with self._mutex:
            found = self._known.get(path)
            if found is None or found.identity != identity:
                self._misses += self.enabled
                return None
            self._known.move_to_end(path)
            self._hits += 1
        return Document(copied(found.value), found.identity, found.check)

    def put(self, path: str, document: Document, read_at_ns: int | None = None) -> None:
        """Keep a document, unless its file is so young that a change may not show.

        Args:
            path: the relative path.
            document: its value is copied.
            read_at_ns: when it was read, nanoseconds since 1970; None is now.
        """
        now = time.time_ns() if read_at_ns is None else read_at_ns
        size = document.identity.size
        if not self.enabled or size > self._limit or document.identity.racy(now):
            return
        kept = Document(copied(document.value), document.identity, document.check)
        with self._mutex:
            self._remove(path)
            self._known[path] = kept
            self._bytes += size
            while self._bytes > self._limit:
                self._remove(next(iter(self._known)))

    def forget(self, path: str) -> None:
        """Drop one document."""
        with self._mutex:
            self._remove(path)

    def clear(self) -> None:
        """Drop all."""
        with self._mutex:
            self._known.clear()
            self._bytes = 0

    def stats(self) -> dict[str, int | bool]:
        """Return `size` (documents), `bytes`, `enabled`, `hits` and `misses`."""
        with self._mutex:
            counts = {"hits": self._hits, "misses": self._misses}
            return {"size": len(self._known), "enabled": self.enabled, "bytes": self._bytes, **counts}

    def _remove(self, path: str) -> None:
        gone = self._known.pop(path, None)
        if gone is not None:
            self._bytes -= gone.identity.size


def copied(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """Return a copy of a JSON value that shares nothing that can change, however deep the parser let it be."""
    whole = [value]
    pending: list[Any] = [whole]
    while pending:
        part = pending.pop()
        for place, member in part.items() if isinstance(part, dict) else enumerate(part):
            if isinstance(member, dict | list):
                part[place] = member.copy()
                pending.append(part[place])
    return whole[0]
