"""The SHA-256 of a payload as a value, and the hasher that makes one in the same pass that moves the bytes."""

from __future__ import annotations

import base64
import hashlib
import re
from typing import Self

from metadata.errors import InvalidError

DIGEST_LENGTH = 64
_HEX = re.compile(r"[0-9a-f]{64}")


class Digest(str):
    """64 lower-case hex digits, checked once, here; a `str` everywhere else, so it goes into JSON and paths as it is.

    Raises:
        InvalidError: the text is anything else. Upper case is not canonical and is refused.
    """

    __slots__ = ()

    def __new__(cls, text: str) -> Self:
        """Check the text and take it."""
        if not is_digest(text):
            shown = text if len(text) <= DIGEST_LENGTH else f"{text[:DIGEST_LENGTH]}…"
            raise InvalidError(f"{shown!r} is not a SHA-256 as 64 lower-case hex digits.", field="sha256")
        return super().__new__(cls, text)

    @property
    def shard(self) -> int:
        """The payload's shard, 0 to 255: the first byte of the hash."""
        return int(self[:2], 16)

    @property
    def base64(self) -> str:
        """The 32 bytes in base64, as `Repr-Digest` and `Content-Digest` carry them (RFC 9530)."""
        return base64.b64encode(bytes.fromhex(self)).decode("ascii")


def is_digest(text: str) -> bool:
    """Tell whether a text is 64 lower-case hex digits."""
    return _HEX.fullmatch(text) is not None


def parse_digest(text: str) -> Digest:
    """Read a digest from the outside.

    Raises:
        InvalidError: the text is not 64 lower-case hex digits.
    """
    return Digest(text)


def digest_of(data: bytes | bytearray | memoryview) -> Digest:
    """Return the digest of bytes at hand."""
    return Digest(hashlib.sha256(data).hexdigest())


class Hasher:
    """A running SHA-256 that also counts.

    Attributes:
        size: the bytes seen so far.
    """

    def __init__(self) -> None:
        self._hash = hashlib.sha256()
        self.size = 0

    def update(self, chunk: bytes | bytearray | memoryview) -> None:
        """Take the next bytes of the payload."""
        self._hash.update(chunk)
        self.size += len(chunk) if not isinstance(chunk, memoryview) else chunk.nbytes

    def digest(self) -> Digest:
        """Return the digest of everything seen so far; more may follow."""
        return Digest(self._hash.hexdigest())
