"""What the original sealed, with its pepper and without."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from assets.transfer.report import Status
from metadata.sealing import Revealed

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

    import pytest

    from .conftest import Home, Items

PEPPER = "a pepper of the original's"


def sealed_there(user: str, plain: str) -> dict[str, str]:
    """Seal as the original did."""
    key = hashlib.pbkdf2_hmac("sha256", user.encode(), PEPPER.encode(), 100_000, 32)
    iv = bytes(range(16))
    both = AESGCM(key).encrypt(iv, plain.encode(), None)
    return {"ciphertext": both[:-16].hex(), "iv": iv.hex(), "authTag": both[-16:].hex()}


def seal_folder(application: Path, original: ModuleType) -> None:
    connections = application / "data/settings/connection-profiles.json"
    document: dict[str, Any] = json.loads(connections.read_text())
    document["apiKeys"][0] |= sealed_there(original.USER, "sk-secret")
    connections.write_text(json.dumps(document))
    general = application / "data/settings/general.json"
    document = json.loads(general.read_text())
    document["user"]["totp"] |= sealed_there(original.USER, "OTPSECRET")
    document["user"]["backupCodes"] |= sealed_there(original.USER, '["1","2"]')
    general.write_text(json.dumps(document))


def test_with_the_pepper_everything_is_sealed_anew(
    home: Home, application: Path, original: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    seal_folder(application, original)
    report = home.bring(application, pepper=PEPPER)
    assert report.total(Status.FAILED) == 0
    assert home.records.api_keys.reveal(original.KEY) == Revealed("sk-secret")
    user = home.body("user", home.first)
    assert user["totp"]["_keyId"]
    assert user["totp"]["enabled"] is True
    before = home.everything()
    assert home.bring(application, pepper=PEPPER).total(Status.IMPORTED) == 0
    assert home.everything() == before
    assert "sk-secret" not in json.dumps(report.document()) + "".join(capsys.readouterr())


def test_without_it_a_key_waits_for_a_later_run_that_has_it(
    home: Home, application: Path, original: ModuleType, items: Items
) -> None:
    seal_folder(application, original)
    report = home.bring(application)
    (key,) = items(report, Status.IMPORTED, "apiKey")
    assert "needs re-entry" in key.notes[0]
    (user,) = items(report, Status.REMAPPED, "user")
    assert len(user.notes) == 3
    assert "totp" not in home.body("user", home.first)
    assert home.records.api_keys.needs_reentry(home.records.api_keys.get(original.KEY)) is not None
    (again,) = items(home.bring(application), Status.SAME, "apiKey")
    assert "needs re-entry" in again.notes[0]
    (opened,) = items(home.bring(application, pepper=PEPPER), Status.IMPORTED, "apiKey")
    assert opened.notes == ()
    assert home.records.api_keys.reveal(original.KEY) == Revealed("sk-secret")


def test_another_pepper_opens_nothing_and_spoils_nothing(
    home: Home, application: Path, original: ModuleType, items: Items
) -> None:
    seal_folder(application, original)
    (key,) = items(home.bring(application, pepper="another"), Status.IMPORTED, "apiKey")
    assert "not the one" in key.notes[0]
    home.bring(application, pepper=PEPPER)
    assert home.records.api_keys.reveal(original.KEY) == Revealed("sk-secret")


def test_a_key_of_a_further_user_is_sealed_for_that_one(home: Home, application: Path, original: ModuleType) -> None:
    ben = home.records.users.create(email="ben@example.org")
    seal_folder(application, original)
    home.bring(application, user=ben.id, pepper=PEPPER)
    assert home.records.api_keys.get(original.KEY).user_id == ben.id
    assert home.records.api_keys.reveal(original.KEY, owner=ben.id) == Revealed("sk-secret")


def test_a_dry_run_opens_and_seals_nothing(home: Home, application: Path, original: ModuleType, items: Items) -> None:
    seal_folder(application, original)
    (key,) = items(home.bring(application, pepper=PEPPER, dry_run=True), Status.IMPORTED, "apiKey")
    assert key.notes == ()
    assert not list(home.documents.scan("apiKey"))
