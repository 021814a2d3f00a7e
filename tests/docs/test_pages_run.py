"""The pages that show how to work with Calotype, run as they stand against a real server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.mark.heavy
@pytest.mark.parametrize(
    ("page", "blocks"), [("first-ten-minutes.md", 10), ("python.md", 5), ("import.md", 2), ("backup.md", 1)]
)
def test_every_block_of_the_page_works(
    walk: Callable[[str], list[str]], repository: Path, page: str, blocks: int
) -> None:
    printed = walk((repository / "docs" / page).read_text())
    assert len(printed) > blocks


@pytest.mark.heavy
def test_every_client_tells_the_same_story(walk: Callable[[str], list[str]], repository: Path) -> None:
    printed = walk((repository / "docs" / "clients.md").read_text())
    assert "[ 'Queen of Hearts' ]" in printed[-1]
    assert "field: 'defaultImageId'" in printed[-1]
    assert printed[-1].endswith("image/png true\n")
