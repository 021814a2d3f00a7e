"""The pages that show how to work with Calotype, run as they stand against a real server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.mark.heavy
@pytest.mark.parametrize(("page", "blocks"), [("first-ten-minutes.md", 10), ("python.md", 5)])
def test_every_block_of_the_page_works(
    walk: Callable[[str], list[str]], repository: Path, page: str, blocks: int
) -> None:
    printed = walk((repository / "docs" / page).read_text())
    assert len(printed) > blocks
