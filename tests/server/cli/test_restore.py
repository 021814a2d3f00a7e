"""`calotype restore`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import calotype
from metadata.documents.contract import put

if TYPE_CHECKING:
    from pathlib import Path

    from tests.server.cli.conftest import Invoke

KEY = "3f333df6-90a4-4fda-8dd3-9485d27cee36"


def test_a_store_comes_back(calo: Invoke, picture: Path, tmp_path: Path) -> None:
    calo("init")
    calo("put", picture)
    calo("backup", tmp_path / "b.tar.gz")
    result = calo("restore", tmp_path / "b.tar.gz", tmp_path / "again")
    assert (result.status, result.err) == (0, "")
    assert "each compared with its hash" in result.out
    assert calo("ls", "--json", "--data-dir", tmp_path / "again").json() == calo("ls", "--json").json()
    assert calo("verify", "--full", "--data-dir", tmp_path / "again").status == 0
    refused = calo("restore", tmp_path / "b.tar.gz", tmp_path / "again")
    assert refused.status != 0
    assert "not empty" in refused.err


def test_the_keys_that_are_needed_are_named(calo: Invoke, tmp_path: Path, folder: Path) -> None:
    calo("init")
    with calotype.open(folder) as store, store.documents.guard():
        envelope = store.inside.vault.sealer.seal("apiKey", KEY, "key", "plain", user=store.inside.owner.id)
        dates = {"createdAt": "2026-01-01T00:00:00.000Z", "updatedAt": "2026-01-01T00:00:00.000Z"}
        record = {"id": KEY, "label": "Mine", "provider": "OPENAI", "isActive": True, **envelope, **dates}
        store.documents.apply([put("apiKey", record)])
    (key_id,) = (row["keyId"] for row in calo("key", "show", "--json").json()["keys"])
    assert "1 value is sealed, and the master key is not in the backup" in calo("backup", tmp_path / "b").out
    assert "The master key is in it" in calo("backup", tmp_path / "k", "--include-key").out
    told = calo("restore", tmp_path / "b", tmp_path / "without").out
    assert f"1 value is sealed with key {key_id}, which was not in the backup" in told
    assert "CALOTYPE_MASTER_KEY" in told
    shut = calo("ls", "--data-dir", tmp_path / "without")
    assert shut.status == 2
    assert "no master key" in shut.err
    for command in (["verify"], ["key", "show"], ["backup", tmp_path / "c"]):
        assert "no master key" not in calo(*command, "--data-dir", tmp_path / "without").err
    assert "1 sealed value can be opened" in calo("restore", tmp_path / "k", tmp_path / "with").out
    assert calo("ls", "--data-dir", tmp_path / "with").status == 0
