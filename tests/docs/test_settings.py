"""docs/settings.md lists every setting with its true default and its own words."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from server.configuration import effective, load_settings

if TYPE_CHECKING:
    from pathlib import Path

ROW = re.compile(r"^\| `([A-Z_]+)` \| (?:`([^`]*)`|\(empty\))(?: \([^)]*\))? \| (.*) \|$", re.MULTILINE)


def test_the_table_is_the_model(repository: Path) -> None:
    written = ROW.findall((repository / "docs/settings.md").read_text())
    assert written == [(row.name, row.value, row.meaning) for row in effective(load_settings({}))]


def test_every_setting_named_in_a_page_exists(pages: list[Path]) -> None:
    known = {row.name for row in effective(load_settings({}))} | {"CALOTYPE_TEST_SCALE", "CALOTYPE_CORPUS", "CALOTYPE_"}
    named = {name for page in pages for name in re.findall(r"\bCALOTYPE_[A-Z_]*", page.read_text())}
    assert named - known == set()
