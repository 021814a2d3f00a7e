"""Exports: the original's layout, without bookkeeping and secrets, and a store when it is opened."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import pytest

from metadata.errors import BusyError, ConflictError, InvalidError
from metadata.files.filesystem import FileSystem
from metadata.files.folder import RESTORING
from server.configuration import load_settings
from server.wiring import open_store

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from server.wiring import Store
    from tests.assets.conftest import House

Records = dict[str, list[tuple[str, dict[str, Any]]]]

SECRET_MEMBERS = {"ciphertext", "iv", "authTag", "passwordHash", "totp", "backupCodes", "sessionToken", "refresh_token"}


def opened(root: Path) -> Store:
    return open_store(load_settings({}, {"data_dir": root}).settings)


def hash_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def members(root: Path) -> set[str]:
    """Return every member's name in every file of an export."""
    found: set[str] = set()

    def look(value: object) -> None:
        if isinstance(value, dict):
            found.update(value)
        for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
            look(inner)

    for path in root.rglob("*.json*"):
        lines = path.read_text().splitlines() if path.suffix == ".jsonl" else [path.read_text()]
        for line in lines:
            look(json.loads(line))
    return found


@pytest.mark.parametrize("sealed", [False, True])
def test_an_export_is_a_store_with_the_same_records(
    original_folder: Path, tmp_path: Path, every_record: Callable[[Store], Records], *, sealed: bool
) -> None:
    with opened(original_folder) as store:
        mine = store.records.personas.create(user_id=store.owner.id, name="p", description="d", meta={"shelf": 3})
        store.records.personas.edit(mine.id, lambda one: one.replaced(name="other"))
        before = every_record(store)
        done = store.backups.export(tmp_path / "export", include_sealed=sealed)
    assert done.damaged == ()
    assert done.missing, "the original's folder names bytes that it does not have"
    there = [path for path in original_folder.glob("binaries/*/raw") if hash_of(path) == path.parent.name]
    assert done.payloads == len(there)
    assert not members(tmp_path / "export") & {"_crc", "_rev", "_b", "_deleted", "_was"}
    assert bool(members(tmp_path / "export") & SECRET_MEMBERS) == sealed
    assert not (tmp_path / "export" / ".calotype").exists()
    with opened(tmp_path / "export") as store:
        assert store.folder.adopted
        after = every_record(store)
    left_out = set() if sealed else {"apiKey", "account", "session", "verificationToken"}
    for kind in set(before) - left_out - {"fact"}:
        assert [key for key, _ in after[kind]] == [key for key, _ in before[kind]], kind
        if sealed or kind not in {"user", "connectionProfile", "imageProfile"}:
            assert after[kind] == before[kind], kind
    assert {kind: after[kind] for kind in left_out} == {kind: [] for kind in left_out}
    assert sealed or done.sealed
    assert sealed or not [body for kind in after for _, body in after[kind] if body.get("apiKeyId")]


def test_what_is_gone_or_unused_is_not_in_it(house: House, tmp_path: Path) -> None:
    kept, mentioned = house.put(b"kept"), house.drop(b"mentioned")
    garbage = house.drop(b"garbage")
    house.character(avatar_url=f"/blobs/{mentioned}")
    house.store.backups.export(tmp_path / "export")
    names = {path.parent.name for path in (tmp_path / "export").glob("binaries/*/raw")}
    assert names == {kept.sha256, mentioned}
    assert garbage not in (tmp_path / "export" / "binaries" / "index.jsonl").read_text()


def test_damage_is_told_and_left_out(house: House, tmp_path: Path) -> None:
    _, rotten, gone = house.put(b"its line rots"), house.put(b"rotten"), house.put(b"gone")
    who = house.character()
    house.raw(rotten.sha256).write_bytes(b"rotted")
    house.raw(gone.sha256).unlink()
    (house.root / "characters" / f"{who}.json").write_text("nonsense")
    journal = house.root / "binaries" / "index.jsonl"
    journal.write_bytes(b"x" + journal.read_bytes()[1:])
    done = house.store.backups.export(tmp_path / "export")
    assert set(done.missing) == {rotten.sha256, gone.sha256}
    assert set(done.damaged) == {f"characters/{who}.json", "binaries/index.jsonl, byte 0"}
    assert done.payloads == 0


def test_only_into_an_absent_or_empty_folder_outside(house: House, tmp_path: Path) -> None:
    (tmp_path / "used").mkdir()
    (tmp_path / "used" / "letter").write_text("mine")
    with pytest.raises(ConflictError, match="not empty"):
        house.store.backups.export(tmp_path / "used")
    with pytest.raises(InvalidError, match="one in the other"):
        house.store.backups.export(house.root / "export")


def test_an_unfinished_operation_has_to_end_first(house: House, tmp_path: Path) -> None:
    (house.root / "settings" / "connection-profiles.json").write_text("nonsense")
    steps = [{"path": "settings/connection-profiles.json", "kind": "apiKey", "key": "x", "body": None}]
    intent = house.root / "intents" / "0c8a5d0e-93f4-4a3b-8f52-6f1d3c2b4a59.json"
    intent.write_text(json.dumps({"version": 1, "steps": steps}))
    with pytest.raises(BusyError, match="not finished"):
        house.store.backups.export(tmp_path / "export")


def test_cut_off_it_is_refused(house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    house.put()

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(FileSystem, "unlink", die)
        with pytest.raises(KeyboardInterrupt):
            house.store.backups.export(tmp_path / "export")
    assert (tmp_path / "export" / RESTORING).exists()
    with pytest.raises(InvalidError, match="not whole"):
        opened(tmp_path / "export")
