"""`docs/format.md` is true: every example parses, carries the right check values and validates through the catalog.

The check values are computed here from the page's own words and not by our codec.
"""

from __future__ import annotations

import json
import re
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from metadata.documents.removals import removal_in
from metadata.schemas.base import BOOKKEEPING
from metadata.schemas.baseline import FOLDERS
from metadata.schemas.catalog import CATALOG, Kind, kinds_of_path
from metadata.schemas.containers import order_of
from metadata.schemas.homes import InArray, InMember, LinesPerParent, OwnFile

PAGE = Path(__file__).parents[2] / "docs" / "format.md"
OURS = ("locks", "intents", "uploads", "trash", "quarantine", "secrets", "cache")
ELSEWHERE = (".calotype", ".gitignore")


@dataclass(frozen=True)
class Example:
    """A fenced example: the language and the path it is tagged with, and its text."""

    language: str
    path: str
    text: str


def examples() -> list[Example]:
    """Return every fenced example of the page."""
    found = re.findall(
        r"^```(\S*) ?(\S*)\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL
    )
    return [Example(*parts) for parts in found]


DOCUMENTS = [one for one in examples() if one.language == "json"]
JOURNALS = [one for one in examples() if one.language == "jsonl"]
IN_CATALOG = [one for one in DOCUMENTS if kinds_of_path(one.path)]


def crc_of_document(document: dict[str, Any]) -> str:
    """Compute a document's check value as the page says."""
    counted = {name: value for name, value in document.items() if not name.startswith("_")}
    canonical = json.dumps(counted, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return f"{zlib.crc32(canonical.encode()):08x}"


def crc_of_line(line: str) -> str:
    """Compute a line's check value as the page says."""
    without = re.sub(r',"_crc":"[0-9a-f]{8}"(?=}$)', "", line)
    return f"{zlib.crc32(without.encode()):08x}"


def records_of(example: Example) -> list[tuple[Kind, dict[str, Any]]]:
    """Return the records of an example, bookkeeping left out; of a tombstone the record it ends, if it says it."""
    if example.language == "jsonl":
        kind = kinds_of_path(example.path)[0].kind
        lines = [json.loads(line) for line in example.text.splitlines()]
        bodies = [line.get("_was") if "_deleted" in line else line for line in lines]
        return [(kind, without_bookkeeping(body)) for body in bodies if body is not None]
    document = json.loads(example.text)
    found: list[tuple[Kind, dict[str, Any]]] = []
    for located in kinds_of_path(example.path):
        home = located.kind.home
        if isinstance(home, InArray):
            found += [(located.kind, record) for record in document[home.member]]
        elif isinstance(home, InMember):
            found.append((located.kind, document[home.member]))
        else:
            found.append((located.kind, without_bookkeeping(document)))
    return found


def without_bookkeeping(record: dict[str, Any]) -> dict[str, Any]:
    """Return the record's own members."""
    return {name: value for name, value in record.items() if name not in BOOKKEEPING}


def named(example: Example) -> str:
    """Name a test after the example's path."""
    return example.path


def test_every_fence_is_tagged_with_the_path_of_a_file() -> None:
    assert {one.language for one in examples()} == {"json", "jsonl", "text"}
    for one in examples():
        assert kinds_of_path(one.path) or one.path in ELSEWHERE or one.path.startswith("intents/"), one.path


@pytest.mark.parametrize("example", IN_CATALOG + JOURNALS, ids=named)
def test_every_record_validates_and_stands_in_the_order_of_writing(example: Example) -> None:
    records = records_of(example)
    assert records
    for kind, record in records:
        written = kind.model.from_record(record).to_record()
        assert json.dumps(written) == json.dumps(record)


@pytest.mark.parametrize("example", [one for one in DOCUMENTS if one.path != ".calotype"], ids=named)
def test_a_document_carries_its_check_value_last(example: Example) -> None:
    document = json.loads(example.text)
    assert list(document)[-1] == "_crc"
    assert document["_crc"] == crc_of_document(document)
    assert example.text == json.dumps(document, indent=2, ensure_ascii=False) + "\n"


@pytest.mark.parametrize("example", JOURNALS, ids=named)
def test_a_line_carries_its_check_value_last_and_where_the_file_was_safe(example: Example) -> None:
    offset, checked = 0, 0
    for line in example.text.splitlines():
        record = json.loads(line)
        if "_crc" in record:
            assert list(record)[-2:] == ["_b", "_crc"]
            assert record["_crc"] == crc_of_line(line)
            assert record["_b"] <= offset
            checked += 1
        offset += len(line.encode()) + 1
    assert checked


def test_a_container_has_the_original_s_members_in_order() -> None:
    containers = [one for one in IN_CATALOG if not isinstance(kinds_of_path(one.path)[0].kind.home, OwnFile)]
    assert len(containers) == 6
    for one in containers:
        assert tuple(json.loads(one.text)) == (*order_of(one.path), "_crc")


def test_a_file_s_name_is_its_record_s_id() -> None:
    for one in IN_CATALOG:
        located = kinds_of_path(one.path)[0]
        if isinstance(located.kind.home, OwnFile):
            assert json.loads(one.text)["id"] == located.variable


def test_a_tombstone_holds_the_key_and_no_more() -> None:
    ends = [
        (kinds_of_path(one.path)[0].kind, json.loads(line))
        for one in JOURNALS
        for line in one.text.splitlines()
        if "_deleted" in line
    ]
    assert {kind.name for kind, _ in ends} == {"asset", "verificationToken"}
    for kind, line in ends:
        assert set(without_bookkeeping(line)) == set(kind.key)
        assert ("_was" in line) is (kind.name == "asset")


def test_a_superseding_line_carries_a_revision() -> None:
    (assets,) = [one for one in JOURNALS if one.path == "binaries/index.jsonl"]
    seen: set[str] = set()
    for line in map(json.loads, assets.text.splitlines()):
        assert ("_rev" in line) is (line["id"] in seen)
        seen.add(line["id"])


@pytest.mark.parametrize("kind", CATALOG.values(), ids=lambda kind: kind.name)
def test_every_member_of_every_kind_is_shown(kind: Kind) -> None:
    shown = {
        name
        for one in IN_CATALOG + JOURNALS
        for found, record in records_of(one)
        if found is kind
        for name, value in record.items()
        if value is not None
    }
    assert set(kind.members) - {"_meta", kind.parent} <= shown


def test_every_home_and_every_folder_has_its_place_on_the_page() -> None:
    text = PAGE.read_text(encoding="utf-8")
    for folder in (*FOLDERS, *OURS):
        assert f"`{folder}/" in text, folder
    paths = [one.path for one in examples()]
    for kind in CATALOG.values():
        assert any(kind.home.match(path) is not None for path in paths), kind.name
        if isinstance(kind.home, InMember):
            assert any(kind.home.match(path) for path in paths)
        if isinstance(kind.home, LinesPerParent):
            assert kind.parent is not None


def test_an_intent_names_records_of_the_catalog() -> None:
    intents = [json.loads(one.text) for one in DOCUMENTS if one.path.startswith("intents/")]
    intent, removal = sorted(intents, key=lambda one: int(one["version"]))
    found = removal_in(removal)
    assert found is not None
    assert found.written()["removes"] == removal["removes"]
    for step in intent["steps"]:
        assert set(step) == {"path", "kind", "key", "body"}
        assert kinds_of_path(step["path"])[0].kind.name == step["kind"]
        if step["body"] is not None:
            CATALOG[step["kind"]].model.from_record(step["body"])


def test_the_marker_says_store_format_and_date() -> None:
    (marker,) = [json.loads(one.text) for one in DOCUMENTS if one.path == ".calotype"]
    assert list(marker) == ["storeId", "formatVersion", "createdAt"]
    assert marker["formatVersion"] == 1


def test_every_bookkeeping_member_is_explained() -> None:
    text = PAGE.read_text(encoding="utf-8")
    for name in BOOKKEEPING:
        assert f"| `{name}` |" in text
