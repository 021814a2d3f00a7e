"""API keys as the original left them."""

from __future__ import annotations

import hashlib
import json
import os
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from metadata.documents.contract import put
from metadata.errors import InvalidError
from metadata.index.query import Query
from metadata.repositories.api_keys import ApiKeysRepository
from metadata.repositories.container import Repositories
from metadata.sealing import NeedsReentry, Reason, Revealed, Ring, Sealer
from metadata.store import JsonStore

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PEPPER = "pepper"
KEY_ID = "6f9619ff-8b86-4011-b42d-00c04fc964ff"


@pytest.fixture
def original(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Repositories]:
    """A store with one key that the original sealed for the first user, without naming an owner."""
    monkeypatch.setenv("ENCRYPTION_MASTER_PEPPER", PEPPER)
    store = Repositories(JsonStore(folder))
    user = store.users.ensure_first().id
    secret = hashlib.pbkdf2_hmac("sha256", user.encode(), PEPPER.encode(), 100_000, 32)
    iv = os.urandom(16)
    sealed = AESGCM(secret).encrypt(iv, b"sk-old", None)
    envelope = {"ciphertext": sealed[:-16].hex(), "iv": iv.hex(), "authTag": sealed[-16:].hex()}
    dates = {"createdAt": "2025-01-01T00:00:00.000Z", "updatedAt": "2025-01-01T00:00:00.000Z"}
    record = {"id": KEY_ID, "label": "old", "provider": "OPENAI", **envelope, "isActive": True, **dates}
    store.documents.apply([put("apiKey", record)])
    yield store
    store.close()


def test_the_originals_key_opens_and_is_sealed_anew_at_the_next_edit(original: Repositories, folder: Path) -> None:
    assert original.api_keys.reveal(KEY_ID) == Revealed("sk-old")
    assert original.api_keys.get(KEY_ID).key_id is None
    original.api_keys.edit(KEY_ID, lambda found: found.replaced(label="new"))
    assert original.api_keys.get(KEY_ID).key_id is not None
    assert original.api_keys.reveal(KEY_ID) == Revealed("sk-old")
    assert "sk-old" not in json.dumps(json.loads((folder / "settings/connection-profiles.json").read_text()))


def test_without_the_pepper_it_is_left_as_it_is(original: Repositories) -> None:
    without = ApiKeysRepository(original.documents, Sealer(_NoKeys()))
    before = original.api_keys.get(KEY_ID)
    assert without.reveal(KEY_ID) == NeedsReentry(Reason.NO_PEPPER)
    after = without.edit(KEY_ID, lambda found: found.replaced(label="new"))
    assert (after.ciphertext, after.key_id) == (before.ciphertext, None)
    assert original.api_keys.reveal(KEY_ID) == Revealed("sk-old")


def test_a_key_without_an_owner_is_the_first_users(original: Repositories) -> None:
    first, other = original.users.ensure_first().id, original.users.create(email="o@example.org").id
    assert [key.id for key in original.api_keys.list(Query(owner=first)).items] == [KEY_ID]
    assert original.api_keys.list(Query(owner=other)).items == []
    assert original.api_keys.find_by_id(KEY_ID, owner=first) is not None
    assert original.api_keys.find_by_id(KEY_ID, owner=other) is None
    original.documents.rebuild()  # type: ignore[attr-defined] # it is over files
    assert original.api_keys.list(Query(owner=first)).total == 1


def test_one_that_cannot_be_opened_does_not_move_to_another_user(original: Repositories) -> None:
    without = ApiKeysRepository(original.documents, Sealer(_NoKeys()))
    other = original.users.create(email="o@example.org").id
    with pytest.raises(InvalidError, match="entered again"):
        without.edit(KEY_ID, lambda found: found.replaced(_userId=other))


def test_nothing_sealed_is_in_an_error_or_a_repr(store: Repositories) -> None:
    with pytest.raises(InvalidError) as refused:
        store.api_keys.create(label="l", provider="", key="sk-secret")
    assert "sk-secret" not in str(refused.value) + repr(refused.value.details)


class _NoKeys:
    """No master key and no pepper."""

    def ring(self) -> Ring:
        raise AssertionError

    def ensure(self) -> Ring:
        raise AssertionError
