"""Links between pages lead somewhere, anchors included."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
FOREIGN = ("https://", "http://", "mailto:")


def anchors_of(page: str) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def broken(page: Path) -> list[str]:
    """Return the links of a page that lead nowhere."""
    found = []
    for link in LINK.findall(FENCE.sub("", page.read_text())):
        if link.startswith(FOREIGN):
            continue
        name, _, anchor = link.partition("#")
        target = page.parent / name if name else page
        if not target.exists() or (anchor and anchor not in anchors_of(target.read_text())):
            found.append(link)
    return found


def test_a_broken_link_is_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# One, *two*\n[a](page.md#one-two) [b](gone.md) [c](#three) [d](https://example.org)\n")
    assert broken(page) == ["gone.md", "#three"]


def test_every_link_leads_somewhere(pages: list[Path]) -> None:
    assert {str(page): links for page in pages if (links := broken(page))} == {}


def test_every_page_is_reached_from_the_readme(repository: Path, pages: list[Path]) -> None:
    reached = {(repository / "README.md").resolve()}
    waiting = list(reached)
    while waiting:
        page = waiting.pop()
        links = LINK.findall(FENCE.sub("", page.read_text()))
        for link in (name for name in links if not name.startswith(FOREIGN)):
            target = (page.parent / link.partition("#")[0]).resolve()
            if target.suffix == ".md" and target.exists() and target not in reached:
                reached.add(target)
                waiting.append(target)
    assert [str(page) for page in pages if page.resolve() not in reached] == []


def test_every_decision_is_listed(repository: Path) -> None:
    listing = (repository / "docs/adr/README.md").read_text()
    records = sorted(path.name for path in (repository / "docs/adr").glob("[0-9]*.md"))
    assert [name for name in records if f"]({name})" not in listing] == []
    assert [name[:4] for name in records] == [f"{number:04}" for number in range(1, len(records) + 1)]


def test_every_decision_has_its_parts(repository: Path) -> None:
    parts = ("\n## Context\n", "\n## Decision\n", "\n## Arguments against\n", "\n## Consequences\n")
    records = {path.name: path.read_text() for path in (repository / "docs/adr").glob("[0-9]*.md")}
    assert [(name, part) for name, text in records.items() for part in parts if part not in text] == []
