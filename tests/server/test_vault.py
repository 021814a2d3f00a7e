"""Opening a store: cut-off rotations are finished, and without any key of its sealed values it stays shut."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from metadata.documents.contract import put
from metadata.errors import InvalidError
from metadata.keys import PATH
from metadata.sealing import MasterKey, NeedsReentry, Revealed
from server.configuration import load_settings
from server.wiring import Store, open_store

if TYPE_CHECKING:
    from pathlib import Path

KEY = "3f333df6-90a4-4fda-8dd3-9485d27cee36"
PLAIN = "sk-plain"


def opened(folder: Path, **variables: str) -> Store:
    environ = {f"CALOTYPE_{name}": value for name, value in variables.items()}
    return open_store(load_settings({"DATA_DIR": str(folder), **environ}).settings)


def keep(store: Store) -> None:
    """Store one API key."""
    with store.documents.guard():
        envelope = store.vault.sealer.seal("apiKey", KEY, "key", PLAIN, user=store.owner.id)
        dates = {"createdAt": "2026-01-01T00:00:00.000Z", "updatedAt": "2026-01-01T00:00:00.000Z"}
        record = {"id": KEY, "label": "Mine", "provider": "OPENAI", "isActive": True, **envelope, **dates}
        store.documents.apply([put("apiKey", record)])


def value(store: Store) -> Revealed | NeedsReentry:
    stored = store.documents.get("apiKey", KEY)
    assert stored is not None
    return store.vault.sealer.open("apiKey", KEY, "key", stored.body, user=store.owner.id)


def test_a_sealed_value_outlives_the_process(tmp_path: Path) -> None:
    with opened(tmp_path / "data") as store:
        assert not (tmp_path / "data" / PATH).exists(), "a key is made when it is needed"
        keep(store)
    with opened(tmp_path / "data") as store:
        assert store.folder.warnings == ()
        assert value(store) == Revealed(PLAIN)
    files = [path for path in (tmp_path / "data").rglob("*") if path.is_file()]
    assert [path for path in files if PLAIN.encode() in path.read_bytes()] == []


def test_a_key_from_a_setting_seals_and_is_in_no_file(tmp_path: Path) -> None:
    key = MasterKey.new()
    file = tmp_path / "key"
    file.write_text(key.secret.hex())
    with opened(tmp_path / "data", MASTER_KEY=key.secret.hex()) as store:
        keep(store)
    assert not (tmp_path / "data" / PATH).exists()
    with opened(tmp_path / "data", MASTER_KEY_FILE=str(file)) as store:
        assert value(store) == Revealed(PLAIN)
    with pytest.raises(InvalidError, match="urandom"):
        opened(tmp_path / "data", MASTER_KEY="password1")


def test_a_store_that_lost_its_key_stays_shut_unless_that_is_allowed(tmp_path: Path) -> None:
    with opened(tmp_path / "data") as store:
        keep(store)
    (tmp_path / "data" / PATH).unlink()
    with pytest.raises(InvalidError, match=r"no master key.*CALOTYPE_ALLOW_MISSING_KEY=1"):
        opened(tmp_path / "data")
    with opened(tmp_path / "data", ALLOW_MISSING_KEY="1") as store:
        (warning,) = store.folder.warnings
        assert "1 sealed value " in warning
        assert isinstance(value(store), NeedsReentry)
        with pytest.raises(InvalidError, match="no master key"):
            keep(store)
    assert not (tmp_path / "data" / PATH).exists()
    with opened(tmp_path / "data", MASTER_KEY=MasterKey.new().secret.hex()) as store:
        assert "1 sealed value " in store.folder.warnings[0], "another key does not open it, and needs no permission"


def test_a_rotation_cut_off_is_finished_at_opening(tmp_path: Path) -> None:
    with opened(tmp_path / "data") as store:
        keep(store)
        new, _ = store.vault.keys.begin_rotation().keys
    with opened(tmp_path / "data") as store:
        assert store.vault.keys.ring().keys == (new,)
        assert store.vault.rotation.survey() == {new.id: 1}
        assert value(store) == Revealed(PLAIN)


def test_what_cannot_be_read_keeps_no_store_shut_and_no_key_is_dropped(tmp_path: Path) -> None:
    with opened(tmp_path / "data") as store:
        keep(store)
        ring = store.vault.keys.begin_rotation()
    profiles = tmp_path / "data" / "settings" / "connection-profiles.json"
    sound = profiles.read_bytes()
    profiles.write_text("nonsense")
    with opened(tmp_path / "data") as store:
        assert "connection-profiles.json" in store.folder.warnings[0]
        assert store.vault.keys.ring() == ring
    profiles.write_bytes(sound)
    with opened(tmp_path / "data") as store:
        assert store.folder.warnings == ()
        assert value(store) == Revealed(PLAIN)
        assert len(store.vault.keys.ring().keys) == 1


def test_a_damaged_key_file_keeps_no_store_shut(tmp_path: Path) -> None:
    with opened(tmp_path / "data") as store:
        keep(store)
    (tmp_path / "data" / PATH).write_text("nonsense")
    with opened(tmp_path / "data") as store:
        assert "no sound key" in store.folder.warnings[0]


def test_the_key_of_urls_stays(tmp_path: Path) -> None:
    with opened(tmp_path / "data") as store:
        key = store.vault.url_key()
    with opened(tmp_path / "data") as store:
        assert store.vault.url_key() == key
