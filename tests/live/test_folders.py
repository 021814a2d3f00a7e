"""Folders as people bring them: a new one, and one that the original application wrote."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from metadata.files.folder import OWN_FOLDERS, SEED_FOLDERS

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

NAMED = {".calotype", ".gitignore", ".gitkeep"}


def files_of(folder: Path) -> set[str]:
    """Return the files of a folder that a person would keep: locks and what can be rebuilt are left out."""
    found = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return {str(path) for path in found if path.suffix != ".lock" and path.parts[0] not in {"locks", "cache"}}


def plain(value: Any, *, key: str = "") -> Any:
    """Return a document without what differs from store to store: ids, times, and our check values."""
    if isinstance(value, dict):
        return {name: plain(item, key=name) for name, item in value.items() if name != "_crc"}
    return "…" if key in {"id", "userId", "createdAt", "updatedAt"} else value


def test_init_makes_the_committed_baseline_and_our_own_names_and_nothing_else(
    tmp_path: Path, repository: Path, serving: ModuleType
) -> None:
    folder, baseline = tmp_path / "data", repository / "data"
    assert serving.run(folder, "init").returncode == 0
    committed = {str(path.relative_to(baseline)) for path in baseline.rglob("*") if path.is_file()}
    assert files_of(folder) == committed | NAMED
    assert {path.name for path in folder.iterdir() if path.is_dir()} == {*SEED_FOLDERS, *OWN_FOLDERS}
    for name in committed - {"settings/general.json"}:
        made, kept = (folder / name).read_text(), (baseline / name).read_text()
        assert (plain(json.loads(made)) == plain(json.loads(kept))) if name.endswith(".json") else (made == kept)
    general = json.loads((folder / "settings" / "general.json").read_text())
    kept = json.loads((baseline / "settings" / "general.json").read_text())
    assert (kept["user"], kept["chatSettings"]) == (None, None)
    assert list(plain(general)) == list(kept)
    assert general["user"]["email"] == "admin@localhost"
    assert general["chatSettings"]["userId"] == general["user"]["id"]


def test_a_folder_of_the_original_is_served_and_compacts_to_the_originals_fields(
    original_folder: Path, original: ModuleType, serving: ModuleType
) -> None:
    before = {path: (original_folder / path).read_bytes() for path in original.journals()}
    with serving.Server(original_folder) as server, server.client() as client:
        listed = {item["id"]: item for item in client.get("/api/assets").json()["items"]}
        assert listed.keys() == {record["id"] for record in original.assets()}
        assert client.get(f"/blobs/{original.PNG_SHA256}").content == original.PNG
        assert client.get("/readyz").json()["status"] in {"ready", "degraded"}
        for number in range(3):  # superseding lines, to be compacted
            answer = client.patch(f"/api/assets/{original.ASSET}", json={"filename": f"renamed {number}.png"})
            assert answer.is_success, answer.text
    assert {path: (original_folder / path).read_bytes()[: len(content)] for path, content in before.items()} == before
    assert serving.run(original_folder, "compact").returncode == 0
    for path, records in original.journals().items():
        _check_journal(original_folder / path, {_key(record): record for record in records})


def _check_journal(path: Path, records: dict[str, dict[str, Any]]) -> None:
    lines = [json.loads(line) for line in path.read_bytes().splitlines()]
    ours = [line for line in lines if _key(line) not in records]
    assert all(path.name == "access-tokens.jsonl" for _ in ours)
    assert [_key(line) for line in lines] == list(records), "one line a record, in the order they first came"
    for line in lines:
        theirs = [name for name in line if not name.startswith("_")]
        assert theirs == list(records[_key(line)])


def _key(record: dict[str, Any]) -> str:
    return str(record.get("id") or (record["identifier"], record["token"]))
