"""The original's folder, as the tests write it, is read by the catalog without a difference."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from metadata.schemas.catalog import Located, kinds_of_path
from metadata.schemas.homes import InArray, InMember

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import ModuleType


def held(located: Located, content: Any) -> list[dict[str, Any]]:
    """Return the records of one kind that a parsed file holds."""
    home = located.kind.home
    if isinstance(home, InMember):
        return [content[home.member]]
    if isinstance(home, InArray):
        found: list[dict[str, Any]] = content if isinstance(content, list) else content[home.member]
        return found
    return content if isinstance(content, list) else [content]


def parsed(folder: Path) -> Iterator[tuple[str, Any]]:
    """Read every JSON file of the folder."""
    for path in sorted(folder.rglob("*.json*")):
        text = path.read_text(encoding="utf-8")
        name = path.relative_to(folder).as_posix()
        yield name, [json.loads(line) for line in text.splitlines()] if path.suffix == ".jsonl" else json.loads(text)


def test_every_record_reads_back_and_is_written_the_same(original_folder: Path) -> None:
    read = 0
    for name, content in parsed(original_folder):
        located = kinds_of_path(name)
        assert located, name
        for one in located:
            for record in held(one, content):
                written = one.kind.model.from_record(record).to_record()
                assert json.dumps(written, sort_keys=True) == json.dumps(record, sort_keys=True)
                read += 1
    assert read == 22


@pytest.mark.parametrize("bare", [True, False])
def test_accounts_may_be_a_bare_array(tmp_path: Path, original: ModuleType, *, bare: bool) -> None:
    folder = original.write_folder(tmp_path / str(bare), bare_accounts=bare)
    content = json.loads((folder / "auth/accounts.json").read_text(encoding="utf-8"))
    (located,) = kinds_of_path("auth/accounts.json")
    assert isinstance(content, list) is bare
    assert held(located, content) == [original.account()]


def test_a_text_cut_inside_an_emoji_is_an_escape_in_the_file(original_folder: Path, original: ModuleType) -> None:
    lines = (original_folder / f"chats/{original.CHAT}.jsonl").read_bytes()
    assert rb'"Lovely \ud83d"' in lines
