"""Whole-file documents on their own: reading one anew and writing one."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from metadata.documents.contract import put, remove
from metadata.index.query import Query

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

    from metadata.documents.json_files import JsonFiles


def test_a_removed_character_s_file_is_gone(files: JsonFiles, root: Path, make: ModuleType) -> None:
    who = make.character()
    files.apply([put("character", who)])
    files.apply([remove("character", who["id"])])
    assert list(root.glob("characters/*.json")) == []


def test_what_others_put_into_a_document_stays_in_it(files: JsonFiles, root: Path, make: ModuleType) -> None:
    label = make.tag("x")
    (root / "tags").mkdir()
    text = {"version": 1, "future": {"a": [1]}, "tags": [label], "createdAt": make.T0, "updatedAt": make.T0}
    (root / "tags/tags.json").write_text(json.dumps(text))
    late = make.tag("y")
    files.apply([put("tag", late)])
    found = json.loads((root / "tags/tags.json").read_text())
    assert found["future"] == {"a": [1]}
    assert found["tags"] == [label, late]
    assert list(found) == [*text, "_crc"]
    assert found["createdAt"] == make.T0


def test_two_records_of_one_id_are_kept_and_reported(files: JsonFiles, root: Path, make: ModuleType) -> None:
    label = make.tag("x")
    (root / "tags").mkdir()
    (root / "tags/tags.json").write_text(json.dumps({"version": 1, "tags": [label, {**label, "name": "second"}]}))
    found = files.find("tag", Query())
    assert [item.body["name"] for item in found.items] == ["x"]
    assert [item["problem"] for item in files.health().findings] == ["duplicate"]
    files.apply([put("tag", make.tag("y"))])
    assert len(json.loads((root / "tags/tags.json").read_text())["tags"]) == 3


def test_a_bare_array_is_written_back_as_one(files: JsonFiles, root: Path, make: ModuleType) -> None:
    account = {"id": make.new_id(), "userId": make.USER, "type": "oauth", "provider": "p", "providerAccountId": "1"}
    (root / "auth").mkdir()
    (root / "auth/accounts.json").write_text(json.dumps([account]))
    late = {**account, "id": make.new_id(), "providerAccountId": "2"}
    files.apply([put("account", late)])
    assert json.loads((root / "auth/accounts.json").read_text()) == [account, late]
