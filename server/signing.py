"""Signed URLs: bytes for somebody without an account, until a moment.

`?expires={unix seconds}&signature={…}`, where the signature is base64url without padding of HMAC-SHA256 over the path,
a line break and the moment in decimal digits. Only `/blobs/…` and `/avatars/…` are signed, for at most 30 days.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from metadata.clock import timestamp
from metadata.errors import InvalidError

if TYPE_CHECKING:
    from metadata.clock import Clock

LONGEST = timedelta(days=30)
_PATH = re.compile(r"/(blobs|avatars)/[0-9a-f]{64}(/[A-Za-z0-9-]+)?(\.[A-Za-z0-9]+)?")


@dataclass(frozen=True, slots=True)
class Signed:
    """A path that may be read until a moment.

    Attributes:
        path: without the prefix that a proxy serves under.
        expires: unix seconds; from then on it is refused.
        signature: base64url.
    """

    path: str
    expires: int
    signature: str

    @property
    def url(self) -> str:
        """The path with its query."""
        return f"{self.path}?expires={self.expires}&signature={self.signature}"

    @property
    def expires_at(self) -> str:
        """`expires` as a timestamp."""
        return timestamp(datetime.fromtimestamp(self.expires, UTC))


class UrlSigner:
    """Signs paths and checks signatures.

    Args:
        key: the store's key for this.
        clock: the time.
    """

    def __init__(self, key: bytes, clock: Clock) -> None:
        self._key = key
        self._clock = clock

    def sign(self, path: str, expires_in: timedelta) -> Signed:
        """Return the path, signed.

        Raises:
            InvalidError: the path is no payload's, or the time is not between one second and 30 days.
        """
        if not _PATH.fullmatch(path):
            raise InvalidError("Only /blobs/… and /avatars/… of a hash can be signed.", field="path")
        if not timedelta(seconds=1) <= expires_in <= LONGEST:
            raise InvalidError(
                f"A signed URL lives between one second and {LONGEST.days} days.",
                field="expiresIn",
                limit=int(LONGEST.total_seconds()),
                actual=int(expires_in.total_seconds()),
            )
        expires = int((self._clock.now() + expires_in).timestamp())
        return Signed(path, expires, self._signature(path, str(expires)))

    def check(self, path: str, expires: str, signature: str) -> bool:
        """Tell whether a path may be read with this query; the comparison takes the same time wherever it fails.

        Args:
            path: as it was requested, without the prefix that a proxy serves under.
            expires: the query's text.
            signature: the query's text.
        """
        # Only what `sign` wrote has a sound signature, so what follows is a number.
        sound = hmac.compare_digest(self._signature(path, expires).encode(), signature.encode("utf-8", "replace"))
        return sound and self._clock.now().timestamp() < int(expires)

    def _signature(self, path: str, expires: str) -> str:
        text = f"{path}\n{expires}".encode("utf-8", "surrogatepass")
        return base64.urlsafe_b64encode(hmac.digest(self._key, text, hashlib.sha256)).rstrip(b"=").decode()
