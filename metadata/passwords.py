"""Passwords: Argon2id hashes, and the bcrypt hashes of the original application until their users sign in once.

The only module that knows how passwords are hashed. A check costs the same for a user who does not exist, and no more
than a few run at once: each takes 64 MiB.
"""

from __future__ import annotations

import re
import secrets
import threading
from dataclasses import dataclass, field

import bcrypt
from argon2 import PasswordHasher, Type, extract_parameters
from argon2.exceptions import InvalidHashError, VerificationError

from .errors import InvalidError

SHORTEST = 8
LONGEST_BYTES = 1024
_AT_ONCE = 2
_BCRYPT = re.compile(r"\$2[aby]\$(?P<cost>[0-9]{2})\$[./A-Za-z0-9]{53}")
_BCRYPT_BYTES = 72
"""bcrypt looks at no more of a password."""
_DEAREST_BCRYPT = 15
_DEAREST_KIB = 1024 * 1024
_DEAREST_ROUNDS = 32
"""A hash in a file that somebody edited must not make a sign-in take minutes or gigabytes."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What checking a password found.

    Attributes:
        ok: it is the user's.
        upgraded: the hash to store in place of the old one, None when that is good.
    """

    ok: bool
    upgraded: str | None = field(default=None, repr=False)


class Passwords:
    """Hashes and checks passwords; thread-safe.

    Args:
        hasher: the cost of new hashes; the default is RFC 9106's second choice: 64 MiB, three rounds, four lanes.
        at_once: how many run at the same time; the others wait.
    """

    def __init__(self, hasher: PasswordHasher | None = None, *, at_once: int = _AT_ONCE) -> None:
        self._hasher = hasher or PasswordHasher()
        self._room = threading.BoundedSemaphore(at_once)
        self._nobody: str | None = None

    def hash(self, password: str) -> str:
        """Return the hash of a new password.

        Raises:
            InvalidError: it is too short or too long.
        """
        data = _bytes(password)
        if len(password) < SHORTEST:
            raise InvalidError(f"A password has at least {SHORTEST} characters.", field="password", limit=SHORTEST)
        if len(data) > LONGEST_BYTES:
            raise InvalidError(
                f"A password has at most {LONGEST_BYTES} bytes.",
                field="password",
                limit=LONGEST_BYTES,
                actual=len(data),
            )
        with self._room:
            return self._hasher.hash(data)

    def check(self, stored: str | None, password: str) -> Checked:
        """Compare a password with a stored hash.

        Args:
            stored: the hash; None for a user who does not exist or has no password: the answer is no and takes as long.
            password: as it was typed.
        """
        data = _bytes(password)
        if len(data) > LONGEST_BYTES:
            stored, data = None, b""
        with self._room:
            if stored is not None and _BCRYPT.fullmatch(stored):
                return self._check_bcrypt(stored, data)
            if stored is not None and _affordable(stored):
                return self._check_argon2(stored, data)
            self._matches(self._of_nobody(), data)
            return Checked(ok=False)

    def _check_argon2(self, stored: str, data: bytes) -> Checked:
        if not self._matches(stored, data):
            return Checked(ok=False)
        return Checked(ok=True, upgraded=self._hasher.hash(data) if self._hasher.check_needs_rehash(stored) else None)

    def _check_bcrypt(self, stored: str, data: bytes) -> Checked:
        found = _BCRYPT.fullmatch(stored)
        if found is None or int(found["cost"]) > _DEAREST_BCRYPT:
            return Checked(ok=False)
        try:
            ok = bcrypt.checkpw(data[:_BCRYPT_BYTES], stored.encode())
        except ValueError:  # a cost below bcrypt's least, or salt that is none
            return Checked(ok=False)
        # What follows the 72nd byte was never checked, so it must not become a part of the password.
        keep = not ok or len(data) > _BCRYPT_BYTES
        return Checked(ok=ok, upgraded=None if keep else self._hasher.hash(data))

    def _matches(self, stored: str, data: bytes) -> bool:
        try:
            return self._hasher.verify(stored, data)
        except (VerificationError, InvalidHashError):
            return False

    def _of_nobody(self) -> str:
        if self._nobody is None:
            self._nobody = self._hasher.hash(secrets.token_bytes(32))
        return self._nobody


def _affordable(stored: str) -> bool:
    try:
        cost = extract_parameters(stored)
    except InvalidHashError:
        return False
    return cost.type is Type.ID and cost.memory_cost <= _DEAREST_KIB and cost.time_cost <= _DEAREST_ROUNDS


def _bytes(password: str) -> bytes:
    return password.encode("utf-8", "surrogatepass")
