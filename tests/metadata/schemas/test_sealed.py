"""Envelopes in both writings, and never shown."""

from __future__ import annotations

import pytest

from metadata.schemas.sealed import BackupCodes, Envelope, TotpSecret

HEX = {
    "ciphertext": "8d3f1c00",
    "iv": "00112233445566778899aabbccddeeff",
    "authTag": "f0e1d2c3b4a5968778695a4b3c2d1e0f",
}
BASE64 = {"ciphertext": "jT8cAA==", "iv": "ABEiM0RVZneImaq7", "authTag": "8OHSw7SlloeGl6S7PC0eDw==", "_keyId": "k1"}


@pytest.mark.parametrize("written", [HEX, BASE64])
def test_both_writings_are_read_and_nothing_is_shown(written: dict[str, str]) -> None:
    envelope = Envelope.model_validate(written)
    assert envelope.ciphertext == written["ciphertext"]
    assert envelope.key_id == written.get("_keyId")
    assert not any(written[name] in repr(envelope) for name in ("ciphertext", "iv", "authTag"))


def test_a_second_factor_is_off_unless_it_says_on() -> None:
    assert TotpSecret.model_validate(HEX).enabled is False
    assert BackupCodes.model_validate(HEX | {"createdAt": "2026-01-31T12:00:00Z"}).created_at.endswith(".000Z")
