"""The page of promises, the table of rows and the tests that tell them speak of the same rows."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tests.promises import ROWS, SOAK, VERIFY, table

if TYPE_CHECKING:
    from pathlib import Path


def test_the_page_has_every_row_with_its_figures(repository: Path) -> None:
    page = (repository / "docs/reliability.md").read_text(encoding="utf-8")
    lines = {line.split("|")[1].strip(): line for line in page.splitlines() if line.startswith("| ")}
    assert [name for name in ROWS if f"`{name}`" not in lines] == []
    for name, row in ROWS.items():
        least = [cell.strip() for cell in lines[f"`{name}`"].split("|")[2:4]]
        assert least == [f"{count:,}" if count else "all" for count in (row.verify, row.soak)], name


def test_what_the_tests_tell_is_in_the_table(repository: Path) -> None:
    """Names that a test puts together are looked for by their beginnings."""
    told = set()
    for path in (repository / "tests").rglob("test_*.py"):
        text = path.read_text(encoding="utf-8")
        if "promise(" in text:
            told |= set(re.findall(r'"([a-z][^"{]{9,})', text))
    assert [name for name in ROWS if not any(name.startswith(each) for each in told)] == []


def test_what_counts_too_little_is_shown() -> None:
    figures = {"power cuts, ext4": [9.0, 0.0, 1.0], "raw probes": [100.0, 0.0, 1.0], "something else": [1.0, 0.0, 0.0]}
    head, short, enough, other = table(figures, VERIFY)
    assert "least" in head
    assert short.endswith("SHORT")
    assert "SHORT" not in enough + other
    assert "SHORT" not in "".join(table(figures, 1))
    assert sum(line.endswith("SHORT") for line in table(figures, SOAK)) == 1
