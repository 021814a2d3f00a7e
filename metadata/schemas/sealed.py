"""Envelopes: encrypted values as they lie in a record. Opening them is `metadata/sealing.py`'s work."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from .base import Model
from .fields import Flag, NotRef, Secret, Text, Timestamp

KeyId = Annotated[Text, NotRef("it names a master key, not a record")]
"""Which master key sealed a value; absent in the original's data."""


class Envelope(Model):
    """A value encrypted with AES-256-GCM; base64 as sealed here, hex as the original sealed it.

    Attributes:
        ciphertext: without the tag.
        iv: 12 bytes here, 16 in the original's data.
        auth_tag: 16 bytes.
        key_id: the master key, absent in the original's data.
    """

    ciphertext: Secret
    iv: Secret
    auth_tag: Secret
    key_id: KeyId | None = Field(default=None, alias="_keyId")


class TotpSecret(Envelope):
    """The sealed secret of a second factor."""

    enabled: Flag = False
    verified_at: Timestamp | None = None


class BackupCodes(Envelope):
    """The sealed list of one-time codes."""

    created_at: Timestamp
