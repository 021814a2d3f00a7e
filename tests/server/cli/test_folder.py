"""`calotype init`, `compact` and `reindex`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from .conftest import Invoke


def test_init_makes_a_store_once(calo: Invoke, folder: Path) -> None:
    first, second = calo("init", "--json"), calo("init", "--json")
    assert first.json() | {"storeId": ""} == {"dataDir": str(folder), "storeId": "", "created": True, "adopted": False}
    assert second.json() == first.json() | {"created": False}
    assert calo("init").out == f"There is a store in {folder}.\n"
    assert "chats/" not in (folder / ".gitignore").read_text().split()


def test_init_makes_the_first_user(calo: Invoke, folder: Path) -> None:
    calo("init")
    general = json.loads((folder / "settings" / "general.json").read_text())
    assert general["user"]["email"] == "admin@localhost"


def test_init_elsewhere_and_private(calo: Invoke, folder: Path, tmp_path: Path) -> None:
    done = calo("init", "--git-private", "--data-dir", tmp_path / "other")
    assert done.out == f"Made a store in {tmp_path / 'other'}. Next: calotype serve\n"
    assert {"chats/", "settings/"} <= set((tmp_path / "other" / ".gitignore").read_text().split())
    assert not folder.exists()


def test_init_refuses_what_is_not_ours(calo: Invoke, folder: Path) -> None:
    folder.mkdir()
    (folder / "thesis.txt").touch()
    done = calo("init")
    assert (done.status, str(folder) in done.err) == (2, True)
    assert [path.name for path in folder.iterdir()] == ["thesis.txt"]


def test_init_adopts_the_originals_folder(calo: Invoke, original_folder: Path) -> None:
    done = calo("init", "--data-dir", original_folder)
    assert done.status == 0
    assert "was the original application's folder" in done.err


def test_compact_leaves_one_line_a_record(calo: Invoke, folder: Path, picture: Path) -> None:
    for name in ("a", "b", "c"):
        assert calo("put", picture, "--tag", name).status == 0
    index = folder / "binaries" / "index.jsonl"
    before = index.stat().st_size
    assert index.read_text().count("\n") == 3
    done = calo("compact", "--json")
    assert done.json()["bytesSaved"] >= before - index.stat().st_size > 0
    assert index.read_text().count("\n") == 1
    assert calo("compact").out.endswith(" saved\n")


def test_reindex_takes_hand_edits_over(calo: Invoke, folder: Path, picture: Path) -> None:
    calo("put", picture)
    index = folder / "binaries" / "index.jsonl"
    record = json.loads(index.read_text())
    (item,) = calo("ls", "--json").json()["items"]
    edited = {name: value for name, value in record.items() if not name.startswith("_")} | {"filename": "edited.png"}
    index.write_text(json.dumps(edited) + "\n")
    assert calo("reindex").out == "The index is new; 0 findings\n"
    assert calo("show", item["id"], "--json").json()["items"][0]["filename"] == "edited.png"


def test_reindex_names_what_is_damaged(calo: Invoke, folder: Path, picture: Path) -> None:
    calo("put", picture)
    calo("put", picture, "--type", "avatar")
    index = folder / "binaries" / "index.jsonl"
    whole = index.read_bytes()
    index.write_bytes(b"damage" + whole[6:])
    done = calo("reindex", "--json")
    assert [found["path"] for found in done.json()["findings"]] == ["binaries/index.jsonl"]
    assert "binaries/index.jsonl" in calo("reindex").err


def test_nothing_is_made_by_looking(calo: Invoke, folder: Path) -> None:
    for command in (["ls"], ["compact"], ["reindex"], ["token", "ls"], ["get", "0" * 64], ["show", "x"], ["rm", "x"]):
        done = calo(*command)
        assert (done.status, "calotype init" in done.err) == (3, True), command
    assert not folder.exists()
