"""Sealed values: AES-256-GCM, one random nonce a value, bound to the record, field and user they were sealed for.

An envelope holds `ciphertext`, `iv` (12 bytes) and `authTag` (16 bytes) as base64 and `_keyId`, which names the master
key. The associated data is the compact JSON array `[type, record id, field name, user id]` in UTF-8, so that an
envelope moved elsewhere cannot be opened. The original's envelopes have hex, an iv of 16 bytes, no `_keyId` and no
associated data; their key is PBKDF2-HMAC-SHA256(user id, salt = its pepper, 100,000 rounds, 32 bytes).

Nothing here puts a plain value, an envelope or a key into a `repr`, a log line or an error. Not being able to open a
value is an answer and no error: one such value must not break a list.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
import secrets
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from .errors import InvalidError

if TYPE_CHECKING:
    from collections.abc import Mapping

KEY_BYTES = 32
_IV_BYTES = 12
_TAG_BYTES = 16
_ORIGINAL_IV_BYTES = 16
_ORIGINAL_ROUNDS = 100_000
_ID_DIGITS = 16
_USERS_KEPT = 64
_HEX = re.compile(r"([0-9a-f]{2})*")

KEY_ID = "_keyId"
PARTS = ("ciphertext", "iv", "authTag")
MEMBERS = (*PARTS, KEY_ID)
"""The members of an envelope."""


@dataclass(frozen=True, slots=True)
class MasterKey:
    """A key that seals; `id` follows from it and says nothing of it.

    Raises:
        InvalidError: it has not 32 bytes.
    """

    secret: bytes = field(repr=False)
    id: str = field(init=False)

    def __post_init__(self) -> None:
        """Check the length and derive the id."""
        if len(self.secret) != KEY_BYTES:
            raise InvalidError(f"A master key has {KEY_BYTES} bytes; this one has {len(self.secret)}.")
        named = hashlib.sha256(b"calotype key id\n" + self.secret).hexdigest()[:_ID_DIGITS]
        object.__setattr__(self, "id", named)

    @classmethod
    def new(cls) -> MasterKey:
        """Return a random key."""
        return cls(secrets.token_bytes(KEY_BYTES))


@dataclass(frozen=True, slots=True)
class Ring:
    """The keys at hand: the first one seals, all of them open."""

    keys: tuple[MasterKey, ...] = ()

    @property
    def current(self) -> MasterKey | None:
        """The key that seals, None in an empty ring."""
        return self.keys[0] if self.keys else None

    def find(self, key_id: object) -> MasterKey | None:
        """Return the key of this id, None when it is not at hand."""
        return next((key for key in self.keys if key.id == key_id), None)


class Keys(Protocol):
    """Where master keys come from."""

    def ring(self) -> Ring:
        """Return the keys at hand, none when there are none."""

    def ensure(self) -> Ring:
        """Return the keys at hand, making the first one in a store that has sealed nothing yet.

        Raises:
            InvalidError: values are sealed and their key is gone.
        """


class Reason(StrEnum):
    """Why a value cannot be opened."""

    NO_KEY = "no-key"
    """The master key that it names is not at hand."""
    NO_PEPPER = "no-pepper"
    """The original sealed it, and `ENCRYPTION_MASTER_PEPPER` is not set."""
    REFUSED = "refused"
    """It was altered, was sealed for another place, or the original's pepper is another."""
    MALFORMED = "malformed"
    """It is no envelope."""


@dataclass(frozen=True, slots=True)
class Revealed:
    """The plain value."""

    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class NeedsReentry:
    """The value cannot be opened; its owner has to enter it again."""

    reason: Reason


Outcome = Revealed | NeedsReentry


@dataclass(frozen=True, slots=True)
class _Envelope:
    ciphertext: bytes
    iv: bytes
    tag: bytes


class Sealer:
    """Seals and opens the values of records.

    A caller that seals and stores, or reads and opens, does both inside one `Documents.guard`: a rotation between the
    two would leave a value whose key is gone.

    Args:
        keys: the master keys.
        pepper: the original's `ENCRYPTION_MASTER_PEPPER`, for what it sealed.
    """

    def __init__(self, keys: Keys, pepper: str | None = None) -> None:
        self._keys = keys
        self._pepper = pepper
        # 100,000 rounds take some 30 ms: a list of one user's keys must not pay them for each.
        self._original_key = lru_cache(_USERS_KEPT)(self._derive)

    def seal(self, kind: str, record_id: str, field: str, plain: str, *, user: str) -> dict[str, str]:
        """Return a new envelope, as it lies in the record.

        Args:
            kind: the record's kind in the catalog.
            record_id: the record's id.
            field: the field name that the schema gives the sealed value.
            plain: the value.
            user: the id of the user it belongs to.

        Raises:
            InvalidError: there is no key, and sealed values say that there was one.
            CalotypeError: the key cannot be read or written.
        """
        key = self._keys.ensure().current
        if key is None:
            raise InvalidError("There is no master key to seal with.", setting="CALOTYPE_MASTER_KEY")
        return _sealed(key, plain, _place(kind, record_id, field, user))

    def open(self, kind: str, record_id: str, field: str, envelope: Mapping[str, object], *, user: str) -> Outcome:
        """Return the plain value, or why there is none.

        Args:
            kind: as for `seal`.
            record_id: as for `seal`.
            field: as for `seal`.
            envelope: the mapping that holds the envelope's members, and others too.
            user: as for `seal`.

        Raises:
            CalotypeError: the file of the master key is there and cannot be read.
        """
        parsed = _parsed(envelope)
        if parsed is None:
            return NeedsReentry(Reason.MALFORMED)
        if KEY_ID not in envelope:
            return self._open_original(parsed, user)
        key = self._keys.ring().find(envelope[KEY_ID])
        if key is None:
            return NeedsReentry(Reason.NO_KEY)
        return _opened(key.secret, parsed, _place(kind, record_id, field, user))

    def renewed(
        self, kind: str, record_id: str, field: str, envelope: Mapping[str, object], *, user: str
    ) -> dict[str, str] | None:
        """Return the envelope of the same value under the current key; None when it has that, or cannot be opened.

        Raises:
            CalotypeError: as `seal`.
        """
        current = self._keys.ring().current
        if current is not None and envelope.get(KEY_ID) == current.id:
            return None
        outcome = self.open(kind, record_id, field, envelope, user=user)
        return self.seal(kind, record_id, field, outcome.text, user=user) if isinstance(outcome, Revealed) else None

    def _open_original(self, parsed: _Envelope, user: str) -> Outcome:
        if self._pepper is None:
            return NeedsReentry(Reason.NO_PEPPER)
        return _opened(self._original_key(user), parsed, None)

    def _derive(self, user: str) -> bytes:
        pepper = (self._pepper or "").encode("utf-8", "surrogatepass")
        password = user.encode("utf-8", "surrogatepass")
        return hashlib.pbkdf2_hmac("sha256", password, pepper, _ORIGINAL_ROUNDS, KEY_BYTES)


def _sealed(key: MasterKey, plain: str, place: bytes) -> dict[str, str]:
    iv = secrets.token_bytes(_IV_BYTES)
    # Lone surrogates, which the original's data may hold, pass through.
    both = AESGCM(key.secret).encrypt(iv, plain.encode("utf-8", "surrogatepass"), place)
    parts = (both[:-_TAG_BYTES], iv, both[-_TAG_BYTES:])
    envelope = {name: base64.b64encode(part).decode() for name, part in zip(PARTS, parts, strict=True)}
    return {**envelope, KEY_ID: key.id}


def _opened(secret: bytes, parsed: _Envelope, place: bytes | None) -> Outcome:
    try:
        plain = AESGCM(secret).decrypt(parsed.iv, parsed.ciphertext + parsed.tag, place)
        return Revealed(plain.decode("utf-8", "surrogatepass"))
    except (InvalidTag, UnicodeDecodeError):
        return NeedsReentry(Reason.REFUSED)


def _place(kind: str, record_id: str, field: str, user: str) -> bytes:
    return json.dumps([kind, record_id, field, user], separators=(",", ":"), ensure_ascii=False).encode(
        "utf-8", "surrogatepass"
    )


def _parsed(envelope: Mapping[str, object]) -> _Envelope | None:
    """Return the bytes of an envelope, None when it is none: one writing a value is the only one accepted."""
    decode, iv_bytes = (_from_base64, _IV_BYTES) if KEY_ID in envelope else (_from_hex, _ORIGINAL_IV_BYTES)
    ciphertext, iv, tag = (decode(envelope.get(name)) for name in PARTS)
    if ciphertext is None or iv is None or tag is None or len(iv) != iv_bytes or len(tag) != _TAG_BYTES:
        return None
    return _Envelope(ciphertext, iv, tag)


def _from_base64(text: object) -> bytes | None:
    if not isinstance(text, str):
        return None
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    # Bits after the last byte are ignored in decoding; a change there must be noticed too.
    return data if base64.b64encode(data).decode() == text else None


def _from_hex(text: object) -> bytes | None:
    return bytes.fromhex(text) if isinstance(text, str) and _HEX.fullmatch(text) else None
